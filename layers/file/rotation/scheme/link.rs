use std::fs;
use std::path::Path;

use super::{Added, Files, Kind, Name, Retired, Scheme, Slots, Undo, exists};
use crate::Error;
use crate::clock::Timestamp;
use crate::file::rotation::family::{in_the_way, remove, rename};
use crate::file::rotation::naming::Mark;

/// The file in use has its final name from the start, and the path is a link to it.
#[derive(Debug)]
pub(super) struct Link;

impl Scheme for Link {
    fn is_prepared(&self, files: &Files<'_>) -> bool {
        files.family.mark_in_use().is_some_and(|mark| !is_outdated(files, &mark))
    }

    fn prepare(&self, files: &Files<'_>) -> Result<(), Error> {
        retire_regular_file(files)?;
        let before = files.family.mark_in_use();
        if before.is_none()
            && let Some(mark) = left_of_this_period(files)?
        {
            return link_to(files, &mark);
        }
        link_next(files, files.family.slots()?)?;
        // It is empty: otherwise it would still be in use.
        before.map_or(Ok(()), |mark| remove(&files.family.place(&mark)))
    }

    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error> {
        redate_current(files, &archives)?;
        let before = fs::read_link(files.family.path()).ok();
        let in_use = files.family.mark_in_use();
        let unused = in_use.filter(|_| files.fresh);
        let is_archive = |mark: &Mark| unused.is_none() && exists(&files.family.place(mark));
        link_next(files, archives.clone())?;
        let (archives, added) = match files.rotation.retention.count {
            // The file that has just ended is removed with the others.
            0 => (files.family.slots().unwrap_or(archives), None),
            _ => (archives, in_use.filter(is_archive).map(|mark| Added { mark, kind: Kind::File })),
        };
        Ok(Retired { archives, added, unused, problem: None, undo: before.map_or(Undo::Nothing, Undo::Link) })
    }
}

/// Whether the file in use has another date than its first line would have now.
fn is_outdated(files: &Files<'_>, mark: &Mark) -> bool {
    let is_empty = files.family.place(mark).metadata().is_ok_and(|metadata| metadata.len() == 0);
    is_empty && files.next_mark(&Slots::new(), files.rotation.clock.now()).date > mark.date
}

/// Renames the file in use if its date is from a clock that was far ahead.
fn redate_current(files: &Files<'_>, archives: &Slots) -> Result<(), Error> {
    let Some(mark) = files.family.mark_in_use().filter(|mark| files.is_too_late(mark)) else { return Ok(()) };
    let to = files.family.place(&files.next_mark(archives, files.rotation.clock.now()));
    rename(&files.family.place(&mark), &to)?;
    files.family.link(Path::new(to.file_name().unwrap_or_default()))
}

/// Makes the path a link to a file that begins now.
fn link_next(files: &Files<'_>, mut taken: Slots) -> Result<(), Error> {
    taken.extend(files.family.mark_in_use().map(|mark| (mark, Vec::new())));
    let mark: Mark = files.next_mark(&taken, files.rotation.clock.now());
    link_to(files, &mark)
}

fn link_to(files: &Files<'_>, mark: &Mark) -> Result<(), Error> {
    let target = files.family.place(mark);
    files.family.link(Path::new(target.file_name().unwrap_or_default()))
}

/// The last file of the current period, if another program may have left it to be continued.
fn left_of_this_period(files: &Files<'_>) -> Result<Option<Mark>, Error> {
    if !files.rotation.naming.continues() {
        return Ok(None);
    }
    let slots = files.family.slots()?;
    let date = files.next_mark(&Slots::new(), files.rotation.clock.now()).date;
    let last =
        slots.iter().next_back().filter(|(mark, names)| mark.date == date && names.iter().all(Name::is_plain_file));
    Ok(last.map(|(mark, _)| *mark))
}

/// Renames a file from a time when the path was the file itself.
fn retire_regular_file(files: &Files<'_>) -> Result<(), Error> {
    let path = files.family.path();
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => remove(path),
        Ok(metadata) if metadata.is_file() => {
            let changed = metadata.modified().map_or(files.began, Timestamp::from);
            files.rename_to(&files.next_mark(&files.family.slots()?, changed)).map(drop)
        }
        Ok(metadata) if !metadata.is_symlink() => Err(in_the_way(path)),
        _ => Ok(()),
    }
}
