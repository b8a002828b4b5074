//! Opens existing files. In a directory where other users can create links and files, they could redirect the writes of this
//! process to any file that it may write to, or read what it writes.

#[cfg(unix)]
pub(super) use unix::user;
#[cfg(unix)]
pub(crate) use unix::{in_private_directory, open, open_following, wait_in_writes};

#[cfg(not(unix))]
pub(crate) use other::{in_private_directory, open, open_following, wait_in_writes};

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
    use std::path::Path;

    /// Opens `path` for appending, as [`open_following`] does. In a directory that other users can write to, it must not be a symbolic link or have several hard
    /// links, and must belong to the user of this process, to root, to the directory's owner or to `owner`.
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
        if is_private(&folder) {
            return open_in(&directory, name, 0);
        }
        let judge = |file: &Metadata| judge(file, &[user(), 0, folder.uid(), owner.unwrap_or(0)]);
        // Checked by name first: opening a device of another user may have an effect.
        judge(&path.symlink_metadata()?)?;
        let file = open_in(&directory, name, libc::O_NOFOLLOW)?;
        judge(&file.metadata()?)?;
        Ok(file)
    }

    /// Opens `path` for appending, wherever it leads. Does not wait for the reader of a pipe: without one it fails with `ENXIO`.
    pub(crate) fn open_following(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).custom_flags(libc::O_NONBLOCK).open(path)
    }

    /// Makes writes to `file` wait, which was opened without waiting. Of no importance for regular files.
    pub(crate) fn wait_in_writes(file: &File) -> io::Result<()> {
        // SAFETY: the descriptor is open, and the flags are its own but one.
        let cleared = unsafe {
            let flags = libc::fcntl(file.as_raw_fd(), libc::F_GETFL);
            flags >= 0 && libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK) == 0
        };
        if cleared { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Whether only this user and root can replace `path`.
    pub(crate) fn in_private_directory(path: &Path) -> bool {
        path.parent().is_some_and(|parent| parent.metadata().is_ok_and(|folder| is_private(&folder)))
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

    /// Whether only this user and root can create files in `folder`. The sticky bit does not matter: others can still create files. The
    /// user's own group is trusted: many systems give each user one, and a umask that lets the group write.
    fn is_private(folder: &Metadata) -> bool {
        let (mode, is_ours) = (folder.mode(), [user(), 0].contains(&folder.uid()));
        let is_group_ours = [group(), 0].contains(&folder.gid());
        is_ours && mode & 0o002 == 0 && (mode & 0o020 == 0 || is_group_ours)
    }

    fn judge(file: &Metadata, owners: &[u32]) -> io::Result<()> {
        let kind = file.file_type();
        if kind.is_symlink() {
            return Err(refused("it is a symbolic link"));
        }
        if kind.is_file() && file.nlink() > 1 {
            return Err(refused(&format!("it has {} hard links", file.nlink())));
        }
        // A terminal belongs to its user.
        match kind.is_char_device() || owners.contains(&file.uid()) {
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
        let flags = flags | libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC | libc::O_NONBLOCK;
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

    /// The links in these directories lead to files that the process has open.
    const DESCRIPTORS: &[&str] = &["/dev", "/dev/fd", "/proc/self/fd"];
}

#[cfg(not(unix))]
mod other {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(crate) fn open(path: &Path, _: Option<u32>) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    pub(crate) fn open_following(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    pub(crate) fn wait_in_writes(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn in_private_directory(_: &Path) -> bool {
        true
    }
}
