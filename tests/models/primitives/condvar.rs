use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};

use super::clock;
use super::mutex::{Lock as _, MutexGuard};
use super::run::choose;

/// A condition variable whose time-outs end by the [clock](super::clock). A wait never ends without a reason, so that code
/// cannot pass a model by being woken by accident.
#[derive(Debug, Default)]
pub struct Condvar {
    /// Held between two steps of the model only.
    waiters: StdMutex<Vec<Arc<Waiter>>>,
}

/// One thread that waits, once.
#[derive(Debug)]
pub(super) struct Waiter(BatchSemaphore);

impl Waiter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(BatchSemaphore::new(0, Fairness::Unfair)))
    }

    pub(super) fn wait(&self) {
        // Fails only if it is closed, which it never is.
        let _ = self.0.acquire_blocking(1);
    }

    pub(super) fn wake(&self) {
        self.0.release(1);
    }

    /// Wakes it in the same step as others, so that any of them may continue first.
    pub(super) fn wake_along(&self) {
        self.0.release_no_scheduling_point(1);
    }
}

impl Condvar {
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes any one of the waiting threads.
    pub fn notify_one(&self) {
        let chosen = {
            let mut waiters = self.waiters();
            match waiters.len() {
                0 => return,
                count => waiters.swap_remove(choose(count)),
            }
        };
        clock::forget(&chosen);
        chosen.wake();
    }

    pub fn notify_all(&self) {
        let waiters = std::mem::take(&mut *self.waiters());
        for waiter in waiters {
            clock::forget(&waiter);
            waiter.wake();
        }
    }

    fn wait_as<'a, T: ?Sized>(&self, waiter: &Arc<Waiter>, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex = guard.mutex();
        self.waiters().push(waiter.clone());
        drop(guard);
        waiter.wait();
        // After a time-out it is still there.
        self.waiters().retain(|other| !Arc::ptr_eq(other, waiter));
        mutex.lock()
    }

    fn waiters(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Waiter>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn wait<'a, T: ?Sized>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait_as(&Waiter::new(), guard)
}

pub fn wait_timeout<'a, T: ?Sized>(condvar: &Condvar, guard: MutexGuard<'a, T>, time: Duration) -> MutexGuard<'a, T> {
    let waiter = Waiter::new();
    clock::wake_in(time, &waiter);
    condvar.wait_as(&waiter, guard)
}
