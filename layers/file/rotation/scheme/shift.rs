use std::path::Path;

use super::{Files, Retired, Scheme, Slots, exists, in_the_way};
use crate::file::rotation::naming::Mark;
use crate::file::rotation::slots::Name;
use crate::{Error, ErrorKind};

/// The newest archive is `app.log.1`, and the others move up by one.
#[derive(Debug)]
pub(super) struct Shift;

impl Scheme for Shift {
    fn retire(&self, files: &Files<'_>, mut archives: Slots) -> Result<Retired, Error> {
        let (newest, problem) = if exists(files.family.path()) { shift(files, &mut archives)? } else { (1, None) };
        let retired = files.rename_current(Mark::numbered(newest), archives)?;
        Ok(Retired { problem, ..retired })
    }
}

/// Moves the archives up by one, as far as the first gap. If there is no gap, the oldest one is removed. What may be neither removed
/// nor renamed, such as an immutable file, keeps its number, and the others move past it; the last such error is returned, after the
/// number for the newest archive.
///
/// Works from the top down, so that after an error no file is lost and the next attempt finds the gap.
///
/// # Errors
///
/// If number 1 cannot be freed (or the first that is not the name of another log), or anything else fails: the next attempt may
/// succeed, and keeps the order.
fn shift(files: &Files<'_>, archives: &mut Slots) -> Result<(u64, Option<Error>), Error> {
    let logs = archives.values().filter(|names| names.iter().any(Name::is_log)).count();
    let keep = u64::try_from(files.rotation.retention.count.saturating_add(logs)).unwrap_or(u64::MAX);
    let gap = (1..keep).find(|n| !archives.contains_key(&Mark::numbered(*n))).unwrap_or(keep);
    // It may have come in the meantime, or be an archive that belongs to others.
    if gap < keep && files.family.is_taken(&Mark::numbered(gap)) {
        return Err(in_the_way(&files.family.place(&Mark::numbered(gap))));
    }
    let (mut free, mut problem) = (None, None);
    for n in (1..=gap).rev() {
        let mark = Mark::numbered(n);
        let Some(names) = archives.remove(&mark) else {
            free = free.or(Some(n));
            continue;
        };
        match free {
            _ if names.iter().any(Name::is_log) => problem = Some(is_a_log(&files.family.place(&mark))),
            _ if !names.iter().all(Name::can_move) => problem = Some(in_the_way(&files.family.place(&mark))),
            // If a file is renamed over another one, ext4 writes it to the disk first, and the caller would wait for that.
            None => match files.family.remove(&names, &mark) {
                Ok(()) => free = Some(n),
                Err(error) if is_forbidden(&error) => problem = Some(error),
                Err(error) => return Err(error),
            },
            Some(above) => match files.family.relocate(&names, &mark, &Mark::numbered(above)) {
                Ok(()) => {
                    archives.insert(Mark::numbered(above), names);
                    free = Some(n);
                    continue;
                }
                Err(error) if is_forbidden(&error) && names.len() == 1 => problem = Some(error),
                Err(error) => return Err(error),
            },
        }
        if free != Some(n) {
            archives.insert(mark, names);
        }
    }
    let is_log = |n: &u64| archives.get(&Mark::numbered(*n)).is_some_and(|names| names.iter().any(Name::is_log));
    let first = (1..=gap).find(|n| !is_log(n));
    match free {
        Some(free) if first == Some(free) => Ok((free, problem)),
        _ => Err(problem.unwrap_or_else(|| in_the_way(&files.family.place(&Mark::numbered(1))))),
    }
}

fn is_a_log(path: &Path) -> Error {
    Error::new(ErrorKind::Config, format!("{} is another log of this process, and no archive", path.display()))
}

/// Whether this will not change by itself: the file or its directory is immutable, or belongs to another user.
fn is_forbidden(error: &Error) -> bool {
    cfg!(unix) && error.io_error().and_then(std::io::Error::raw_os_error) == Some(libc::EPERM)
}
