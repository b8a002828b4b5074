//! When a file began, remembered over restarts: the file system knows when it was last written to, and not always when it was created.

use std::fs::File;

use crate::clock::Timestamp;

/// Returns when `file`, which has lines and was last written to at `changed`, began: by its own mark, or when it was created.
pub(super) fn of(file: &File, changed: Timestamp) -> Timestamp {
    let created = || file.metadata().and_then(|metadata| metadata.created()).ok().map(Timestamp::from);
    attribute::read(file).or_else(created).filter(|began| *began <= changed).unwrap_or(changed)
}

/// Marks `file` as begun at `began`. Where the file system has no attributes of users, the time of its creation must do.
pub(super) fn mark(file: &File, began: Timestamp) {
    attribute::write(file, began);
}

#[cfg(target_os = "linux")]
mod attribute {
    use std::ffi::CStr;
    use std::fs::File;
    use std::os::fd::AsRawFd as _;

    use crate::clock::Timestamp;

    const NAME: &CStr = c"user.log_began";

    pub(super) fn read(file: &File) -> Option<Timestamp> {
        let mut seconds = [0; 20];
        let room = seconds.as_mut_ptr().cast();
        // SAFETY: the name ends with a NUL, and there is room for as many bytes as it is told.
        let len = unsafe { libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), room, seconds.len()) };
        let text = std::str::from_utf8(seconds.get(..usize::try_from(len).ok()?)?).ok()?;
        Some(Timestamp::new(text.parse().ok()?, 0))
    }

    pub(super) fn write(file: &File, began: Timestamp) {
        let text = began.seconds().to_string();
        // SAFETY: the name ends with a NUL, and the value has as many bytes as it is told.
        unsafe { libc::fsetxattr(file.as_raw_fd(), NAME.as_ptr(), text.as_ptr().cast(), text.len(), 0) };
    }
}

#[cfg(not(target_os = "linux"))]
mod attribute {
    use std::fs::File;

    use crate::clock::Timestamp;

    pub(super) fn read(_: &File) -> Option<Timestamp> {
        None
    }

    pub(super) fn write(_: &File, _: Timestamp) {}
}
