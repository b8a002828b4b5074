//! Locks, condition variables, threads and the monotonic clock.
//!
//! Code whose concurrency is checked takes all of them from here, so that `tests/models` can put its own in their place.

#[cfg(not(tracing_handlers_models))]
mod system;
#[cfg(tracing_handlers_models)]
#[path = "../../tests/models/primitives/mod.rs"]
pub mod system;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use system::{Condvar, JoinHandle, Mutex, MutexGuard, ThreadBuilder, ThreadId, atomic, current_thread};
pub(crate) use system::{lock, lock_briefly, lock_until, now, thread_local, try_lock, wait, wait_timeout};

/// Returns the time `timeout` from now. A time-out too long to be represented becomes a year.
pub(crate) fn deadline_in(timeout: Duration) -> Instant {
    let now = now();
    now.checked_add(timeout).unwrap_or(now + FAR)
}

const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A guard that keeps the owner of its mutex alive, so that it can outlive the function that took it.
pub(crate) struct OwnedGuard<O: 'static, T: 'static> {
    // Declared first, so dropped first.
    guard: MutexGuard<'static, T>,
    _owner: Arc<O>,
}

impl<O, T> OwnedGuard<O, T> {
    /// Locks the mutex that `find` returns of `owner`, or returns `None` if that is not possible by `deadline`.
    pub(crate) fn lock_until(owner: &Arc<O>, find: fn(&O) -> &Mutex<T>, deadline: Instant) -> Option<Self> {
        let guard = lock_until(find(owner), deadline)?;
        // SAFETY: the mutex lies in `owner`, of which this holds an Arc until after the guard is gone; an Arc's contents
        // do not move. `find` is a plain function, so it can only return a part of `owner` or a 'static.
        let guard = unsafe { std::mem::transmute::<MutexGuard<'_, T>, MutexGuard<'static, T>>(guard) };
        Some(Self { guard, _owner: owner.clone() })
    }
}

impl<O, T> std::ops::Deref for OwnedGuard<O, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<O, T> std::ops::DerefMut for OwnedGuard<O, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}
