//! Requests to all files of the process at once.
//!
//! Each request is a number that goes up. A file remembers the number it has answered and compares it before each write and at
//! each flush: one relaxed load while nothing was asked for.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of requests to reopen files so far.
#[inline]
pub(crate) fn reopens() -> u64 {
    REOPENS.load(Ordering::Relaxed)
}

/// The number of requests to rotate files so far.
#[inline]
pub(crate) fn rotations() -> u64 {
    ROTATIONS.load(Ordering::Relaxed)
}

/// Asks all files to open their paths again. One atomic addition, so that a signal handler may call it.
pub(in crate::process) fn reopen() {
    REOPENS.fetch_add(1, Ordering::Relaxed);
}

/// Asks all rotating files to begin a new file. One atomic addition, so that a signal handler may call it.
pub(in crate::process) fn rotate() {
    ROTATIONS.fetch_add(1, Ordering::Relaxed);
}

static REOPENS: AtomicU64 = AtomicU64::new(0);
static ROTATIONS: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_a_new_number() {
        // Other tests may ask at the same time.
        let before = (reopens(), rotations());
        reopen();
        rotate();
        assert!(reopens() > before.0 && rotations() > before.1);
    }
}
