//! Whether there are several layers of this crate, which may share what they capture.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts a layer as long as it lives.
pub(super) struct Present(());

impl Present {
    pub(super) fn new() -> Self {
        PRESENT.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        PRESENT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether this process has more than one layer. A layer that is alone does not look for others to share with.
#[inline]
pub(super) fn are_there() -> bool {
    PRESENT.load(Ordering::Relaxed) > 1
}

static PRESENT: AtomicUsize = AtomicUsize::new(0);
