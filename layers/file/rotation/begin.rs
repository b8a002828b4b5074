//! When a file began, remembered over restarts: the file system knows when it was last written to, and not always when it was created.

use std::ffi::CStr;
use std::fs::File;

use super::attribute;
use crate::clock::Timestamp;

/// Returns when `file`, which has lines and was last written to at `changed`, began: by its own mark, or when it was created.
pub(super) fn of(file: &File, changed: Timestamp) -> Timestamp {
    let created = || file.metadata().and_then(|metadata| metadata.created()).ok().map(Timestamp::from);
    let marked = || Some(Timestamp::new(attribute::read(file, NAME)?.parse().ok()?, 0));
    marked().or_else(created).filter(|began| *began <= changed).unwrap_or(changed)
}

/// Marks `file` as begun at `began`. Where the file system has no attributes of users, the time of its creation must do.
pub(super) fn mark(file: &File, began: Timestamp) {
    attribute::write(file, NAME, &began.seconds().to_string());
}

const NAME: &CStr = c"user.log_began";
