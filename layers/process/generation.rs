use std::sync::atomic::{AtomicU64, Ordering};

use super::hooks;

/// A process, told from those it was forked from: by the number of forks before it, since PID namespaces give the same process id to
/// parent and child, and by the process id, since `clone(2)` and `_Fork` call no fork handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    pub(in crate::process) forks: u64,
    pub(in crate::process) id: u32,
}

impl Generation {
    /// This process.
    pub(crate) fn current() -> Self {
        hooks::install();
        Self::now()
    }

    /// Whether it is this process. A signal handler may ask.
    #[inline]
    pub(crate) fn is_current(self) -> bool {
        self == Self::now()
    }

    fn now() -> Self {
        Self { forks: FORKS.load(Ordering::Relaxed), id: std::process::id() }
    }
}

/// Called in a forked child.
#[cfg(unix)]
pub(super) fn begin() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

static FORKS: AtomicU64 = AtomicU64::new(0);
