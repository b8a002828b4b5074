use std::io;
use std::path::Path;

use super::{Files, Retired, Scheme, Slots, Undo};
use crate::Error;
use crate::file::ownership;

/// No archives are kept: the file is emptied.
#[derive(Debug)]
pub(super) struct Empty;

impl Scheme for Empty {
    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error> {
        empty(files.family.path())?;
        Ok(Retired { archives, added: None, unused: None, problem: None, undo: Undo::Nothing })
    }
}

/// Empties the file by its name: it need not be the open one that is full.
fn empty(path: &Path) -> Result<(), Error> {
    // Does not follow links that another user may have put there.
    match ownership::open(path, None).and_then(|file| file.set_len(0)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot empty {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
