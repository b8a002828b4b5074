//! The lock of a file that only one process may write to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Identity;
use super::descriptor::Descriptor;
use super::ownership::{Ownership, lock_path, open_lock, target};
use crate::process::{Generation, NotInherited};

/// Holds the lock of a log until it is dropped or the process ends: `flock(2)` of a file beside the log, which only those may open
/// who may write to the log. The log itself would not do: its readers could lock it. If the path is a symbolic link, the file that it
/// leads to is locked too, since another process may know it by that name.
///
/// A forked child does not inherit it, so that a child that lives on does not keep the log locked when this process has ended.
#[derive(Debug)]
pub(crate) struct Exclusive {
    locks: Arc<NotInherited<Vec<Locked>>>,
    process: Generation,
}

impl Exclusive {
    /// Holds nothing yet.
    pub(crate) fn new() -> Self {
        Self { locks: NotInherited::empty(), process: Generation::current() }
    }

    /// Locks the log at `log`, or makes sure that it is still locked: where the path leads may have changed, and the lock file may have
    /// been removed. Returns `false` if another process has locked it; succeeds if the file system has no locks.
    ///
    /// `is_live` says that the path is a link that rotation makes: it leads to another file after each.
    pub(crate) fn acquire(&self, log: &Path, ownership: &Ownership, is_live: bool) -> io::Result<bool> {
        let mut logs = vec![log.to_owned()];
        if !is_live && log.read_link().is_ok() {
            logs.push(target(log));
        }
        let mut locks = self.locks.lock().take().unwrap_or_default();
        let missing: Vec<_> = logs.iter().filter(|log| !locks.iter().any(|lock| lock.holds(log))).collect();
        let added = missing.into_iter().map(|log| lock(log, ownership)).collect::<io::Result<Option<Vec<_>>>>();
        let is_locked = matches!(added, Ok(Some(_)));
        if let Ok(Some(added)) = &added
            && !added.is_empty()
        {
            // What the log was called before is free, now that its new name is locked.
            locks.retain(|lock| logs.iter().any(|log| lock.holds(log)));
        }
        let added = added.map(|added| locks.extend(added.into_iter().flatten()));
        *self.locks.lock() = Some(locks);
        added.map(|()| is_locked)
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        let locks = self.locks.lock().take();
        // A child that `clone(2)` made has a copy of the descriptor, which would keep the lock.
        if self.process.is_current() {
            locks.into_iter().flatten().filter(|lock| lock.file.is_ours()).for_each(|lock| {
                let _ = lock.file.file().unlock();
            });
        }
    }
}

/// A locked file.
#[derive(Debug)]
struct Locked {
    /// The log that it stands for.
    log: PathBuf,
    path: PathBuf,
    file: Descriptor,
}

impl Locked {
    /// Whether it keeps other processes from writing to `log`.
    fn holds(&self, log: &Path) -> bool {
        self.log == log && self.file.is_ours() && !is_elsewhere(self.file.file(), &self.path)
    }
}

/// Returns `None` if another process has locked it.
fn lock(log: &Path, ownership: &Ownership) -> io::Result<Option<Locked>> {
    loop {
        let (file, path) = open(log, ownership)?;
        let file = Descriptor::new(file)?.0;
        match file.file().try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // It was removed meanwhile: another process may have locked a new one.
            Ok(()) if is_elsewhere(file.file(), &path) => {}
            _ => return Ok(Some(Locked { log: log.to_owned(), path, file })),
        }
    }
}

/// Opens the lock file. In a directory in which this process may not create one, the log takes its place.
fn open(log: &Path, ownership: &Ownership) -> io::Result<(File, PathBuf)> {
    let path = lock_path(log);
    match open_lock(&path, log, ownership) {
        Err(error) if may_not_create(&error) && path.symlink_metadata().is_err() => {
            OpenOptions::new().append(true).open(log).map(|file| (file, log.to_owned()))
        }
        opened => opened.map(|file| (file, path)),
    }
}

fn may_not_create(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn is_elsewhere(file: &File, path: &Path) -> bool {
    let identity = |metadata: io::Result<std::fs::Metadata>| metadata.as_ref().map(Identity::of).ok();
    identity(file.metadata()) != identity(path.metadata())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn acquired(exclusive: &Exclusive, log: &Path) -> bool {
        exclusive.acquire(log, &Ownership::default(), false).expect("the directory is writable")
    }

    #[test]
    fn it_is_held_once_under_all_names_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (log, link) = (dir.path().join("app.log"), dir.path().join("link"));
        fs::write(&log, "").unwrap();
        std::os::unix::fs::symlink("app.log", &link).unwrap();
        let (one, two) = (Exclusive::new(), Exclusive::new());
        assert!(acquired(&one, &log) && acquired(&one, &log));
        assert!(!acquired(&two, &log) && !acquired(&two, &link));
        drop(one);
        assert!(acquired(&two, &link) && !acquired(&Exclusive::new(), &log));
    }

    #[test]
    fn it_is_held_when_the_link_is_renamed_the_directory_moved_or_the_lock_file_removed() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let log = logs.join("app.log");
        fs::write(logs.join("elsewhere"), "").unwrap();
        std::os::unix::fs::symlink("elsewhere", &log).unwrap();
        let one = Exclusive::new();
        let is_mine_alone = || acquired(&one, &log) && !acquired(&Exclusive::new(), &log);
        assert!(is_mine_alone());
        fs::rename(&log, logs.join("app.log.1")).unwrap();
        assert!(!acquired(&Exclusive::new(), &log), "the path is locked, whatever is there");
        fs::write(&log, "").unwrap();
        assert!(is_mine_alone());
        fs::remove_file(logs.join(".app.log.lock")).unwrap();
        assert!(is_mine_alone());
        fs::rename(&logs, dir.path().join("moved")).unwrap();
        fs::create_dir(&logs).unwrap();
        fs::write(&log, "").unwrap();
        assert!(is_mine_alone());
    }

    #[test]
    fn a_live_link_has_one_lock_wherever_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app.log");
        let one = Exclusive::new();
        for name in ["app.log.1", "app.log.2"] {
            fs::write(dir.path().join(name), "").unwrap();
            let _ = fs::remove_file(&log);
            std::os::unix::fs::symlink(name, &log).unwrap();
            assert!(!acquired_live(&Exclusive::new(), &log) || name == "app.log.1");
            assert!(acquired_live(&one, &log) && !acquired_live(&Exclusive::new(), &log));
        }
        assert!(!dir.path().join(".app.log.1.lock").exists() && !dir.path().join(".app.log.2.lock").exists());
    }

    fn acquired_live(exclusive: &Exclusive, log: &Path) -> bool {
        exclusive.acquire(log, &Ownership::default(), true).expect("the directory is writable")
    }

    #[test]
    fn a_reader_that_locks_the_log_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app.log");
        fs::write(&log, "").unwrap();
        fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
        let reader = fs::File::open(&log).unwrap();
        reader.try_lock().unwrap();
        assert!(acquired(&Exclusive::new(), &log));
        let mode = dir.path().join(".app.log.lock").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "that reader cannot open it");
    }

    #[test]
    fn a_forked_child_that_lives_on_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app.log");
        fs::write(&log, "").unwrap();
        let (until, writer) = io::pipe().unwrap();
        let (mut ready, has_forked) = io::pipe().unwrap();
        // Installs the fork handlers.
        Generation::current();
        // A process takes the lock, forks, and ends; its child lives on until the pipe is closed.
        // SAFETY: fork handlers keep the locks of this crate usable in the children, which leave by `_exit`.
        let parent = unsafe { libc::fork() };
        assert!(parent >= 0);
        if parent == 0 {
            let exclusive = Exclusive::new();
            let is_held = acquired(&exclusive, &log);
            // SAFETY: as above.
            if unsafe { libc::fork() } == 0 {
                drop(writer);
                let _ = io::Write::write(&mut &has_forked, b"x");
                let _ = io::Read::read(&mut &until, &mut [0]);
            }
            // SAFETY: as above.
            unsafe { libc::_exit(if is_held { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: waits for the child made above, and writes to a local.
        assert_eq!(unsafe { libc::waitpid(parent, &raw mut status, 0) }, parent);
        assert_eq!(status, 0);
        io::Read::read_exact(&mut ready, &mut [0]).unwrap();
        assert!(acquired(&Exclusive::new(), &log), "the child keeps the log locked");
        drop(writer);
    }
}
