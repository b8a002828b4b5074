//! What `crate::sync` consists of in a model: shuttle decides at every lock, unlock and wait which thread runs next, and time
//! passes only in the [clock].

mod clock;
mod condvar;
mod mutex;
mod run;

use std::time::{Duration, Instant};

pub(crate) use shuttle::sync::atomic;
pub(crate) use shuttle::thread::{Builder as ThreadBuilder, JoinHandle, ThreadId, current as current_thread};
pub(crate) use shuttle::thread_local;

pub use clock::{now, sleep};
pub use condvar::{Condvar, wait, wait_timeout};
pub use mutex::{Lock, Mutex, MutexGuard};
pub use run::{Passing, check, choose};

pub fn lock<L: Lock + ?Sized>(mutex: &L) -> L::Guard<'_> {
    mutex.lock()
}

pub(crate) fn lock_briefly<L: Lock + ?Sized>(mutex: &L) -> L::Guard<'_> {
    try_lock(mutex).unwrap_or_else(|| mutex.lock())
}

pub(crate) fn try_lock<L: Lock + ?Sized>(mutex: &L) -> Option<L::Guard<'_>> {
    mutex.try_lock()
}

pub(crate) fn lock_until<L: Lock + ?Sized>(mutex: &L, deadline: Instant) -> Option<L::Guard<'_>> {
    loop {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        if now() >= deadline {
            return None;
        }
        sleep(Duration::from_micros(200));
    }
}
