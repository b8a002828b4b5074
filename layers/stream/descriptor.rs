//! The system calls.

use std::fs::File;
use std::io::{self, Write as _};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::FromRawFd as _;
use std::time::{Duration, Instant};

use super::Stream;
use crate::sync::now;

/// The outcome of a write that must not wait.
pub(super) enum Tried {
    /// It was written, in part or whole, or failed.
    Done(io::Result<usize>),
    /// There is no room.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has such a write"))]
    Full,
    /// The system has no such write for this kind of file.
    Unknown,
}

/// Writes without waiting. `is_file` says whether it was a regular file the last time, and is updated: in that case one look makes
/// sure of it, in all others a pipe needs a single system call.
pub(super) fn try_write(stream: Stream, is_file: &mut bool, bytes: &[u8]) -> Tried {
    if *is_file {
        *is_file = is_regular_file(stream);
        if *is_file {
            return Tried::Done(write(stream, bytes));
        }
    }
    let tried = write_without_waiting(stream, bytes);
    if matches!(tried, Tried::Done(_)) {
        return tried;
    }
    *is_file = is_regular_file(stream);
    if *is_file { Tried::Done(write(stream, bytes)) } else { tried }
}

/// Calls `write(2)` once, however long that takes.
pub(super) fn write(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: 1 and 2 are open for the life of the process, and ManuallyDrop keeps them so; if an application has closed them
    // nevertheless, the write fails with EBADF.
    ManuallyDrop::new(unsafe { File::from_raw_fd(number(stream)) }).write(bytes)
}

/// Waits until the stream is writable. Returns `false` if it is not by `deadline`; `None` means without limit.
pub(super) fn wait_until_writable(stream: Stream, deadline: Option<Instant>) -> bool {
    let mut poll = libc::pollfd { fd: number(stream), events: libc::POLLOUT, revents: 0 };
    loop {
        let left =
            deadline.map_or(LONGEST_POLL, |deadline| deadline.saturating_duration_since(now()).min(LONGEST_POLL));
        // Rounded up, so that the last millisecond is not spent in a busy loop.
        let millis = left.as_micros().div_ceil(1_000) as libc::c_int;
        // SAFETY: `poll` is one valid pollfd for the length of the call.
        let ready = unsafe { libc::poll(&raw mut poll, 1, millis) };
        let is_error = ready < 0
            && !matches!(io::Error::last_os_error().raw_os_error(), Some(libc::EINTR | libc::EAGAIN));
        // If the system cannot tell, the write does.
        if ready > 0 || is_error {
            return true;
        }
        if deadline.is_some_and(|deadline| now() >= deadline) {
            return false;
        }
    }
}

fn number(stream: Stream) -> libc::c_int {
    match stream {
        Stream::Out => libc::STDOUT_FILENO,
        Stream::Err => libc::STDERR_FILENO,
    }
}

/// Block devices count as files: a write to them waits for the disk, not for a reader.
fn is_regular_file(stream: Stream) -> bool {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `status` is writable, and filled in if the call succeeds; zeros are valid for it too.
    let kind = unsafe {
        let done = libc::fstat(number(stream), status.as_mut_ptr());
        if done == 0 { status.assume_init().st_mode & libc::S_IFMT } else { 0 }
    };
    kind == libc::S_IFREG || kind == libc::S_IFBLK
}

#[cfg(target_os = "linux")]
fn write_without_waiting(stream: Stream, bytes: &[u8]) -> Tried {
    let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // At the current position, as write(2).
    const HERE: libc::c_long = -1;
    // SAFETY: the kernel reads one iovec and the bytes it describes, which live beyond the call.
    let written = unsafe {
        libc::syscall(libc::SYS_pwritev2, number(stream), &raw const part, 1usize, HERE, HERE, libc::RWF_NOWAIT)
    };
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
fn write_without_waiting(_: Stream, _: &[u8]) -> Tried {
    Tried::Unknown
}

/// As long as `poll` can be asked to wait.
const LONGEST_POLL: Duration = Duration::from_secs(24 * 60 * 60);
