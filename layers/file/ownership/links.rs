//! Opens existing files. In a directory where other users can create links and files, they could redirect the writes of this
//! process to any file that it may write to, or read what it writes.

#[cfg(unix)]
pub(super) use unix::user;
#[cfg(unix)]
pub(crate) use unix::{open, open_following, permitted_target};

#[cfg(not(unix))]
pub(crate) use other::{open, open_following, permitted_target};

use std::path::{Path, PathBuf};

/// Returns the final target of the symbolic link at `path`, whether it exists or not.
pub(crate) fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(link) = target.read_link() else { break };
        // An absolute link replaces the whole path.
        target = target.parent().unwrap_or(Path::new("")).join(link);
    }
    target
}

/// The limit of Linux.
const MOST_LINKS: usize = 40;

#[cfg(unix)]
mod unix {
    use std::ffi::{CString, OsStr};
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::os::fd::{AsRawFd as _, FromRawFd as _};
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
    use std::path::{Component, Path, PathBuf};

    /// Opens `path` for appending, as [`open_following`] does. In a directory that other users can write to, it must not be a symbolic
    /// link or have several hard links, and must belong to the user of this process, to root, to the directory's owner or to `owner`.
    ///
    /// In a directory of one of the process's [groups](Writers::Group), a regular file may belong to any user, and a link may lead to
    /// a file beside it: members of the group could move the files of this process there, and no others.
    pub(crate) fn open(path: &Path, owner: Option<u32>) -> io::Result<File> {
        // A path that ends with a slash is a directory.
        let slash = path.as_os_str().as_bytes().ends_with(b"/");
        let (Some(parent), Some(name), false) = (path.parent(), path.file_name(), slash) else {
            return open_following(path);
        };
        if DESCRIPTORS.iter().any(|known| parent == Path::new(known)) {
            return open_following(path);
        }
        let directory = open_directory(parent)?;
        let folder = directory.metadata()?;
        let writers = Writers::of(&folder);
        if writers == Writers::Own {
            return open_in(&directory, name, 0);
        }
        let beside = (writers == Writers::Group).then(|| link_beside(path)).flatten();
        let (path, name) = match &beside {
            Some(target) => (target.as_path(), target.file_name().unwrap_or(name)),
            None => (path, name),
        };
        let owners = [user(), 0, folder.uid(), owner.unwrap_or(0)];
        // Checked by name first: opening a device of another user may have an effect.
        judge(&path.symlink_metadata()?, writers, &owners)?;
        let file = open_in(&directory, name, libc::O_NOFOLLOW)?;
        judge(&file.metadata()?, writers, &owners)?;
        Ok(file)
    }

    /// Opens `path` for appending, wherever it leads. Does not wait for the reader of a pipe: without one it fails with `ENXIO`.
    pub(crate) fn open_following(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
    }

    /// Returns where a file may be created that the dangling link at `path` leads to. `None` if that link is not followed.
    pub(crate) fn permitted_target(path: &Path) -> Option<PathBuf> {
        match Writers::of(&path.parent()?.metadata().ok()?) {
            Writers::Own => Some(super::target(path)),
            Writers::Group => link_beside(path),
            Writers::Others => None,
        }
    }

    /// Returns the target of the link at `path`, if that is a name in the same directory.
    fn link_beside(path: &Path) -> Option<PathBuf> {
        let target = path.read_link().ok()?;
        let mut parts = target.components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) => Some(path.with_file_name(name)),
            _ => None,
        }
    }

    /// The user of this process.
    pub(in super::super) fn user() -> u32 {
        // SAFETY: takes no arguments and cannot fail.
        unsafe { libc::geteuid() }
    }

    fn group() -> u32 {
        // SAFETY: takes no arguments and cannot fail.
        unsafe { libc::getegid() }
    }

    /// Who can create files in a directory.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Writers {
        /// This user and root. The user's own group counts as the user: many systems give each user one, and a umask that lets the
        /// group write.
        Own,
        /// The members of a group of this process, as on a volume that several containers share. They trust each other with the
        /// directory's files: each can replace them. With the sticky bit they cannot, and are among the others.
        Group,
        /// Others too. The sticky bit does not matter: they can still create files.
        Others,
    }

    impl Writers {
        fn of(folder: &Metadata) -> Self {
            let mode = folder.mode();
            let (for_others, for_group, sticky) = (mode & 0o002 != 0, mode & 0o020 != 0, mode & 0o1000 != 0);
            let is_ours = [user(), 0].contains(&folder.uid());
            let is_group_ours = [group(), 0].contains(&folder.gid());
            match () {
                () if is_ours && !for_others && (!for_group || is_group_ours) => Self::Own,
                () if for_group && !for_others && !sticky && is_member(folder.gid()) => Self::Group,
                () => Self::Others,
            }
        }
    }

    /// Whether this process belongs to `wanted`, by its own group or one of the others.
    fn is_member(wanted: u32) -> bool {
        if wanted == UNKNOWN_GROUP {
            return false;
        }
        // SAFETY: with room for none, it only counts.
        let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
        let mut groups: Vec<libc::gid_t> = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: there is room for as many as it is told. It fails if there are more meanwhile.
        let count = unsafe { libc::getgroups(groups.len().try_into().unwrap_or(0), groups.as_mut_ptr()) };
        groups.truncate(usize::try_from(count).unwrap_or(0));
        wanted == group() || groups.contains(&wanted)
    }

    fn judge(file: &Metadata, writers: Writers, owners: &[u32]) -> io::Result<()> {
        let kind = file.file_type();
        if kind.is_symlink() {
            return Err(refused("it is a symbolic link"));
        }
        if kind.is_file() && file.nlink() > 1 {
            return Err(refused(&format!("it has {} hard links", file.nlink())));
        }
        let is_of_group = writers == Writers::Group && kind.is_file();
        // A terminal belongs to its user.
        match is_of_group || kind.is_char_device() || owners.contains(&file.uid()) {
            true => Ok(()),
            false => Err(refused(&format!("it belongs to user {}", file.uid()))),
        }
    }

    fn refused(why: &str) -> io::Error {
        let message = format!("{why}, and others can write to its directory (`follow_links(true)` allows it)");
        io::Error::new(io::ErrorKind::PermissionDenied, message)
    }

    /// Without the permission to read it, if the system allows that.
    fn open_directory(path: &Path) -> io::Result<File> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let how = libc::O_DIRECTORY | libc::O_PATH;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let how = libc::O_DIRECTORY;
        OpenOptions::new().read(true).custom_flags(how).open(path)
    }

    /// Opens `name` in the directory that was checked, wherever its path leads now.
    fn open_in(directory: &File, name: &OsStr, flags: i32) -> io::Result<File> {
        let name = CString::new(name.as_bytes())?;
        let flags = flags | libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        loop {
            // SAFETY: the descriptor is open, and the name ends with a zero. The standard library has no openat.
            let descriptor = unsafe { libc::openat(directory.as_raw_fd(), name.as_ptr(), flags) };
            if descriptor >= 0 {
                // SAFETY: the descriptor was just opened, and has no other owner.
                return Ok(unsafe { File::from_raw_fd(descriptor) });
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// How Linux shows each group that it does not know in this user namespace.
    const UNKNOWN_GROUP: u32 = 65_534;

    /// The links in these directories lead to files that the process has open.
    const DESCRIPTORS: &[&str] = &["/dev", "/dev/fd", "/proc/self/fd"];
}

#[cfg(not(unix))]
mod other {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};

    pub(crate) fn open(path: &Path, _: Option<u32>) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    pub(crate) fn open_following(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    pub(crate) fn permitted_target(path: &Path) -> Option<PathBuf> {
        Some(super::target(path))
    }
}
