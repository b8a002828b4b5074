//! What happens to the files of a log at a rotation: one type for each way.

mod append;
mod copy;
mod empty;
mod link;
mod shift;

use std::fmt;
use std::path::{Path, PathBuf};

use super::family::{Family, in_the_way, rename};
use super::naming::Mark;
use super::obstacle::Way;
use super::slots::{Kind, Name, Slots};
use super::{Rotation, plausible};
use crate::Error;
use crate::clock::Timestamp;

/// The operations in which the ways of naming archives differ.
pub(super) trait Scheme: fmt::Debug + Send + Sync {
    /// Whether [`prepare`](Self::prepare) has nothing to do. Called without the lock of the family.
    fn is_prepared(&self, files: &Files<'_>) -> bool {
        !files.family.is_left_live()
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
    /// The archive that was added. `None` if there was no file at the path or it was emptied.
    pub(super) added: Option<Added>,
    /// The file that was in use, if it has no line: it is removed.
    pub(super) unused: Option<Mark>,
    /// What did not prevent the rotation: an archive that cannot be removed or renamed.
    pub(super) problem: Option<Error>,
    undo: Undo,
}

/// An archive that was the file in use.
#[derive(Clone, Copy)]
pub(super) struct Added {
    pub(super) mark: Mark,
    pub(super) kind: Kind,
}

enum Undo {
    Nothing,
    /// Rename this archive back to the path.
    Rename(Mark),
    /// Make the path a link to this file again.
    Link(PathBuf),
}

impl Retired {
    /// Adds another problem.
    pub(super) fn with(self, problem: Option<Error>) -> Self {
        Self { problem: self.problem.or(problem), ..self }
    }
}

/// The files of a log, as a scheme sees them.
pub(super) struct Files<'a> {
    pub(super) family: &'a Family,
    pub(super) rotation: &'a Rotation,
    /// When the first line of the file in use was written, if known.
    pub(super) began: Timestamp,
    /// The file in use has no line yet.
    pub(super) fresh: bool,
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

    /// Renames archives whose dates are from a clock that was far ahead, so that they do not count as the newest for years: they get
    /// the current date, in their order. Returns the last error.
    pub(super) fn redate(&self, archives: &mut Slots) -> Option<Error> {
        let late: Vec<_> = archives.keys().filter(|mark| self.is_too_late(mark)).copied().collect();
        let mut problem = None;
        let mut moved: Slots = late.iter().filter_map(|mark| archives.remove_entry(mark)).collect();
        for from in late {
            let Some(names) = moved.remove(&from) else { continue };
            let to = self.next_mark(archives, self.rotation.clock.now());
            let renamed = self.family.relocate(&names, &from, &to);
            archives.insert(if renamed.is_ok() { to } else { from }, names);
            problem = renamed.err().or(problem);
        }
        problem
    }

    /// Whether the date is from a clock that was far ahead.
    fn is_too_late(&self, mark: &Mark) -> bool {
        let latest = || plausible::latest(self.rotation.clock.now()).map(|latest| self.rotation.zone().civil(latest));
        mark.date.is_some_and(|date| latest().is_some_and(|latest| date > latest))
    }

    /// Renames the file in use to `mark`, as the only change that can be undone.
    fn rename_current(&self, mark: Mark, archives: Slots) -> Result<Retired, Error> {
        let added = self.rename_to(&mark)?;
        // A copy need not be undone: the file at the path is empty, and in use.
        let undo = if added.is_some() && !self.rotation.copies { Undo::Rename(mark) } else { Undo::Nothing };
        Ok(Retired { archives, added, unused: None, problem: None, undo })
    }

    /// Renames the file at the path to `mark`. Returns `None` if there is none, for example because it was moved away.
    fn rename_to(&self, mark: &Mark) -> Result<Option<Added>, Error> {
        let (from, to) = (self.family.path(), self.family.place(mark));
        let Ok(metadata) = from.symlink_metadata() else { return Ok(None) };
        if exists(&to) {
            return Err(in_the_way(&to));
        }
        match &self.rotation.rotator {
            None if self.rotation.copies => copy::copy_and_empty(from, &to)?,
            None => rename(from, &to)?,
            Some(rotator) => rotator.rotate(from, &to)?,
        }
        // Of a link, the file that it leads to is copied.
        let kind = if self.rotation.copies { Kind::File } else { Kind::of(metadata.file_type()) };
        Ok(Some(Added { mark: *mark, kind }))
    }

    /// The mark of the next archive of a period to which `at` belongs.
    fn next_mark(&self, archives: &Slots, at: Timestamp) -> Mark {
        let start = self.rotation.trigger.period_start(at);
        let is_archive =
            |(mark, names): &(&Mark, &Vec<Name>)| names.iter().all(Name::can_move) && !self.is_too_late(mark);
        let taken = archives.iter().filter(is_archive).map(|(mark, _)| mark);
        let mut mark = self.rotation.naming.next_mark(taken, || self.rotation.zone().civil(start));
        // Names that others chose are skipped.
        while self.family.is_taken(&mark) && mark.number < u64::MAX {
            mark.number += 1;
        }
        mark
    }
}

/// How files are rotated by `rotation`.
pub(super) fn way_of(rotation: &Rotation) -> Way {
    match () {
        () if rotation.naming.is_live() => Way::Rename,
        () if rotation.retention.count == 0 => Way::Empty,
        () if rotation.copies => Way::Copy,
        () => Way::Rename,
    }
}

/// Whether there is anything at `path`, even a dangling link.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
