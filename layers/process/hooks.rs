//! The C library's hooks: at exit and around forks.

use std::sync::Once;

use super::exit;
#[cfg(unix)]
use super::fork;
use super::mark;

/// Registers the hooks for exit and forks with the C library, on the first call.
pub(super) fn install() {
    static HOOKS: Once = Once::new();
    HOOKS.call_once(|| {
        mark::install();
        // SAFETY: both take plain function pointers, valid for the life of the process.
        unsafe {
            libc::atexit(exit::at_exit);
            #[cfg(unix)]
            libc::pthread_atfork(
                Some(fork::before_fork),
                Some(fork::after_fork_in_parent),
                Some(fork::after_fork_in_child),
            );
        }
    });
}
