//! Locks that ignore poisoning: a panic of foreign code under a lock must not stop the logger.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex that is held for some nanoseconds at a time. If it is taken, the caller spins and yields for a while before it
/// sleeps, which would cost it a system call, and the holder another one to wake it.
#[inline]
pub(crate) fn lock_briefly<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    try_lock(mutex).unwrap_or_else(|| lock_taken(mutex))
}

#[cold]
fn lock_taken<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for _ in 0..YIELDS {
        (0..SPINS).for_each(|_| std::hint::spin_loop());
        if let Some(guard) = try_lock(mutex) {
            return guard;
        }
        std::thread::yield_now();
    }
    lock(mutex)
}

const SPINS: usize = 32;
const YIELDS: usize = 4;

/// Locks the mutex if it is free.
#[inline]
pub(crate) fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poison)) => Some(poison.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Returns the time `timeout` from now. A time-out too long to be represented becomes a year.
pub(crate) fn deadline_in(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + FAR)
}

const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Locks the mutex, or returns `None` if that is not possible by `deadline`.
pub(crate) fn lock_until<T: ?Sized>(mutex: &Mutex<T>, deadline: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        if Instant::now() >= deadline {
            return None;
        }
        // std has no timed lock. Only flushes and forks wait here, never a record.
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait_timeout<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>, time: Duration) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
}

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
