use std::sync::atomic::{AtomicU64, Ordering};

use super::hooks;

/// Identifies a process among its forks: the number of forks between the first process and this one.
///
/// The process id does not tell parent and child apart where PID namespaces are used: both may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(in crate::process) u64);

impl Generation {
    /// The generation of the current process.
    pub(crate) fn current() -> Self {
        hooks::install();
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether this is the current process. Safe to call in a signal handler.
    #[inline]
    pub(crate) fn is_current(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// Called in a forked child.
#[cfg(unix)]
pub(super) fn begin() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

static FORKS: AtomicU64 = AtomicU64::new(0);
