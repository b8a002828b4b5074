//! Counts the forks between the first process and this one.

use std::sync::atomic::{AtomicU64, Ordering};

/// Returns the number of forks so far.
#[inline]
pub(crate) fn current() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// Called in a forked child.
pub(super) fn increment() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

static FORKS: AtomicU64 = AtomicU64::new(0);
