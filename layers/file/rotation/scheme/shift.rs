use super::{Files, Retired, Scheme, Slots, exists};
use crate::Error;
use crate::file::rotation::naming::Mark;

/// The newest archive is `app.log.1`, and the others move up by one.
#[derive(Debug)]
pub(super) struct Shift;

impl Scheme for Shift {
    fn retire(&self, files: &Files<'_>, archives: Slots) -> Result<Retired, Error> {
        let archives = if exists(files.family.path()) { shift(files, archives)? } else { archives };
        files.rename_current(Mark::numbered(1), archives)
    }
}

/// Moves the archives up by one, as far as the first gap. If there is no gap, the oldest one is removed.
///
/// Works from the top down, so that after an error no file is lost and the next attempt finds the gap.
fn shift(files: &Files<'_>, mut archives: Slots) -> Result<Slots, Error> {
    let keep = u64::try_from(files.rotation.retention.count).unwrap_or(u64::MAX);
    let gap = (1..keep).find(|n| !archives.contains_key(&Mark::numbered(*n))).unwrap_or(keep);
    // If a file is renamed over another one, ext4 writes it to the disk first, and the caller would wait for that.
    if let Some(names) = archives.remove(&Mark::numbered(gap)) {
        files.family.remove(&names, &Mark::numbered(gap))?;
    }
    for n in (1..gap).rev() {
        let Some(names) = archives.remove(&Mark::numbered(n)) else { continue };
        files.family.relocate(&names, &Mark::numbered(n), &Mark::numbered(n + 1))?;
        archives.insert(Mark::numbered(n + 1), names);
    }
    Ok(archives)
}
