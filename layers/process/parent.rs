//! The process that forked this one.

use std::sync::atomic::{AtomicU32, Ordering};

use super::fork_count;

/// A process that has forked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    id: u32,
    /// The number of the fork.
    fork: u64,
}

impl Parent {
    /// Returns the process that forked this one. Called in the forked child.
    pub(crate) fn of_this_fork() -> Self {
        Self { id: FORKING.load(Ordering::Relaxed), fork: fork_count::current() }
    }

    /// Whether the process has ended. If that cannot be found out, it has not.
    #[cfg(unix)]
    pub(crate) fn has_ended(self) -> bool {
        // SAFETY: it takes nothing, and always succeeds.
        let parent = unsafe { libc::getppid() };
        if self.fork == fork_count::current() {
            // 0: it belongs to another PID namespace, where it has another id.
            return parent != 0 && parent.unsigned_abs() != self.id;
        }
        // Of a grandparent the system does not tell. Another process may have its id by now.
        // SAFETY: it only takes numbers. The signal 0 is not sent.
        let exists = unsafe { libc::kill(self.id.cast_signed(), 0) } == 0;
        !exists && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
    }

    #[cfg(not(unix))]
    pub(crate) fn has_ended(self) -> bool {
        false
    }
}

/// Called before each fork: afterwards the child may find that its parent has ended already.
pub(super) fn before_fork() {
    FORKING.store(std::process::id(), Ordering::Relaxed);
}

/// The process that has forked last, this one or that before it.
static FORKING: AtomicU32 = AtomicU32::new(0);
