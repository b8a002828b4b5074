//! What happens to the files of a log at a rotation: one type for each way.

mod append;
mod empty;
mod link;
mod shift;

use std::fmt;
use std::path::{Path, PathBuf};

use super::Rotation;
use super::family::{Family, Slots, in_the_way, rename};
use super::naming::Mark;
use crate::Error;
use crate::clock::Timestamp;

/// The operations in which the ways of naming archives differ.
pub(super) trait Scheme: fmt::Debug + Send + Sync {
    /// Whether [`prepare`](Self::prepare) has nothing to do. Called without the lock of the family.
    fn is_prepared(&self, family: &Family) -> bool {
        !family.is_left_live()
    }

    /// Prepares the path before the file is opened. By default, removes the link left by a process whose names were
    /// [live](super::Naming::live).
    fn prepare(&self, files: &Files<'_>) -> Result<(), Error> {
        super::family::remove(files.family.path())
    }

    /// Moves the file in use out of the way, so that a new one can be opened at the path. `archives` are those that
    /// exist already.
    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error>;
}

/// Returns the scheme of `rotation`.
pub(super) fn of(rotation: &Rotation) -> Box<dyn Scheme> {
    let (naming, keep) = (&rotation.naming, rotation.retention.count);
    match () {
        () if naming.is_live() => Box::new(link::Link),
        () if keep == 0 => Box::new(empty::Empty),
        () if naming.counts_down() => Box::new(shift::Shift),
        () => Box::new(append::Append),
    }
}

/// The outcome of [`Scheme::retire`].
pub(super) struct Retired {
    /// The archives, without the one that was added.
    pub(super) archives: Slots,
    /// How many archives were added: 1, or 0 if there was no file at the path or it was emptied.
    pub(super) added: usize,
    undo: Undo,
}

enum Undo {
    Nothing,
    /// Rename this archive back to the path.
    Rename(Mark),
    /// Make the path a link to this file again.
    Link(PathBuf),
}

/// The files of a log, as a scheme sees them.
pub(super) struct Files<'a> {
    pub(super) family: &'a Family,
    pub(super) rotation: &'a Rotation,
    /// When the first line of the file in use was written, if known.
    pub(super) began: Timestamp,
}

impl Files<'_> {
    /// Puts the file that was retired back, because no new one could be opened.
    pub(super) fn restore(&self, retired: &Retired) -> Result<(), Error> {
        match &retired.undo {
            Undo::Nothing => Ok(()),
            Undo::Rename(mark) => rename(&self.family.place(mark), self.family.path()),
            Undo::Link(target) => self.family.link(target),
        }
    }

    /// Renames the file in use to `mark`, as the only change that can be undone.
    fn rename_current(&self, mark: Mark, archives: Slots) -> Result<Retired, Error> {
        let renamed = self.rename_to(&mark)?;
        let undo = if renamed { Undo::Rename(mark) } else { Undo::Nothing };
        Ok(Retired { archives, added: renamed.into(), undo })
    }

    /// Renames the file at the path to `mark`. Returns `false` if there is none, for example because it was moved away.
    fn rename_to(&self, mark: &Mark) -> Result<bool, Error> {
        let (from, to) = (self.family.path(), self.family.place(mark));
        if !exists(from) {
            return Ok(false);
        }
        if exists(&to) {
            return Err(in_the_way(&to));
        }
        match &self.rotation.rotator {
            None => rename(from, &to)?,
            Some(rotator) => rotator.rotate(from, &to)?,
        }
        Ok(true)
    }

    /// The mark of the next archive of a period to which `at` belongs.
    fn next_mark(&self, archives: &Slots, at: Timestamp) -> Mark {
        let start = self.rotation.trigger.period_start(at);
        self.rotation.naming.next_mark(archives.keys(), || self.rotation.zone().civil(start))
    }
}

/// Whether there is anything at `path`, even a dangling link.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
