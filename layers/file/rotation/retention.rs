use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::family::{Archive, Family, remove};
use super::lock::Lock;
use crate::Error;
use crate::clock::Timestamp;
use crate::sync::lock;

/// Which archives are kept.
#[derive(Clone, Debug)]
pub(super) struct Retention {
    pub(super) count: usize,
    pub(super) age: Option<Duration>,
    pub(super) total: Option<u64>,
    pub(super) free: Option<u64>,
    pub(super) budget: Option<Budget>,
}

/// An archive that is to be removed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// The path of the archive.
    pub path: PathBuf,
    /// The length of the archive.
    pub bytes: u64,
    /// The setting that requires its removal.
    pub reason: Reason,
}

/// The setting that requires the removal of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// [`Rotation::keep`](super::Rotation::keep)
    Count,
    /// [`Rotation::max_age`](super::Rotation::max_age)
    Age,
    /// [`Rotation::max_total`](super::Rotation::max_total)
    Total,
    /// [`Rotation::min_free`](super::Rotation::min_free)
    Free,
    /// [`Rotation::budget`](super::Rotation::budget)
    Budget,
}

/// A limit for the total size of several log files and their archives.
///
/// Pass the same budget to each [`Rotation::budget`](super::Rotation::budget). Shortly after any of these files rotates, the oldest
/// archives of all of them are removed until the limit is met. The files in use count, but are never removed.
///
/// ```
/// use tracing_handlers::rotation::{Budget, GIB, MIB, Rotation};
/// use tracing_handlers::sink::File;
///
/// # let dir = tempfile::tempdir()?;
/// # std::env::set_current_dir(&dir)?;
/// let budget = Budget::new(2 * GIB);
/// let rotation = Rotation::size(50 * MIB).keep(usize::MAX).budget(&budget);
/// let access = File::open("logs/access.log")?.rotation(rotation.clone());
/// let audit = File::open("logs/audit.log")?.rotation(rotation);
/// # std::env::set_current_dir("/")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: u64,
    /// Sorted by path.
    members: Arc<Mutex<Vec<Member>>>,
}

#[derive(Clone, Debug)]
struct Member {
    family: Family,
    lock: Arc<Lock>,
}

impl Budget {
    /// Creates a budget of `bytes` bytes.
    pub fn new(bytes: u64) -> Self {
        Self { bytes, members: Arc::default() }
    }

    /// Whether both are the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.members, &other.members)
    }

    /// Adds a family. While `family_lock` is held, its files are neither renamed nor removed by others.
    pub(super) fn join(&self, family: &Family, family_lock: &Arc<Lock>) {
        let mut members = lock(&self.members);
        members.retain(|known| known.family.path() != family.path());
        members.push(Member { family: family.clone(), lock: family_lock.clone() });
        members.sort_by(|one, other| one.family.path().cmp(other.family.path()));
    }

    /// Removes archives beyond the limit, with all families locked. The locks are acquired in the order of the paths, to avoid
    /// deadlocks.
    pub(super) fn prune(&self, now: Timestamp) -> Result<(), Error> {
        let members = lock(&self.members).clone();
        let (mut held, mut families, mut result) = (Vec::new(), Vec::new(), Ok(()));
        // A family without a directory has nothing to lock yet.
        for member in members.iter().filter(|member| member.family.directory().is_dir()) {
            match member.lock.hold() {
                Ok(guard) => {
                    held.push(guard);
                    families.push(&member.family);
                }
                // The others are pruned nevertheless.
                Err(error) => result = Err(error),
            }
        }
        let (removals, listed) = self.removals(families.iter().copied(), &[], now);
        let removed = carry_out(&removals);
        if !removals.is_empty() {
            families.into_iter().for_each(Family::list_again);
        }
        removed.and(listed).and(result)
    }

    fn plan(&self, gone: &[Removal], now: Timestamp) -> Result<Vec<Removal>, Error> {
        let members = lock(&self.members).clone();
        let (removals, listed) = self.removals(members.iter().map(|member| &member.family), gone, now);
        listed.map(|()| removals)
    }

    /// Returns what is to be removed of `families`, without those whose archives cannot be listed, and the last error of these.
    fn removals<'f>(
        &self,
        families: impl Iterator<Item = &'f Family>,
        gone: &[Removal],
        now: Timestamp,
    ) -> (Vec<Removal>, Result<(), Error>) {
        let (mut bytes, mut archives, mut listed) = (0, Vec::new(), Ok(()));
        for family in families {
            bytes += in_use(family);
            match family.archives() {
                Ok(more) => archives.extend(with_times_in_order(more, now)),
                Err(error) => listed = Err(error),
            }
        }
        archives.retain(|archive| gone.iter().all(|removal| removal.path != archive.path));
        archives.sort_by_key(|archive| archive.modified);
        bytes += archives.iter().map(|archive| archive.bytes).sum::<u64>();
        (oldest_beyond(&archives, bytes.saturating_sub(self.bytes), Reason::Budget), listed)
    }
}

impl Retention {
    /// Returns the archives of `family` to remove.
    pub(super) fn plan(&self, family: &Family, now: Timestamp) -> Result<Vec<Removal>, Error> {
        let archives = with_times_in_order(family.archives()?, now);
        let mut removals = self.beyond_count(&archives);
        let rest = |removals: &[Removal]| -> Vec<Archive> {
            archives
                .iter()
                .filter(|archive| removals.iter().all(|removal| removal.path != archive.path))
                .cloned()
                .collect()
        };
        if let Some(age) = self.age {
            let is_old = |archive: &Archive| now.since(archive.modified) > age;
            let old = rest(&removals).into_iter().filter(is_old);
            removals.extend(old.map(|archive| removal(&archive, Reason::Age)).collect::<Vec<_>>());
        }
        if let Some(total) = self.total {
            let rest = rest(&removals);
            let bytes = in_use(family) + rest.iter().map(|archive| archive.bytes).sum::<u64>();
            removals.extend(oldest_beyond(&rest, bytes.saturating_sub(total), Reason::Total));
        }
        if let Some(floor) = self.free {
            let gained: u64 = removals.iter().map(|removal| removal.bytes).sum();
            let missing = floor.saturating_sub(free_space(family.directory())?.saturating_add(gained));
            removals.extend(oldest_beyond(&rest(&removals), missing, Reason::Free));
        }
        if let Some(budget) = &self.budget {
            removals.extend(budget.plan(&removals, now)?);
        }
        Ok(removals)
    }

    fn beyond_count(&self, archives: &[Archive]) -> Vec<Removal> {
        let marks: BTreeSet<_> = archives.iter().map(|archive| archive.mark).collect();
        let mut beyond = marks.len().saturating_sub(self.count);
        let mut last = None;
        let is_beyond = |archive: &&Archive| {
            if last != Some(archive.mark) {
                if beyond == 0 {
                    return false;
                }
                beyond -= 1;
                last = Some(archive.mark);
            }
            true
        };
        archives.iter().take_while(is_beyond).map(|archive| removal(archive, Reason::Count)).collect()
    }

    /// Whether more than the count is limited, which the rotation itself enforces.
    pub(super) fn limits_more_than_count(&self) -> bool {
        self.age.is_some() || self.total.is_some() || self.free.is_some() || self.budget.is_some()
    }
}

/// Removes as many as possible, and returns the last error.
pub(super) fn carry_out(removals: &[Removal]) -> Result<(), Error> {
    let mut result = Ok(());
    for removal in removals {
        if let Err(error) = remove(&removal.path) {
            result = Err(error);
        }
    }
    result
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Age => "age",
            Self::Total => "total bytes",
            Self::Free => "free space",
            Self::Budget => "budget",
        })
    }
}

fn removal(archive: &Archive, reason: Reason) -> Removal {
    Removal { path: archive.path.clone(), bytes: archive.bytes, reason }
}

/// Corrects times that were taken from a wrong clock: no archive was written to later than now, or before an older one.
fn with_times_in_order(mut archives: Vec<Archive>, now: Timestamp) -> Vec<Archive> {
    let mut newer = now;
    for archive in archives.iter_mut().rev() {
        if archive.modified > now {
            archive.modified = newer;
        }
        newer = archive.modified;
    }
    let mut older = Timestamp::EPOCH;
    for archive in &mut archives {
        archive.modified = archive.modified.max(older);
        older = archive.modified;
    }
    archives
}

/// As many of the first `archives` as are needed to remove `excess` bytes.
fn oldest_beyond(archives: &[Archive], mut excess: u64, reason: Reason) -> Vec<Removal> {
    let mut removals = Vec::new();
    for archive in archives {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(archive.bytes);
        removals.push(removal(archive, reason));
    }
    removals
}

fn in_use(family: &Family) -> u64 {
    fs::metadata(family.path()).map_or(0, |metadata| metadata.len())
}

/// How many bytes an unprivileged process can still write to the file system of `directory`.
#[cfg(unix)]
fn free_space(directory: &Path) -> Result<u64, Error> {
    use std::os::unix::ffi::OsStrExt as _;

    let cannot = |error| Error::io(format!("cannot determine the free space of {}", directory.display()), error);
    let path = std::ffi::CString::new(directory.as_os_str().as_bytes()).map_err(|error| cannot(error.into()))?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a NUL, and `found` is read only after a success, when it is initialized.
    let found = unsafe {
        if libc::statvfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return Err(cannot(std::io::Error::last_os_error()));
        }
        found.assume_init()
    };
    #[expect(clippy::useless_conversion, reason = "these types differ between platforms")]
    Ok(u64::from(found.f_bavail).saturating_mul(u64::from(found.f_frsize)))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Result<u64, Error> {
    // Unknown: no file is removed for a limit that cannot be checked.
    Ok(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::rotation::Naming;

    fn retention() -> Retention {
        Retention { count: usize::MAX, age: None, total: None, free: None, budget: None }
    }

    /// Creates `app.log` and archives of these sizes: `app.log.1` is the newest, each next one an hour older.
    fn family(dir: &Path, name: &str, sizes: &[usize]) -> Family {
        let path = dir.join(name);
        fs::write(&path, [0; 10]).unwrap();
        for (place, size) in sizes.iter().enumerate() {
            let old = dir.join(format!("{name}.{}", place + 1));
            fs::write(&old, vec![0; *size]).unwrap();
            let hours = std::time::SystemTime::UNIX_EPOCH + NOW - HOUR * (place as u32 + 1);
            fs::File::options().write(true).open(old).unwrap().set_modified(hours).unwrap();
        }
        Family::new(&path, Naming::numbered(), usize::MAX)
    }

    fn plan(retention: &Retention, family: &Family) -> Vec<(String, Reason)> {
        let now = Timestamp::new(NOW.as_secs() as i64, 0);
        let name =
            |removal: Removal| (removal.path.file_name().unwrap().to_string_lossy().into_owned(), removal.reason);
        retention.plan(family, now).unwrap().into_iter().map(name).collect()
    }

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn each_limit_removes_the_oldest_and_none_removes_a_file_twice() {
        let dir = tempfile::tempdir().unwrap();
        let family = family(dir.path(), "app.log", &[100, 100, 100, 100, 100]);
        assert_eq!(plan(&retention(), &family), []);
        let count = Retention { count: 4, ..retention() };
        assert_eq!(plan(&count, &family), [("app.log.5".into(), Reason::Count)]);
        let age = Retention { age: Some(HOUR * 4), ..count };
        assert_eq!(plan(&age, &family), [("app.log.5".into(), Reason::Count)], "exactly as old as allowed");
        let age = Retention { age: Some(HOUR * 4 - Duration::from_secs(1)), ..age };
        let total = Retention { total: Some(310), ..age.clone() };
        let expected = vec![("app.log.5".to_owned(), Reason::Count), ("app.log.4".to_owned(), Reason::Age)];
        assert_eq!(plan(&total, &family), expected);
        let total = Retention { total: Some(309), ..age };
        assert_eq!(plan(&total, &family), [&expected[..], &[("app.log.3".to_owned(), Reason::Total)]].concat());
    }

    #[test]
    fn the_file_in_use_counts_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let family = family(dir.path(), "app.log", &[1]);
        let none = Retention { total: Some(0), ..retention() };
        assert_eq!(plan(&none, &family), [("app.log.1".into(), Reason::Total)]);
    }

    #[test]
    fn free_space_that_cannot_be_reached_removes_all_archives_and_one_that_is_reached_none() {
        let dir = tempfile::tempdir().unwrap();
        let family = family(dir.path(), "app.log", &[1, 1]);
        assert_eq!(plan(&Retention { free: Some(1), ..retention() }, &family), []);
        assert_eq!(plan(&Retention { free: Some(u64::MAX), ..retention() }, &family).len(), 2);
    }

    #[test]
    fn a_budget_removes_the_oldest_of_all_its_families() {
        let dir = tempfile::tempdir().unwrap();
        let budget = Budget::new(220);
        let one = family(dir.path(), "one.log", &[100, 100]);
        let two = family(dir.path(), "two.log", &[50, 50, 50]);
        [&two, &one, &two].into_iter().for_each(|family| budget.join(family, &Arc::new(Lock::new())));
        // 20 bytes are in use.
        let retention = Retention { budget: Some(budget), ..retention() };
        let expected = ["two.log.3", "one.log.2"].map(|name| (name.to_owned(), Reason::Budget));
        assert_eq!(plan(&retention, &two), expected);
    }

    #[test]
    fn times_of_a_wrong_clock_do_not_change_the_order() {
        let dir = tempfile::tempdir().unwrap();
        let family = family(dir.path(), "app.log", &[1, 1, 1, 1, 1]);
        let set = |number: u32, seconds| {
            let file = fs::File::options().write(true).open(dir.path().join(format!("app.log.{number}"))).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        set(2, 100);
        set(4, 2 * NOW.as_secs());
        let times = with_times_in_order(family.archives().unwrap(), Timestamp::new(NOW.as_secs() as i64, 0));
        let hours: Vec<_> =
            times.iter().map(|archive| (NOW.as_secs() as i64 - archive.modified.seconds()) / 3_600).collect();
        assert_eq!(hours, [5, 3, 3, 3, 1]);
        let age = Retention { age: Some(HOUR * 2), ..retention() };
        assert_eq!(plan(&age, &family).len(), 4);
    }

    #[test]
    fn directories_links_and_files_with_similar_names_are_never_removed() {
        let dir = tempfile::tempdir().unwrap();
        let family = family(dir.path(), "app.log", &[]);
        fs::create_dir(dir.path().join("app.log.1")).unwrap();
        for name in ["app.log.bak", "app.log.1.old", "app.log.01", "app.log.1.tar.gz", "app.log.gz", "app.log2.1"] {
            fs::write(dir.path().join(name), "theirs").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("app.log.bak", dir.path().join("app.log.2")).unwrap();
        assert_eq!(plan(&Retention { count: 0, total: Some(0), free: Some(u64::MAX), ..retention() }, &family), []);
    }
}
