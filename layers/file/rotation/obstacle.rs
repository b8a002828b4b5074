//! What keeps a file from being rotated for good, and can be known before it is due: it is told when the file is opened, and not
//! when it has grown for months.

use std::path::Path;

/// How a file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is renamed, or a link to it is.
    Rename,
    /// It is copied to a new file, and emptied.
    Copy,
    /// It is emptied.
    Empty,
}

/// Returns why the file at `path` cannot be rotated, and what helps. `None` if nothing speaks against it.
pub(super) fn find(path: &Path, way: Way) -> Option<String> {
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let directory = path.parent()?;
    let shown = directory.display();
    match () {
        () if only_grows(path) => Some(
            "it is append-only (`chattr +a`) and can be neither renamed nor emptied; remove that attribute".to_owned(),
        ),
        () if way == Way::Empty => None,
        () if system::is_fixed(directory) => {
            Some(format!("its directory {shown} is immutable or append-only (`chattr`); remove that attribute"))
        }
        () if !system::can_write(directory) => Some(format!(
            "its directory {shown} may not be written to; permit that, or leave rotation to a program that may (logrotate's `copytruncate`)"
        )),
        () if way == Way::Copy => None,
        () if system::is_mount_point(path) => Some(format!("it is a mount point and cannot be renamed; {COPY}")),
        () if system::is_of_another_user_in_sticky(path, directory) => Some(format!(
            "it belongs to another user, its directory {shown} has the sticky bit, and so it cannot be renamed; {COPY}"
        )),
        () => None,
    }
}

/// Whether the file at `path` can be neither emptied nor renamed.
pub(super) fn only_grows(path: &Path) -> bool {
    system::is_fixed(path)
}

const COPY: &str = "set `copy_truncate(true)` for its rotation";

#[cfg(unix)]
mod system {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    pub(super) fn can_write(directory: &Path) -> bool {
        let Ok(path) = CString::new(directory.as_os_str().as_bytes()) else { return true };
        // SAFETY: the path ends with a zero.
        let allowed =
            unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS) };
        let error = std::io::Error::last_os_error().raw_os_error();
        allowed == 0 || !matches!(error, Some(libc::EACCES | libc::EROFS | libc::EPERM))
    }

    /// Then only the owner of the file or the directory, or root, renames the file.
    pub(super) fn is_of_another_user_in_sticky(path: &Path, directory: &Path) -> bool {
        let (Ok(file), Ok(folder)) = (path.metadata(), directory.metadata()) else { return false };
        // SAFETY: takes no arguments and cannot fail.
        let user = unsafe { libc::geteuid() };
        user != 0 && folder.mode() & 0o1000 != 0 && ![file.uid(), folder.uid()].contains(&user)
    }

    pub(super) fn is_fixed(path: &Path) -> bool {
        attributes::of(path) & (attributes::APPEND | attributes::IMMUTABLE) != 0
    }

    pub(super) fn is_mount_point(path: &Path) -> bool {
        attributes::of(path) & attributes::MOUNT_ROOT != 0
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    mod attributes {
        use std::ffi::CString;
        use std::mem::MaybeUninit;
        use std::os::unix::ffi::OsStrExt as _;
        use std::path::Path;

        pub(super) const IMMUTABLE: u64 = 0x10;
        pub(super) const APPEND: u64 = 0x20;
        pub(super) const MOUNT_ROOT: u64 = 0x2000;

        /// Returns those of statx(2) that are set. None are if the kernel or the file system does not know them.
        pub(super) fn of(path: &Path) -> u64 {
            let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return 0 };
            let mut found = MaybeUninit::zeroed();
            // SAFETY: the path ends with a zero, and there is room for the answer.
            let failed =
                unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), libc::AT_SYMLINK_NOFOLLOW, 0, found.as_mut_ptr()) };
            // SAFETY: zeros are valid.
            let found: libc::statx = unsafe { found.assume_init() };
            if failed == 0 { found.stx_attributes } else { 0 }
        }
    }

    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    mod attributes {
        use std::path::Path;

        pub(super) const IMMUTABLE: u64 = 1;
        pub(super) const APPEND: u64 = 2;
        pub(super) const MOUNT_ROOT: u64 = 4;

        /// Not known.
        pub(super) fn of(_: &Path) -> u64 {
            0
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::path::Path;

    pub(super) fn can_write(_: &Path) -> bool {
        true
    }

    pub(super) fn is_of_another_user_in_sticky(_: &Path, _: &Path) -> bool {
        false
    }

    pub(super) fn is_fixed(_: &Path) -> bool {
        false
    }

    pub(super) fn is_mount_point(_: &Path) -> bool {
        false
    }
}
