//! Whose the files are that this crate makes, and which files of others it does not touch.
//!
//! What is made is made by `O_EXCL` and `O_NOFOLLOW`, so that it is ours, and gets its owner and its permissions through its
//! descriptor. What is there already is judged by its descriptor too.

mod account;
mod links;

pub use account::Account;

pub(crate) use links::{in_private_directory, open, target};

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

use std::fs::File;
use std::io;
use std::path::Path;

use crate::Error;

/// What new files and directories get. Permissions are asked for at once, so that nothing is ever open to more people than it
/// should be, and set again afterwards, because the umask takes bits away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ownership {
    pub(crate) mode: Option<u32>,
    pub(crate) dir_mode: Option<u32>,
    pub(crate) owner: Option<Account>,
    pub(crate) group: Option<Account>,
}

impl Ownership {
    /// Looks the names up, once: what knows the accounts may be slow, or gone, by the time when a file turns.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for a name that nobody has.
    pub(crate) fn resolve(&mut self) -> Result<(), Error> {
        self.owner.as_mut().map_or(Ok(()), Account::resolve_user)?;
        self.group.as_mut().map_or(Ok(()), Account::resolve_group)
    }

    /// Makes `path`, for appending. What is there already, be it a dangling link, is an error of kind `AlreadyExists`; where the file
    /// cannot be given away, it is removed again.
    pub(crate) fn make_file(&self, path: &Path) -> io::Result<File> {
        system::make_file(path, self)
    }

    /// Makes the directory `path`; otherwise as [`make_file`](Self::make_file).
    pub(crate) fn make_dir(&self, path: &Path) -> io::Result<()> {
        system::make_dir(path, self)
    }

    /// The number of the owner, once it is [resolved](Self::resolve).
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
    use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
    use std::path::Path;

    use super::Ownership;

    pub(super) fn make_file(path: &Path, ownership: &Ownership) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(ownership.mode.unwrap_or(0o666)).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path)?;
        match give(&file, ownership, ownership.mode) {
            Ok(()) => Ok(file),
            Err(error) => {
                // Left behind it would be taken for the right one by the next attempt.
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    pub(super) fn make_dir(path: &Path, ownership: &Ownership) -> io::Result<()> {
        let mode = ownership.dir_mode;
        // With a mode of its own it is nobody else's until it has got that, and can be opened.
        DirBuilder::new().mode(if mode.is_some() { 0o700 } else { 0o777 }).create(path)?;
        if mode.is_none() && ownership.owner.is_none() && ownership.group.is_none() {
            return Ok(());
        }
        let given = open_dir(path).and_then(|dir| give(&dir, ownership, mode));
        given.inspect_err(|_| drop(fs::remove_dir(path)))
    }

    /// That which was made just now, and not what somebody has put in its place.
    fn open_dir(path: &Path) -> io::Result<File> {
        let dir = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)?;
        match dir.metadata()?.uid() == super::links::user() {
            true => Ok(dir),
            false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "somebody has put another one in its place")),
        }
    }

    /// The mode last: giving a file away clears some of its bits.
    fn give(file: &File, ownership: &Ownership, mode: Option<u32>) -> io::Result<()> {
        let (owner, group) = (ownership.owner_id(), ownership.group_id());
        if owner.is_some() || group.is_some() {
            fchown(file, owner, group).map_err(|error| cannot_give(ownership, &error))?;
        }
        mode.map_or(Ok(()), |mode| file.set_permissions(Permissions::from_mode(mode)))
    }

    fn cannot_give(ownership: &Ownership, error: &io::Error) -> io::Error {
        let owner = ownership.owner_id().map(|id| format!("user {id}"));
        let group = ownership.group_id().map(|id| format!("group {id}"));
        let whom: Vec<_> = owner.into_iter().chain(group).collect();
        io::Error::new(error.kind(), format!("cannot give it to {}: {error}", whom.join(", ")))
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::Ownership;

    pub(super) fn make_file(path: &Path, _: &Ownership) -> io::Result<File> {
        OpenOptions::new().append(true).create_new(true).open(path)
    }

    pub(super) fn make_dir(path: &Path, _: &Ownership) -> io::Result<()> {
        fs::create_dir(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_made_is_new_and_follows_no_link() {
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
    fn modes_are_exact_and_directories_may_be_closed_to_reading() {
        let dir = tempfile::tempdir().unwrap();
        let ownership = Ownership { mode: Some(0o666), dir_mode: Some(0o333), ..Ownership::default() };
        let made = dir.path().join("made");
        ownership.make_dir(&made).unwrap();
        let file = ownership.make_file(&made.join("app.log")).unwrap();
        assert_eq!(made.metadata().unwrap().mode() & 0o7777, 0o333);
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o666);
    }

    #[test]
    fn what_cannot_be_given_away_is_not_left_behind() {
        if links::user() == 0 {
            // Root may give to anybody; `tests/ownership.rs` does this as somebody else.
            println!("skipped: runs as root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let ownership = Ownership { owner: Some(0.into()), ..Ownership::default() };
        let error = ownership.make_file(&dir.path().join("app.log")).unwrap_err();
        assert!(error.to_string().starts_with("cannot give it to user 0: "), "{error}");
        ownership.make_dir(&dir.path().join("logs")).unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
