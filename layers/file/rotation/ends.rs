//! Names of archives that do not depend on the name of the log.

use std::ffi::OsString;
use std::path::is_separator;

use crate::{Error, ErrorKind};

/// What comes before and after the date, with the dots.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    before: String,
    after: String,
}

impl Ends {
    /// Either may be empty.
    pub(super) fn new(prefix: &str, suffix: &str) -> Result<Self, Error> {
        for part in [prefix, suffix] {
            if part.contains(is_separator) {
                let message = format!("the prefix or suffix {part:?} of a file name must not contain a path separator");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        let before = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        let after = if suffix.is_empty() { String::new() } else { format!(".{suffix}") };
        Ok(Self { before, after })
    }

    pub(super) fn around(&self) -> (OsString, OsString) {
        (self.before.clone().into(), self.after.clone().into())
    }
}
