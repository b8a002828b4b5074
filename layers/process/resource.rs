//! What holds records, process-wide: flushed at exit, and locked around a fork.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use super::hooks;
use crate::sync::{OwnedGuard, lock, lock_until};
use crate::{Error, ErrorKind};

/// Something that holds records.
pub(crate) trait Resource: Send + Sync {
    /// When it is flushed at exit, and locked around a fork, in relation to the others.
    fn phase(&self) -> Phase;

    /// Starts a flush that happens on another thread, and does not wait for it.
    fn begin_flush(&self, deadline: Instant) {
        let _ = deadline;
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error>;

    /// Locks it, so that a fork finds it in a consistent state. `None` if the lock is not available by `deadline`.
    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>>;

    /// Called in a forked child whose parent could not lock it: the lock's holder does not exist here, so it must never be
    /// touched again.
    fn abandon(&self);
}

/// The order in which resources are flushed and locked: what hands records on comes before what it hands them to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Makes records of what comes from elsewhere.
    Sources,
    /// Keeps records for the handlers behind it, which may be queues.
    Buffers,
    /// Hands records to a thread. All queues start their flush before the first one is waited for.
    Queues,
    /// Takes records to their end.
    Ends,
}

/// A [`Resource`] that is locked while the process forks; dropping this unlocks it.
pub(crate) trait Held {
    /// Called in the forked child: what is pending belongs to the parent.
    fn forget_pending(&mut self);
}

/// Registers `resource` to be flushed at exit and locked around forks. Call it once for each resource: see [`register_once`]. Holds
/// only a weak reference.
pub(crate) fn register(resource: &Arc<impl Resource + 'static>) {
    register_once(resource, &AtomicBool::new(false));
}

/// Registers `resource` unless it `is_registered`, which is true afterwards. Two entries for one resource would make a fork wait for
/// a lock that it has itself.
#[cold]
pub(super) fn register_once(resource: &Arc<impl Resource + 'static>, is_registered: &AtomicBool) {
    hooks::install();
    let resource = Arc::downgrade(resource);
    // Decided under the lock, which forks hold: a child finds both done, or neither.
    let mut registry = lock(&REGISTRY);
    if !is_registered.load(Ordering::Relaxed) {
        registry.push(resource);
        is_registered.store(true, Ordering::Release);
    }
}

/// Registers `mutex` to be locked around forks, so that the child finds it free. For one that is held for moments, and never while
/// foreign code is called.
pub(crate) fn hold_at_forks<T: Send + 'static>(mutex: &Arc<Mutex<T>>) {
    register(mutex);
}

impl<T: Send + 'static> Resource for Mutex<T> {
    fn phase(&self) -> Phase {
        Phase::Ends
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |mutex| mutex, deadline)?))
    }

    /// Its holder gives it back long before a fork stops waiting.
    fn abandon(&self) {}
}

impl<T> Held for OwnedGuard<Mutex<T>, T> {
    fn forget_pending(&mut self) {}
}

/// Flushes all resources, phase by phase.
///
/// # Errors
///
/// The last error, and [`Timeout`](ErrorKind::Timeout) if the list of resources stays locked.
pub(super) fn flush_all(deadline: Instant) -> Result<(), Error> {
    let Some(mut resources) = lock_until(&REGISTRY, deadline).map(|registry| registry.living()) else {
        return Err(Error::new(ErrorKind::Timeout, "cannot flush: the list of handlers is locked"));
    };
    // Stable: within a phase the ones registered first are flushed first.
    resources.sort_by_key(|resource| resource.phase());
    // All at once: one that is stuck takes no time from the others.
    let queues = resources.iter().filter(|resource| resource.phase() == Phase::Queues);
    queues.for_each(|queue| queue.begin_flush(deadline));
    let mut flushed = Ok(());
    for resource in resources {
        if let Err(error) = resource.flush(deadline) {
            flushed = Err(error);
        }
    }
    flushed
}

/// All resources, by weak references.
pub(super) struct Registry {
    all: Vec<Weak<dyn Resource>>,
    /// With so many entries the dead ones are removed.
    full: usize,
}

impl Registry {
    const fn new() -> Self {
        Self { all: Vec::new(), full: LEAST }
    }

    /// Takes constant time on average: the list has doubled when it is searched for dead entries.
    fn push(&mut self, resource: Weak<dyn Resource>) {
        if self.all.len() >= self.full {
            self.all.retain(|known| known.strong_count() > 0);
            self.full = (2 * self.all.len()).max(LEAST);
        }
        self.all.push(resource);
    }

    pub(super) fn living(&self) -> Vec<Arc<dyn Resource>> {
        self.all.iter().filter_map(Weak::upgrade).collect()
    }
}

pub(super) static REGISTRY: Mutex<Registry> = Mutex::new(Registry::new());

const LEAST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_stays_as_small_as_what_lives() {
        let mut registry = Registry::new();
        let kept: Vec<Arc<Mutex<u32>>> = (0..100).map(|_| Arc::default()).collect();
        for number in 0..10_000 {
            let resource: Arc<dyn Resource> = match kept.get(number) {
                Some(kept) => kept.clone(),
                None => Arc::new(Mutex::new(0)),
            };
            registry.push(Arc::downgrade(&resource));
        }
        assert_eq!(registry.living().len(), 100);
        assert!(registry.all.len() <= 201, "{}", registry.all.len());
    }

    #[test]
    fn phases_are_in_the_order_in_which_records_pass() {
        let mut phases = [Phase::Ends, Phase::Queues, Phase::Sources, Phase::Buffers];
        phases.sort();
        assert_eq!(phases, [Phase::Sources, Phase::Buffers, Phase::Queues, Phase::Ends]);
    }
}
