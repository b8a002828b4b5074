//! The system calls.

use std::fs::File;
use std::io::{self, Write as _};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{FromRawFd as _, RawFd};
use std::time::{Duration, Instant};

use super::PIECE;
use crate::sync::now;

/// The outcome of a write that must not wait.
pub(super) enum Tried {
    /// It was written, in part or whole, or failed.
    Done(io::Result<usize>),
    /// There is no room.
    Full,
    /// The system has no such write for this kind of file.
    Unknown,
}

/// What is known of the file behind a descriptor, from the last time it was looked at.
#[derive(Debug, Default)]
pub(super) struct Known {
    way: Way,
    /// Its device and number.
    file: (u64, u64),
}

/// How to write without waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    /// By the system's own means, as far as is known.
    #[default]
    Ask,
    /// By any write: it waits for a disk, not for a reader.
    File,
    /// By any write, while there is so much room that no other process fills it at the same moment.
    Pipe,
    /// Not at all.
    Thread,
}

impl Known {
    pub(super) const fn nothing() -> Self {
        Self { way: Way::Ask, file: (0, 0) }
    }

    /// Writes without waiting: all of `bytes` to a regular file, and at most a [`PIECE`] to anything else.
    pub(super) fn try_write(&mut self, descriptor: RawFd, bytes: &[u8]) -> Tried {
        let piece = piece(bytes);
        // A write to a pipe needs a single system call.
        if self.way != Way::Ask || !self.is_known() {
            self.look(descriptor);
        }
        if self.way == Way::Ask {
            let tried = write_without_waiting(descriptor, piece);
            if let Tried::Done(_) = tried {
                return tried;
            }
            let way = self.look(descriptor);
            // Some file systems (XFS, btrfs) say of a regular file that there is no room.
            if let Tried::Full = tried
                && self.way != Way::File
            {
                return tried;
            }
            self.way = way;
        }
        match self.way {
            Way::File => Tried::Done(write(descriptor, bytes)),
            Way::Pipe if is_roomy(descriptor) => Tried::Done(write(descriptor, piece)),
            _ => Tried::Unknown,
        }
    }

    /// Whether it was a regular file when it was written to last.
    pub(super) fn is_file(&self) -> bool {
        self.way == Way::File
    }

    fn is_known(&self) -> bool {
        self.file != (0, 0)
    }

    /// The device and number of the file behind the descriptor now.
    pub(super) fn identity(&mut self, descriptor: RawFd) -> (u64, u64) {
        self.look(descriptor);
        self.file
    }

    /// Looks at the file, and forgets what was known of another one. Returns how to write to it if the system has no means of its own.
    fn look(&mut self, descriptor: RawFd) -> Way {
        let mut status = MaybeUninit::<libc::stat>::zeroed();
        // SAFETY: `status` is writable, and filled in if the call succeeds; zeros are valid for it too.
        let status = unsafe {
            libc::fstat(descriptor, status.as_mut_ptr());
            status.assume_init()
        };
        let file = (status.st_dev as u64, status.st_ino as u64);
        if file != self.file {
            *self = Self { way: Way::Ask, file };
        }
        match status.st_mode & libc::S_IFMT {
            // Block devices too.
            libc::S_IFREG | libc::S_IFBLK => {
                self.way = Way::File;
                Way::File
            }
            libc::S_IFIFO => Way::Pipe,
            _ => Way::Thread,
        }
    }
}

/// As many of `bytes` as are written at once to what is not a file.
pub(super) fn piece(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(PIECE)]
}

/// Calls `write(2)` once, however long that takes.
pub(super) fn write(descriptor: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is that of a standard stream, open for the life of the process, or of a file that the caller keeps open,
    // and ManuallyDrop keeps it so; if an application has closed it nevertheless, the write fails with EBADF.
    ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) }).write(bytes)
}

/// Waits until the descriptor is writable. Returns `false` if it is not by `deadline`; `None` means without limit.
pub(super) fn wait_until_writable(descriptor: RawFd, deadline: Option<Instant>) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    loop {
        let left =
            deadline.map_or(LONGEST_POLL, |deadline| deadline.saturating_duration_since(now()).min(LONGEST_POLL));
        // Rounded up, so that the last millisecond is not spent in a busy loop.
        let millis = left.as_micros().div_ceil(1_000) as libc::c_int;
        // SAFETY: `poll` is one valid pollfd for the length of the call.
        let ready = unsafe { libc::poll(&raw mut poll, 1, millis) };
        let is_error =
            ready < 0 && !matches!(io::Error::last_os_error().raw_os_error(), Some(libc::EINTR | libc::EAGAIN));
        // If the system cannot tell, the write does.
        if ready > 0 || is_error {
            return true;
        }
        if deadline.is_some_and(|deadline| now() >= deadline) {
            return false;
        }
    }
}

/// Whether a pipe holds so little that other processes cannot fill it before the next write. Where many short writes were not read,
/// up to half of its memory is unused.
fn is_roomy(descriptor: RawFd) -> bool {
    let mut unread: libc::c_int = 0;
    // SAFETY: writes one integer.
    let asked = unsafe { libc::ioctl(descriptor, libc::FIONREAD, &raw mut unread) };
    let capacity = capacity(descriptor);
    asked == 0 && capacity >= USUAL_CAPACITY && unread <= capacity / 4
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn capacity(descriptor: RawFd) -> libc::c_int {
    // SAFETY: takes numbers only.
    unsafe { libc::fcntl(descriptor, libc::F_GETPIPE_SZ) }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn capacity(_: RawFd) -> libc::c_int {
    USUAL_CAPACITY
}

/// Of a smaller pipe, too little is left for that.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USUAL_CAPACITY: libc::c_int = 64 << 10;
/// The least that is usual.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const USUAL_CAPACITY: libc::c_int = 16 << 10;

#[cfg(target_os = "linux")]
fn write_without_waiting(descriptor: RawFd, bytes: &[u8]) -> Tried {
    let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // At the current position, as write(2).
    const HERE: libc::c_long = -1;
    // SAFETY: the kernel reads one iovec and the bytes it describes, which live beyond the call.
    let written =
        unsafe { libc::syscall(libc::SYS_pwritev2, descriptor, &raw const part, 1usize, HERE, HERE, libc::RWF_NOWAIT) };
    if written >= 0 {
        return Tried::Done(Ok(written as usize));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN) => Tried::Full,
        // Which of them depends on the kernel, the kind of file, and filters of system calls.
        Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS | libc::EPERM | libc::ESPIPE) => Tried::Unknown,
        _ => Tried::Done(Err(error)),
    }
}

#[cfg(not(target_os = "linux"))]
fn write_without_waiting(_: RawFd, _: &[u8]) -> Tried {
    Tried::Unknown
}

/// As long as `poll` can be asked to wait.
const LONGEST_POLL: Duration = Duration::from_secs(24 * 60 * 60);
