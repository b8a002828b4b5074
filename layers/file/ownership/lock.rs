//! Lock files, and who may open them.
//!
//! `flock(2)` needs no more than a descriptor: a user who may read a lock file could keep it locked. Therefore only those may open it
//! who may also write to the log.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Ownership;

/// The name of the lock file of the log at `log`.
pub(crate) fn lock_path(log: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(log.file_name().unwrap_or_default());
    name.push(".lock");
    log.with_file_name(name)
}

/// Opens the lock file `path` of the log at `log`, and creates it if necessary.
///
/// # Errors
///
/// `PermissionDenied` also if it belongs to a stranger, in a directory where anyone can create files: they could keep it locked.
pub(crate) fn open_lock(path: &Path, log: &Path, ownership: &Ownership) -> io::Result<File> {
    match system::open(path, log, ownership) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match system::make(path, log, ownership) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => system::open(path, log, ownership),
        made => made,
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    use super::super::{Ownership, links, unix};

    pub(super) fn open(path: &Path, log: &Path, ownership: &Ownership) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
        let metadata = file.metadata()?;
        if let Some(parent) = path.parent().and_then(|parent| parent.metadata().ok()) {
            let log = log.metadata().map_or(0, |log| log.uid());
            let known = [links::user(), 0, parent.uid(), log, ownership.owner_id().unwrap_or(0)];
            if parent.mode() & 0o002 != 0 && !known.contains(&metadata.uid()) {
                let message = format!("it belongs to user {}, who could keep it locked", metadata.uid());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
            }
        }
        // Another file that a stranger has linked here keeps its permissions.
        if metadata.is_file() && metadata.nlink() == 1 {
            close_to_readers(&file, &metadata);
        }
        Ok(file)
    }

    /// Earlier versions created it with the permissions of the log. Only its owner can change that.
    fn close_to_readers(file: &File, metadata: &Metadata) {
        let mode = metadata.mode() & 0o7777;
        if mode != of_writers(mode) {
            let _ = file.set_permissions(Permissions::from_mode(of_writers(mode)));
        }
    }

    pub(super) fn make(path: &Path, log: &Path, ownership: &Ownership) -> io::Result<File> {
        let log = log.metadata().ok();
        let mode = ownership.mode.or(log.as_ref().map(Metadata::mode)).map(of_writers);
        let ownership = Ownership { mode, ..ownership.clone() };
        match log {
            Some(log) => make_like(path, &ownership, &log),
            None if mode.is_some() => unix::make_file(path, &ownership),
            None => {
                // The umask decides who may write to the log. Readers never have access, not even for a moment.
                let file = unix::create(path, 0o622, &ownership)?;
                file.set_permissions(Permissions::from_mode(of_writers(file.metadata()?.mode())))?;
                Ok(file)
            }
        }
    }

    fn make_like(path: &Path, ownership: &Ownership, log: &Metadata) -> io::Result<File> {
        let file = unix::make_successor(path, ownership, log)?;
        let metadata = file.metadata()?;
        if ownership.group_id().is_none() && metadata.gid() != log.gid() {
            // The permissions of the log's group are not meant for the group of this process.
            file.set_permissions(Permissions::from_mode(metadata.mode() & 0o606))?;
        }
        Ok(file)
    }

    /// Reading and writing for those whom `mode` allows to write.
    fn of_writers(mode: u32) -> u32 {
        let write = mode & 0o222;
        write | write << 1
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::Ownership;

    pub(super) fn open(path: &Path, _: &Path, _: &Ownership) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    pub(super) fn make(path: &Path, _: &Path, ownership: &Ownership) -> io::Result<File> {
        ownership.make_file(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::path::PathBuf;

    use super::super::tests::Nobody;
    use super::*;
    use crate::skip::needs;

    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        /// Anyone may look into it.
        fn new(mode: u32) -> Self {
            let directory = tempfile::tempdir().expect("there is room");
            fs::set_permissions(directory.path(), Permissions::from_mode(mode)).expect("it is ours");
            Self { directory }
        }

        fn log(&self) -> PathBuf {
            self.directory.path().join("app.log")
        }

        fn lock(&self) -> PathBuf {
            self.directory.path().join(".app.log.lock")
        }

        fn with_log(self, mode: u32) -> Self {
            fs::write(self.log(), "").expect("there is room");
            fs::set_permissions(self.log(), Permissions::from_mode(mode)).expect("it is ours");
            self
        }

        fn open(&self, ownership: &Ownership) -> io::Result<u32> {
            let opened = open_lock(&self.lock(), &self.log(), ownership)?;
            Ok(opened.metadata()?.mode() & 0o7777)
        }
    }

    #[test]
    fn only_those_who_may_write_the_log_may_open_its_lock() {
        for (log, lock) in
            [(0o644, 0o600), (0o640, 0o600), (0o600, 0o600), (0o664, 0o660), (0o660, 0o660), (0o666, 0o666)]
        {
            assert_eq!(Place::new(0o755).with_log(log).open(&Ownership::default()).unwrap(), lock, "{log:o}");
            let set = Ownership { mode: Some(log), ..Ownership::default() };
            assert_eq!(Place::new(0o755).open(&set).unwrap(), lock, "{log:o}");
        }
        // As a log would be created now.
        let place = Place::new(0o755);
        let lock = place.open(&Ownership::default()).unwrap();
        drop(Ownership::default().make_file(&place.log()).unwrap());
        let log = place.log().metadata().unwrap().mode();
        assert_eq!((lock & 0o222, lock >> 1 & 0o222), (log & 0o222, log & 0o222), "{lock:o} for {log:o}");
    }

    #[test]
    fn a_reader_of_the_log_cannot_open_its_lock() {
        let place = Place::new(0o755).with_log(0o644);
        place.open(&Ownership::default()).unwrap();
        let _nobody = needs!(Nobody::unless_already_without_rights());
        // The log belongs to root, or to the user of this process: then they may write to it.
        if place.log().metadata().unwrap().uid() == 0 {
            fs::File::open(place.log()).unwrap();
            assert_eq!(fs::File::open(place.lock()).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
    }

    #[test]
    fn a_lock_of_an_earlier_version_is_closed_to_readers() {
        let place = Place::new(0o755).with_log(0o644);
        for (before, after) in [(0o644, 0o600), (0o664, 0o660), (0o666, 0o666), (0o600, 0o600)] {
            fs::write(place.lock(), "").unwrap();
            fs::set_permissions(place.lock(), Permissions::from_mode(before)).unwrap();
            assert_eq!(place.open(&Ownership::default()).unwrap(), after);
        }
    }

    #[test]
    fn another_file_that_was_linked_there_keeps_its_permissions() {
        let place = Place::new(0o755).with_log(0o644);
        let other = place.directory.path().join("other");
        fs::write(&other, "").unwrap();
        fs::set_permissions(&other, Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&other, place.lock()).unwrap();
        place.open(&Ownership::default()).unwrap();
        assert_eq!(other.metadata().unwrap().mode() & 0o7777, 0o644);
    }

    #[test]
    fn a_lock_that_a_stranger_left_in_a_public_directory_is_refused() {
        let place = Place::new(0o1777).with_log(0o644);
        fs::write(place.lock(), "").unwrap();
        needs!(chown(place.lock(), Some(65_534), None).map_err(|_| "only root may give files away"));
        let error = place.open(&Ownership::default()).unwrap_err();
        assert_eq!(error.to_string(), "it belongs to user 65534, who could keep it locked");
        // It is a stranger's only if the log is not theirs too.
        chown(place.log(), Some(65_534), None).unwrap();
        place.open(&Ownership::default()).unwrap();
    }

    #[test]
    fn the_group_of_the_log_may_open_its_lock() {
        let place = Place::new(0o755).with_log(0o664);
        needs!(chown(place.log(), Some(65_534), Some(65_533)).map_err(|_| "only root may give files away"));
        assert_eq!(place.open(&Ownership::default()).unwrap(), 0o660);
        let lock = place.lock().metadata().unwrap();
        assert_eq!((lock.uid(), lock.gid()), (65_534, 65_533));
    }
}
