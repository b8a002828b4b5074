use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::file::Identity;
use crate::file::descriptor::Descriptor;
use crate::file::ownership::{Ownership, lock_path, open_lock};
use crate::process::{self, Generation, Phase, Resource};
use crate::sync::{Mutex, MutexGuard, OwnedGuard, lock, lock_until};
use crate::{Error, ErrorKind};

/// The lock of a family. Its holder may rename and remove the family's files and, if processes share them, write to the one in use.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Between the threads of this process.
    mutex: Mutex<()>,
    /// Whether forks wait for it.
    is_registered: AtomicBool,
    /// Between processes: `flock(2)` of a file beside the log, which the system releases when its holder dies. Locked briefly, by
    /// those who have locked the log or `mutex`: forks wait for these.
    shared: Mutex<Option<Arc<LockFile>>>,
}

#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    /// The log that it protects.
    log: PathBuf,
    ownership: Ownership,
    /// With the process that opened it: a forked child inherits its parent's descriptor, and with it the lock.
    file: Mutex<Option<(Generation, Arc<Descriptor>)>>,
}

/// Holds the lock until it is dropped.
pub(crate) struct Held<'a> {
    /// The locked file, and when it was locked.
    file: Option<(Arc<Descriptor>, Instant)>,
    _mutex: MutexGuard<'a, ()>,
}

impl Lock {
    /// A lock between the threads of this process only.
    pub(crate) fn new() -> Self {
        Self { mutex: Mutex::default(), is_registered: AtomicBool::new(false), shared: Mutex::default() }
    }

    /// Makes it a lock between processes too, for the log at `path`. `ownership` is that of the log.
    pub(crate) fn share(&self, path: &Path, ownership: &Ownership) {
        let (path, log) = (lock_path(path), path.to_owned());
        let file = LockFile { path, log, ownership: ownership.clone(), file: Mutex::default() };
        *lock(&self.shared) = Some(Arc::new(file));
    }

    /// Makes it a lock between threads again. Those who hold it keep it.
    pub(crate) fn unshare(&self) {
        *lock(&self.shared) = None;
    }

    pub(crate) fn is_shared(&self) -> bool {
        lock(&self.shared).is_some()
    }

    /// Makes a fork wait for the lock, so that the child finds it free. For logs with work on a background thread.
    pub(crate) fn hold_at_forks(self: &Arc<Self>) {
        process::register_once(self, &self.is_registered);
    }

    /// Acquires the lock, waiting up to [`PATIENCE`]: its holder may have been stopped.
    pub(crate) fn hold(&self) -> Result<Held<'_>, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mutex = lock_until(&self.mutex, deadline)
            .ok_or_else(|| Error::new(ErrorKind::Timeout, "cannot rotate: another thread holds the lock"))?;
        let shared = lock(&self.shared).clone();
        let file = shared.map(|shared| shared.hold(deadline)).transpose()?;
        let file = file.map(|file| (file, Instant::now()));
        Ok(Held { file, _mutex: mutex })
    }
}

impl Resource for Lock {
    fn phase(&self) -> Phase {
        Phase::Families
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn process::Held>> {
        Some(Box::new(AroundFork { _mutex: OwnedGuard::lock_until(&self, |lock| &lock.mutex, deadline)? }))
    }

    /// In the child, waiting for it fails in time.
    fn abandon(&self) {}
}

/// Held while the process forks.
struct AroundFork {
    _mutex: OwnedGuard<Lock, ()>,
}

impl process::Held for AroundFork {
    fn forget_pending(&mut self) {}
}

impl LockFile {
    fn hold(&self, deadline: Instant) -> Result<Arc<Descriptor>, Error> {
        let cannot = |error| Error::io(format!("cannot lock {}", self.path.display()), error);
        let mut pause = Duration::from_micros(20);
        loop {
            let file = self.open().map_err(cannot)?;
            match file.file().try_lock() {
                // The lock file was removed, or moved away with its directory: other processes will create and lock a new one.
                Ok(()) if is_elsewhere(file.file(), &self.path) => {
                    let _ = file.file().unlock();
                    *lock(&self.file) = None;
                }
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONG / 2);
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!("cannot lock {}: another process holds it", self.path.display());
                    return Err(Error::new(ErrorKind::Timeout, message));
                }
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
        }
    }

    fn open(&self) -> io::Result<Arc<Descriptor>> {
        let mut file = lock(&self.file);
        if let Some((owner, file)) = &*file
            && owner.is_current()
            && file.is_ours()
        {
            return Ok(file.clone());
        }
        // Before another one may get its number.
        *file = None;
        let opened = Arc::new(Descriptor::new(open_lock(&self.path, &self.log, &self.ownership)?)?.0);
        Ok(file.insert((Generation::current(), opened)).1.clone())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Some((file, since)) = &self.file else { return };
        // Unlocking an open descriptor cannot fail, and closing it would release the lock too.
        if file.is_ours() {
            let _ = file.file().unlock();
        }
        if since.elapsed() >= LONG {
            // The others poll between sleeps, and would find the lock taken again by this thread.
            std::thread::sleep(LONG);
        }
    }
}

#[cfg(unix)]
fn is_elsewhere(file: &fs::File, path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(there) => file.metadata().is_ok_and(|ours| Identity::of(&ours) != Identity::of(&there)),
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

#[cfg(not(unix))]
fn is_elsewhere(_: &fs::File, _: &Path) -> bool {
    false
}

const PATIENCE: Duration = Duration::from_secs(5);
/// A holder that kept the lock this long, to rename many files for example, pauses afterward to let others have it.
const LONG: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(path: &Path) -> Lock {
        let lock = Lock::new();
        lock.share(path, &Ownership::default());
        lock
    }

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn one_descriptor_waits_for_the_lock_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let (one, other) = (shared(&path), shared(&path));
        let held = one.hold().unwrap();
        let waits = std::thread::spawn(move || other.hold().map(drop).is_ok());
        assert!(!waits.is_finished());
        drop(held);
        assert!(waits.join().unwrap());
        assert_eq!(names(dir.path()), [".app.log.lock"]);
    }

    #[test]
    fn a_lock_that_processes_share_from_now_on_is_still_the_same_between_threads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let lock = Arc::new(Lock::new());
        let held = Lock::hold(&lock).unwrap();
        lock.share(&path, &Ownership::default());
        let other = lock.clone();
        let waits = std::thread::spawn(move || Lock::hold(&other).map(drop).is_ok());
        assert!(!waits.is_finished() && names(dir.path()).is_empty());
        drop(held);
        assert!(waits.join().unwrap());
        assert_eq!(names(dir.path()), [".app.log.lock"]);
    }

    #[cfg(unix)]
    #[test]
    fn after_its_directory_was_moved_away_a_lock_is_created_again_in_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let path = logs.join("app.log");
        let lock = shared(&path);
        drop(lock.hold().unwrap());
        fs::rename(&logs, dir.path().join("old")).unwrap();
        let error = lock.hold().map(drop).unwrap_err();
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::NotFound));
        fs::create_dir(&logs).unwrap();
        drop(lock.hold().unwrap());
        assert_eq!(names(&logs), [".app.log.lock"]);
    }

    #[test]
    fn a_removed_lock_file_is_created_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let lock = shared(&path);
        drop(lock.hold().unwrap());
        fs::remove_file(dir.path().join(".app.log.lock")).unwrap();
        drop(lock.hold().unwrap());
        assert_eq!(names(dir.path()), [".app.log.lock"]);
    }
}
