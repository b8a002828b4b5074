//! In which direction the numbers of archives count, for readers that do not know their naming.

use std::ffi::CStr;
use std::fs::File;

use super::attribute;

/// Marks a file whose archives are numbered from the oldest.
pub(super) fn mark_oldest_first(file: &File) {
    attribute::write(file, NAME, OLDEST_FIRST);
}

/// Whether `file` has that mark.
pub(crate) fn is_oldest_first(file: &File) -> bool {
    attribute::read(file, NAME).is_some_and(|value| value == OLDEST_FIRST)
}

/// Gives `to` the mark of `from`, whose content it has.
pub(super) fn copy_mark(from: &File, to: &File) {
    if is_oldest_first(from) {
        mark_oldest_first(to);
    }
}

const NAME: &CStr = c"user.log_numbers";
const OLDEST_FIRST: &str = "oldest first";
