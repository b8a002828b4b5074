use std::fs;
use std::io;
use std::path::Path;

use super::naming::Naming;
use crate::Error;

/// Which old files stay.
#[derive(Clone, Debug)]
pub(super) enum Retention {
    /// The newest so many.
    Count(usize),
}

impl Retention {
    /// How many old files may stand beside the file in use.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Count(files) => *files,
        }
    }

    /// Removes the old files beyond the count: those that are left from when it was higher. It stops at the first gap, so
    /// that it costs one failed `unlink` where there are none.
    pub(super) fn prune(&self, naming: &Naming, path: &Path) -> Result<(), Error> {
        let mut beyond = self.count();
        // With `usize::MAX` none is too many.
        while let Some(number) = beyond.checked_add(1) {
            let old = naming.old(path, number);
            match fs::remove_file(&old) {
                Ok(()) => beyond = number,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(Error::io(format!("cannot remove {}", old.display()), error)),
            }
        }
        Ok(())
    }
}
