//! The owner and permissions of files created here, and which existing files are not written to.
//!
//! Files are created with `O_EXCL` and `O_NOFOLLOW`, and get their owner and permissions through the descriptor, so that no other
//! file can be affected. Existing files are checked through their descriptors too.

mod account;
mod links;
mod lock;

pub use account::Account;

pub(crate) use links::{open, open_following, permitted_target, target};
pub(crate) use lock::{lock_path, open_lock};

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use crate::Error;

/// The owner and permissions of new files and directories. Permissions are passed when the file is created, so that it is never
/// accessible to more users than intended, and set again afterward, because the umask removes bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ownership {
    pub(crate) mode: Option<u32>,
    pub(crate) dir_mode: Option<u32>,
    pub(crate) owner: Option<Account>,
    pub(crate) group: Option<Account>,
}

impl Ownership {
    /// Looks up the account names once: the account database may be slow or unavailable when a file rotates.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if there is no such account.
    pub(crate) fn resolve(&mut self) -> Result<(), Error> {
        self.owner.as_mut().map_or(Ok(()), Account::resolve_user)?;
        self.group.as_mut().map_or(Ok(()), Account::resolve_group)
    }

    /// Creates `path` for appending. Fails with `AlreadyExists` if anything exists there, even a dangling link. If the owner or the
    /// permissions cannot be set, the file is removed again.
    pub(crate) fn make_file(&self, path: &Path) -> io::Result<File> {
        system::make_file(path, self)
    }

    /// Like [`make_file`](Self::make_file), for the successor of a file with these permissions and this owner: it gets them where nothing
    /// else is set, and where this process may set them.
    pub(crate) fn make_successor(&self, path: &Path, before: &Metadata) -> io::Result<File> {
        system::make_successor(path, self, before)
    }

    /// Creates the directory `path`; otherwise like [`make_file`](Self::make_file).
    pub(crate) fn make_dir(&self, path: &Path) -> io::Result<()> {
        system::make_dir(path, self)
    }

    /// The number of the owner, after [`resolve`](Self::resolve).
    pub(crate) fn owner_id(&self) -> Option<u32> {
        self.owner.as_ref().and_then(Account::id)
    }

    #[cfg(unix)]
    fn group_id(&self) -> Option<u32> {
        self.group.as_ref().and_then(Account::id)
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
    use std::path::Path;

    use super::Ownership;

    pub(super) fn make_file(path: &Path, ownership: &Ownership) -> io::Result<File> {
        create(path, ownership.mode.unwrap_or(0o666), ownership)
    }

    /// Creates `path` with `mode`, of which the umask removes bits unless a mode is set.
    pub(super) fn create(path: &Path, mode: u32, ownership: &Ownership) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(mode).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path)?;
        match set_owner_and_mode(&file, ownership, ownership.mode) {
            Ok(()) => Ok(file),
            Err(error) => {
                // The next attempt would accept it as it is.
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    pub(super) fn make_successor(path: &Path, ownership: &Ownership, before: &Metadata) -> io::Result<File> {
        let mode = before.mode() & 0o7777;
        let like = Ownership { mode: ownership.mode.or(Some(mode)), ..ownership.clone() };
        let file = make_file(path, &like)?;
        // Each for itself: this process may be allowed to set the group only. Without that, the file is accessible to fewer.
        let owner = ownership.owner.is_none().then_some(before.uid());
        let group = ownership.group.is_none().then_some(before.gid());
        let changed = [fchown(&file, None, group), fchown(&file, owner, None)];
        if changed.iter().any(Result::is_ok) {
            // Changing the owner clears some mode bits.
            let _ = file.set_permissions(Permissions::from_mode(like.mode.unwrap_or(mode)));
        }
        Ok(file)
    }

    pub(super) fn make_dir(path: &Path, ownership: &Ownership) -> io::Result<()> {
        let mode = ownership.dir_mode;
        // If a mode is set, no other user has access before that, and this process can open the directory.
        DirBuilder::new().mode(if mode.is_some() { 0o700 } else { 0o777 }).create(path)?;
        if mode.is_none() && ownership.owner.is_none() && ownership.group.is_none() {
            return Ok(());
        }
        let set = open_dir(path).and_then(|dir| set_owner_and_mode(&dir, ownership, mode));
        set.inspect_err(|_| drop(fs::remove_dir(path)))
    }

    /// Opens the directory that was just created, and not another one that was put in its place.
    fn open_dir(path: &Path) -> io::Result<File> {
        let dir = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)?;
        match dir.metadata()?.uid() == super::links::user() {
            true => Ok(dir),
            false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the directory was replaced by another user")),
        }
    }

    /// Sets the owner, then the mode: changing the owner clears some mode bits.
    fn set_owner_and_mode(file: &File, ownership: &Ownership, mode: Option<u32>) -> io::Result<()> {
        let (owner, group) = (ownership.owner_id(), ownership.group_id());
        if owner.is_some() || group.is_some() {
            fchown(file, owner, group).map_err(|error| cannot_set_owner(ownership, &error))?;
        }
        mode.map_or(Ok(()), |mode| file.set_permissions(Permissions::from_mode(mode)))
    }

    fn cannot_set_owner(ownership: &Ownership, error: &io::Error) -> io::Error {
        let owner = ownership.owner_id().map(|id| format!("user {id}"));
        let group = ownership.group_id().map(|id| format!("group {id}"));
        let whom: Vec<_> = owner.into_iter().chain(group).collect();
        io::Error::new(error.kind(), format!("cannot set its owner to {}: {error}", whom.join(", ")))
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{self, File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::Ownership;

    pub(super) fn make_file(path: &Path, _: &Ownership) -> io::Result<File> {
        OpenOptions::new().append(true).create_new(true).open(path)
    }

    pub(super) fn make_successor(path: &Path, ownership: &Ownership, _: &Metadata) -> io::Result<File> {
        make_file(path, ownership)
    }

    pub(super) fn make_dir(path: &Path, _: &Ownership) -> io::Result<()> {
        fs::create_dir(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;
    use crate::skip::needs;

    #[test]
    fn created_files_are_new_and_follow_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        symlink(&target, &link).unwrap();
        let error = Ownership::default().make_file(&link).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(!target.exists());
        Ownership::default().make_file(&target).unwrap();
        assert_eq!(Ownership::default().make_file(&target).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn modes_are_exact_and_directories_need_not_be_readable() {
        let dir = tempfile::tempdir().unwrap();
        let ownership = Ownership { mode: Some(0o666), dir_mode: Some(0o333), ..Ownership::default() };
        let made = dir.path().join("made");
        ownership.make_dir(&made).unwrap();
        let file = ownership.make_file(&made.join("app.log")).unwrap();
        assert_eq!(made.metadata().unwrap().mode() & 0o7777, 0o333);
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o666);
    }

    #[test]
    fn a_file_whose_owner_cannot_be_set_is_removed_again() {
        let dir = tempfile::tempdir().unwrap();
        // For the user that root becomes.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let _nobody = needs!(Nobody::unless_already_without_rights());
        let ownership = Ownership { owner: Some(0.into()), ..Ownership::default() };
        let error = ownership.make_file(&dir.path().join("app.log")).unwrap_err();
        assert!(error.to_string().starts_with("cannot set its owner to user 0: "), "{error}");
        ownership.make_dir(&dir.path().join("logs")).unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// Root may set any owner. While this exists, the thread that made it has the effective user 65534 and not root.
    pub(super) struct Nobody {
        was_root: bool,
    }

    impl Nobody {
        pub(in super::super) fn unless_already_without_rights() -> Result<Self, &'static str> {
            let was_root = links::user() == 0;
            if was_root {
                become_user(65_534)?;
            }
            Ok(Self { was_root })
        }
    }

    impl Drop for Nobody {
        fn drop(&mut self) {
            if self.was_root {
                become_user(0).expect("the saved user is still root");
            }
        }
    }

    /// The C library would change the user of all threads; the system call changes that of one.
    #[cfg(target_os = "linux")]
    fn become_user(user: libc::uid_t) -> Result<(), &'static str> {
        let keep = libc::uid_t::MAX;
        // SAFETY: the call takes three numbers and touches no memory.
        let changed = unsafe { libc::syscall(libc::SYS_setresuid, keep, user, keep) };
        assert_eq!(changed, 0, "{}", io::Error::last_os_error());
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn become_user(_: libc::uid_t) -> Result<(), &'static str> {
        Err("running as root")
    }
}
