//! The exit of the process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::resource::flush_each;
use crate::selflog;
use crate::sync::deadline_in;

/// Whether the process is ending: what is logged now is delivered before the call returns.
#[inline]
pub(crate) fn is_exiting() -> bool {
    EXITING.load(Ordering::Relaxed)
}

/// The time until which records logged at exit may hold it up.
#[cold]
pub(crate) fn exit_deadline() -> Instant {
    *EXIT_DEADLINE.get_or_init(|| deadline_in(exit_timeout()))
}

/// How long the exit of the process may be held up for records to be delivered. The default is 5 seconds.
pub fn set_exit_timeout(timeout: Duration) {
    EXIT_TIMEOUT_MILLIS.store(timeout.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(super) fn exit_timeout() -> Duration {
    Duration::from_millis(EXIT_TIMEOUT_MILLIS.load(Ordering::Relaxed))
}

/// Makes [`is_exiting`] return `true` from now on. Returns the time until which the end may be held up.
pub(super) fn begin_exit() -> Instant {
    EXITING.store(true, Ordering::Relaxed);
    exit_deadline()
}

pub(super) extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(|| {
        flush_each(begin_exit(), |error| selflog::tell(&format!("at exit: {error:#}")));
    });
}

static EXITING: AtomicBool = AtomicBool::new(false);
static EXIT_DEADLINE: OnceLock<Instant> = OnceLock::new();
static EXIT_TIMEOUT_MILLIS: AtomicU64 = AtomicU64::new(5_000);
