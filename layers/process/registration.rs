//! Registers resources with the process, and hooks with the C library.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::hooks;
use super::resource::{Held, Phase, REGISTRY, Resource};
use crate::Error;
use crate::sync::{Mutex, MutexGuard, OwnedGuard, lock};

/// Registers `resource` to be flushed at exit and locked around forks, unless it `is_registered`, which is true afterwards: two
/// entries for one resource would make a fork wait for a lock that it holds itself. Keeps only a weak reference.
#[cold]
pub(crate) fn register_once(resource: &Arc<impl Resource + 'static>, is_registered: &AtomicBool) {
    hooks::install();
    let resource = Arc::downgrade(resource);
    // Decided under the lock, which forks hold: a child finds both done, or neither.
    let mut registry = lock(&REGISTRY);
    if !is_registered.load(Ordering::Relaxed) {
        registry.push(resource);
        is_registered.store(true, Ordering::Release);
    }
}

/// Registers `mutex` to be locked around forks, so that the child finds it free. For a mutex that is held only briefly, and never
/// while foreign code is called.
pub(crate) fn hold_at_forks<T: Send + 'static>(mutex: &Arc<Mutex<T>>) {
    register_once(mutex, &AtomicBool::new(false));
}

impl<T: Send + 'static> Resource for Mutex<T> {
    fn phase(&self) -> Phase {
        Phase::Locks
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |mutex| mutex, deadline)?))
    }

    /// Not needed: its holder releases it long before a fork stops waiting.
    fn abandon(&self) {}
}

impl<T> Held for OwnedGuard<Mutex<T>, T> {
    fn forget_pending(&mut self) {}
}

/// A value that belongs to this process alone: forked children drop it at once.
#[derive(Debug)]
pub(crate) struct NotInherited<T>(Mutex<Option<T>>);

impl<T: Send + 'static> NotInherited<T> {
    /// Makes a place for the value.
    pub(crate) fn empty() -> Arc<Self> {
        let new = Arc::new(Self(Mutex::new(None)));
        register_once(&new, &AtomicBool::new(false));
        new
    }

    /// Locks it. Must be held only briefly, since a fork waits for it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<T>> {
        lock(&self.0)
    }
}

impl<T: Send + 'static> Resource for NotInherited<T> {
    fn phase(&self) -> Phase {
        Phase::Locks
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |this| &this.0, deadline)?))
    }

    /// Not needed: the mutex is held for a moment only.
    fn abandon(&self) {}
}

impl<T: Send> Held for OwnedGuard<NotInherited<T>, Option<T>> {
    fn forget_pending(&mut self) {
        **self = None;
    }
}
