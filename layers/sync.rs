//! Locks that do not care about poison: a panic under a lock is somebody else's, and a logger goes on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock of something that is held for some nanoseconds at a time: whoever finds it taken lets others run for a while
/// before it sleeps, which would cost a system call to itself and another to the one that must wake it.
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

/// The lock, if it is free.
#[inline]
pub(crate) fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poison)) => Some(poison.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The time so far ahead; a time that has no end is one that nobody waits for.
pub(crate) fn deadline_in(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + FAR)
}

const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The lock, or `None` where it is not to be had by `deadline`.
pub(crate) fn lock_until<T: ?Sized>(mutex: &Mutex<T>, deadline: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        if Instant::now() >= deadline {
            return None;
        }
        // std has no timed lock; this is for flushes and forks, not for the way of a record.
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait_timeout<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>, time: Duration) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
}

/// A guard that keeps what it guards alive, so that it can outlive the function that took it.
pub(crate) struct OwnedGuard<O: 'static, T: 'static> {
    // Declared first, so dropped first.
    guard: MutexGuard<'static, T>,
    _owner: Arc<O>,
}

impl<O, T> OwnedGuard<O, T> {
    /// Locks the mutex that `find` names inside `owner`; `None` where it is not to be had by `deadline`.
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
