//! Requests to all files of the process at once. A file remembers the number that it has answered, and compares it before each
//! write and at each flush: one relaxed load where nothing was asked for.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many times files were asked to open their paths anew.
#[inline]
pub(crate) fn reopen_epoch() -> u64 {
    REOPEN.load(Ordering::Relaxed)
}

/// How many times rotating files were asked to turn.
#[inline]
pub(crate) fn rotate_epoch() -> u64 {
    ROTATE.load(Ordering::Relaxed)
}

/// Asks all files to open their paths anew. One atomic addition: a signal handler may call it.
pub(crate) fn ask_to_reopen() {
    REOPEN.fetch_add(1, Ordering::Relaxed);
}

/// Asks all rotating files to turn. One atomic addition: a signal handler may call it.
pub(crate) fn ask_to_rotate() {
    ROTATE.fetch_add(1, Ordering::Relaxed);
}

static REOPEN: AtomicU64 = AtomicU64::new(0);
static ROTATE: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_a_new_number() {
        // Others may ask at the same time.
        let before = (reopen_epoch(), rotate_epoch());
        ask_to_reopen();
        ask_to_rotate();
        assert!(reopen_epoch() > before.0 && rotate_epoch() > before.1);
    }
}
