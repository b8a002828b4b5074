use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// What an old file is called.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// `app.log.1` is the newest, `app.log.2` the one before.
    Numbered,
}

impl Naming {
    /// The name of the `number`th old file of `path`, the newest being 1.
    pub(super) fn old(&self, path: &Path, number: usize) -> PathBuf {
        match self {
            Self::Numbered => {
                let mut name = OsString::from(path);
                name.push(format!(".{number}"));
                name.into()
            }
        }
    }

    /// Makes `path` the newest old file, of which `keep` (at least 1) stay: the others move up by one, as far as the first
    /// gap, and without a gap the oldest is removed.
    ///
    /// It works from the top down, so that after an error no other file is lost and the next attempt finds the gap. Where `path`
    /// is gone (somebody moved it away) there is nothing to do, and the answer is `false`.
    pub(super) fn retire(&self, path: &Path, keep: usize) -> Result<bool, Error> {
        if !exists(path) {
            return Ok(false);
        }
        let gap = (1..keep).find(|number| !exists(&self.old(path, *number))).unwrap_or(keep);
        // To rename a file over another one makes ext4 write it to the disk first, for which the caller would wait. What cannot
        // be removed here cannot be renamed over either, and that says why.
        let _ = fs::remove_file(self.old(path, gap));
        for number in (1..gap).rev() {
            rename(&self.old(path, number), &self.old(path, number + 1))?;
        }
        rename(path, &self.old(path, 1)).map(|()| true)
    }

    /// Takes the last step of [`retire`](Self::retire) back.
    pub(super) fn restore(&self, path: &Path) -> Result<(), Error> {
        rename(&self.old(path, 1), path)
    }
}

/// A dangling symbolic link exists too: its name is taken.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to)
        .map_err(|error| Error::io(format!("cannot rename {} to {}", from.display(), to.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_first_gap_ends_the_renaming() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        for (name, text) in [("app.log", "0"), ("app.log.1", "1"), ("app.log.3", "3")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Naming::Numbered.retire(&path, 1000).unwrap();
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2", "app.log.3"]);
        assert_eq!(fs::read_to_string(dir.path().join("app.log.3")).unwrap(), "3");
        assert_eq!(fs::read_to_string(dir.path().join("app.log.2")).unwrap(), "1");
    }

    #[test]
    fn without_a_gap_the_oldest_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        for (name, text) in [("app.log", "0"), ("app.log.1", "1"), ("app.log.2", "2")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Naming::Numbered.retire(&path, 2).unwrap();
        assert_eq!(names(dir.path()), ["app.log.1", "app.log.2"]);
        assert_eq!(fs::read_to_string(dir.path().join("app.log.2")).unwrap(), "1");
    }

    #[test]
    fn what_was_retired_can_be_restored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        fs::write(&path, "0").unwrap();
        Naming::Numbered.retire(&path, 5).unwrap();
        Naming::Numbered.restore(&path).unwrap();
        assert_eq!(names(dir.path()), ["app.log"]);
    }
}
