//! Attributes of files, in which a log remembers what their names and times do not say. Without support of the file system they are
//! missing.

#[cfg(target_os = "linux")]
pub(super) use linux::{read, write};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{read, write};

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CStr;
    use std::fs::File;
    use std::os::fd::AsRawFd as _;

    /// Returns the value of an attribute, if it is a short text.
    pub(in super::super) fn read(file: &File, name: &CStr) -> Option<String> {
        let mut value = [0; 20];
        let room = value.as_mut_ptr().cast();
        // SAFETY: the name ends with a NUL, and there is room for as many bytes as it is told.
        let len = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), room, value.len()) };
        std::str::from_utf8(value.get(..usize::try_from(len).ok()?)?).ok().map(str::to_owned)
    }

    pub(in super::super) fn write(file: &File, name: &CStr, text: &str) {
        // SAFETY: the name ends with a NUL, and the value has as many bytes as it is told.
        unsafe { libc::fsetxattr(file.as_raw_fd(), name.as_ptr(), text.as_ptr().cast(), text.len(), 0) };
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::ffi::CStr;
    use std::fs::File;

    pub(in super::super) fn read(_: &File, _: &CStr) -> Option<String> {
        None
    }

    pub(in super::super) fn write(_: &File, _: &CStr, _: &str) {}
}
