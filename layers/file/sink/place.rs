use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// A path as it was given, and made absolute: a relative path must not follow the process into another directory.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) name: PathBuf,
    pub(super) absolute: PathBuf,
}

impl Place {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let absolute = std::path::absolute(path).map_err(|error| cannot("open", path, error))?;
        Ok(Self { name: path.to_owned(), absolute })
    }
}

pub(super) fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}
