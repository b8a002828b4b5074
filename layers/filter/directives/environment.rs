//! Environment variables with directives.

use std::env::{self, VarError};

use crate::{Error, ErrorKind};

/// Returns the value of a variable; `None` if it is not set, or has only blanks.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if the value is not Unicode.
pub(crate) fn read(variable: &str) -> Result<Option<String>, Error> {
    match env::var(variable) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(value)) => Err(of(variable, format!("not valid Unicode: {value:?}"))),
    }
}

/// Returns an error that names the variable.
pub(super) fn of(variable: &str, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("{variable}: {what}"))
}
