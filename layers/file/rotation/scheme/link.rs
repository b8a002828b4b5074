use std::fs;
use std::path::Path;

use super::{Files, Retired, Scheme, Slots, Undo};
use crate::Error;
use crate::clock::Timestamp;
use crate::file::rotation::family::{Family, in_the_way, remove};
use crate::file::rotation::naming::Mark;

/// The file in use has its final name from the start, and the path is a link to it.
#[derive(Debug)]
pub(super) struct Link;

impl Scheme for Link {
    fn is_prepared(&self, family: &Family) -> bool {
        family.mark_in_use().is_some()
    }

    fn prepare(&self, files: &Files<'_>) -> Result<(), Error> {
        retire_regular_file(files)?;
        link_next(files, &files.family.slots()?)
    }

    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error> {
        let before = fs::read_link(files.family.path()).ok();
        let mut taken = archives.clone();
        taken.extend(files.family.mark_in_use().map(|mark| (mark, Vec::new())));
        link_next(files, &taken)?;
        let (archives, added) = match files.rotation.retention.count {
            // The file that has just ended is removed with the others.
            0 => (files.family.slots().unwrap_or(archives), 0),
            _ => (archives, before.is_some().into()),
        };
        Ok(Retired { archives, added, undo: before.map_or(Undo::Nothing, Undo::Link) })
    }
}

/// Makes the path a link to a file that begins now.
fn link_next(files: &Files<'_>, taken: &Slots) -> Result<(), Error> {
    let mark: Mark = files.next_mark(taken, files.rotation.clock.now());
    let target = files.family.place(&mark);
    files.family.link(Path::new(target.file_name().unwrap_or_default()))
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
