//! The process-wide registry of everything that holds records: flushed at exit, and locked around a fork.

use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use crate::sync::lock_until;
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
    /// Makes records from other input.
    Sources,
    /// Keeps records for the handlers behind it, which may be queues.
    Buffers,
    /// Hands records to a thread. All queues start their flush before the first one is waited for.
    Queues,
    /// Delivers records to their destination.
    Ends,
    /// A file, which several ends may write to.
    Files,
    /// A family of files, which rotation renames.
    Families,
    /// A lock that any of the others may take while it holds its own. While it is held, no other lock is taken.
    Locks,
}

/// A [`Resource`] that is locked while the process forks; dropping this unlocks it.
pub(crate) trait Held {
    /// Called in the forked child: what is pending belongs to the parent.
    fn forget_pending(&mut self);
}

/// Flushes all resources, phase by phase.
///
/// # Errors
///
/// The last error, and [`Timeout`](ErrorKind::Timeout) if the list of resources stays locked.
pub(super) fn flush_all(deadline: Instant) -> Result<(), Error> {
    let mut flushed = Ok(());
    flush_each(deadline, |error| flushed = Err(error));
    flushed
}

/// The same, with all errors.
pub(super) fn flush_each(deadline: Instant, mut failed: impl FnMut(Error)) {
    let Some(mut resources) = lock_until(&REGISTRY, deadline).map(|registry| registry.living()) else {
        return failed(Error::new(ErrorKind::Timeout, "cannot flush: the list of handlers is locked"));
    };
    // Stable: within a phase the ones registered first are flushed first.
    resources.sort_by_key(|resource| resource.phase());
    // All at once, so that one that hangs does not delay the others.
    let queues = resources.iter().filter(|resource| resource.phase() == Phase::Queues);
    queues.for_each(|queue| queue.begin_flush(deadline));
    resources.iter().filter_map(|resource| resource.flush(deadline).err()).for_each(failed);
}

/// All resources, by weak references.
pub(super) struct Registry {
    all: Vec<Weak<dyn Resource>>,
    /// The number of entries at which dead ones are removed.
    full: usize,
}

impl Registry {
    const fn new() -> Self {
        Self { all: Vec::new(), full: LEAST }
    }

    /// Takes constant time on average: the list has doubled when it is searched for dead entries.
    pub(super) fn push(&mut self, resource: Weak<dyn Resource>) {
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
    fn the_registry_does_not_grow_with_dead_entries() {
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
        let ordered =
            [Phase::Sources, Phase::Buffers, Phase::Queues, Phase::Ends, Phase::Files, Phase::Families, Phase::Locks];
        let mut phases = ordered;
        phases.reverse();
        phases.sort();
        assert_eq!(phases, ordered);
    }
}
