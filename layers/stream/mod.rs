//! Standard output and standard error, written to without waiting for longer than a limit, whatever their reader does.
//!
//! The descriptors stay as they are: `O_NONBLOCK` is a property of the open file description, which is shared with other processes,
//! the shell among them, and with the rest of the program. Instead:
//!
//! - where the kernel has a write that does not wait (`RWF_NOWAIT`: Linux 6.5 and later for pipes, earlier for sockets), it is used;
//! - regular files are written to directly;
//! - for everything else (terminals, named pipes, pipes of older kernels) a thread writes, and the caller waits for it for a limited time.

mod attempt;
#[cfg(unix)]
mod descriptor;
#[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere the caller writes"))]
mod helper;
mod stall;

pub(crate) use attempt::Attempt;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

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

/// A standard stream, written to without waiting for longer than a limit.
#[derive(Debug)]
pub(crate) struct Outlet {
    stream: Stream,
    stall: Stall,
    /// Whether the stream was a regular file when it was written to last.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only looked at before a write that may wait"))]
    is_file: bool,
    helper: Option<Helper>,
}

impl Outlet {
    pub(crate) const fn new(stream: Stream, patience: Duration) -> Self {
        Self { stream, stall: Stall::new(patience), is_file: false, helper: None }
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
    pub(crate) fn last_attempt(&mut self) -> Attempt<'_> {
        Attempt::new(self, Duration::MAX, false)
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
