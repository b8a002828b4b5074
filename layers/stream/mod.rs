//! Standard output, standard error and pipes, written to without waiting for longer than a limit, whatever their reader does.
//!
//! The descriptors of standard streams stay as they are: `O_NONBLOCK` is a property of the open file description, which is shared with other processes,
//! the shell among them, and with the rest of the program. Instead:
//!
//! - where the kernel has a write that does not wait (`RWF_NOWAIT`: Linux 6.5 and later for pipes, earlier for sockets), it is used;
//! - regular files are written to directly, and so are pipes of which at most a quarter is filled;
//! - for everything else (terminals, and filled pipes of older kernels) a thread writes, and the caller waits for it for a limited time.
//!
//! A pipe or device that was opened here has a description of its own, which is non-blocking.

mod attempt;
#[cfg(unix)]
mod descriptor;
#[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere the caller writes"))]
mod helper;
mod stall;

pub(crate) use attempt::Attempt;

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
#[cfg(unix)]
use std::{
    fs::File,
    os::fd::{AsRawFd as _, RawFd},
    os::unix::fs::FileTypeExt as _,
    sync::Arc,
};

#[cfg(unix)]
use self::descriptor::{Known, Tried};
use self::helper::Helper;
use self::stall::Stall;

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Stream {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }
}

/// A standard stream, or a pipe or device that was opened here, written to without waiting for longer than a limit.
#[derive(Debug)]
pub(crate) struct Outlet {
    target: Target,
    stall: Stall,
    #[cfg(unix)]
    known: Known,
    helper: Option<Helper>,
}

#[derive(Debug)]
enum Target {
    Stream(Stream),
    /// Non-blocking, and shared with no other process.
    #[cfg(unix)]
    Own {
        file: Arc<File>,
        has_reader: bool,
    },
}

impl Target {
    #[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere there is no thread"))]
    fn name(&self) -> &'static str {
        match self {
            Self::Stream(stream) => stream.name(),
            #[cfg(unix)]
            Self::Own { .. } => "pipe",
        }
    }
}

impl Outlet {
    pub(crate) const fn new(stream: Stream, patience: Duration) -> Self {
        Self::of(Target::Stream(stream), patience)
    }

    /// For a file that was opened with `O_NONBLOCK`, and whose description is therefore our own.
    #[cfg(unix)]
    pub(crate) fn own(file: Arc<File>, patience: Duration) -> Self {
        let is_pipe = file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo());
        let has_reader = is_pipe || file.is_terminal();
        Self::of(Target::Own { file, has_reader }, patience)
    }

    const fn of(target: Target, patience: Duration) -> Self {
        Self {
            target,
            stall: Stall::new(patience),
            #[cfg(unix)]
            known: Known::nothing(),
            helper: None,
        }
    }

    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.stall = Stall::new(patience);
    }

    pub(crate) fn patience(&self) -> Duration {
        self.stall.patience()
    }

    /// Begins an attempt to write, of one or more calls that together wait at most as long as the patience. Fails if the stream is
    /// stalled and it is too early to try again.
    ///
    /// `in_background` says that the caller holds up no other code: the patience then starts again with each piece that is taken.
    pub(crate) fn attempt(&mut self, in_background: bool) -> io::Result<Attempt<'_>> {
        let wait = self.stall.admit(in_background)?;
        Ok(Attempt::new(self, wait, in_background))
    }

    /// Begins an attempt even if the stream is stalled, which waits without limit: see [`Attempt::until`].
    pub(crate) fn patient_attempt(&mut self) -> Attempt<'_> {
        Attempt::new(self, Duration::MAX, false)
    }

    /// Begins an attempt even if the stream is stalled, which does not wait.
    pub(crate) fn brief_attempt(&mut self) -> Attempt<'_> {
        Attempt::new(self, Duration::ZERO, false)
    }

    /// The size of a piece in which whole lines are to be written, in bytes; `None` if size does not matter. So what others write at
    /// the same moment comes between two lines, and a reader that stops leaves none torn.
    pub(crate) fn piece(&self) -> Option<u64> {
        #[cfg(unix)]
        let has_reader = match self.target {
            Target::Stream(_) => !self.known.is_file(),
            Target::Own { has_reader, .. } => has_reader,
        };
        #[cfg(not(unix))]
        let has_reader = false;
        has_reader.then_some(PIECE as u64)
    }

    /// Identifies the file that the stream leads to now.
    pub(crate) fn identity(&mut self) -> (u64, u64) {
        #[cfg(unix)]
        return self.known.identity(self.descriptor());
        #[cfg(not(unix))]
        (0, 0)
    }

    /// The number of bytes that the thread is still writing.
    pub(crate) fn in_flight(&self) -> usize {
        self.helper.as_ref().map_or(0, Helper::in_flight)
    }

    /// The error because of which bytes that were in flight were not written, once.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.helper.as_mut()?.take_error()
    }

    /// Whether there is such an error.
    pub(crate) fn has_failed(&self) -> bool {
        self.error().is_some()
    }

    /// The kind of that error, which stays.
    fn error(&self) -> Option<io::ErrorKind> {
        self.helper.as_ref()?.error()
    }

    /// Whether the thread lives in the parent of this process.
    pub(crate) fn has_foreign_helper(&self) -> bool {
        self.helper.as_ref().is_some_and(|helper| !helper.is_alive())
    }

    /// Called in a forked child, where the thread does not exist.
    pub(crate) fn forget_helper(&mut self) {
        // Not dropped, since dropping it takes a lock that the thread may have held at the fork.
        std::mem::forget(self.helper.take());
    }
}

#[cfg(unix)]
impl Outlet {
    fn descriptor(&self) -> RawFd {
        match &self.target {
            Target::Stream(Stream::Out) => libc::STDOUT_FILENO,
            Target::Stream(Stream::Err) => libc::STDERR_FILENO,
            Target::Own { file, .. } => file.as_raw_fd(),
        }
    }

    /// Writes a part of `bytes`, without waiting.
    fn try_write(&mut self, bytes: &[u8]) -> Tried {
        match &self.target {
            Target::Stream(_) => self.known.try_write(self.descriptor(), bytes),
            Target::Own { file, has_reader } => {
                let piece = if *has_reader { descriptor::piece(bytes) } else { bytes };
                match descriptor::write(file.as_raw_fd(), piece) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Tried::Full,
                    written => Tried::Done(written),
                }
            }
        }
    }
}

/// Called in a forked child, where no thread exists that was started before.
pub(crate) fn after_fork_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// How often this process has been forked from another one.
static FORKS: AtomicU64 = AtomicU64::new(0);
/// What a pipe that is writable takes whole, in bytes: `PIPE_BUF` of Linux.
const PIECE: usize = 4_096;
