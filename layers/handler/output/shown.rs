//! The counts of an output as they were when its lock was last released.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::handler::{DropReason, Stats};
use crate::sync::{Mutex, lock};

/// A copy of the counts that needs no lock: a report must not wait for a sink that hangs.
#[derive(Default)]
pub(super) struct Shown {
    accepted: AtomicU64,
    taken: AtomicU64,
    failed: AtomicU64,
    pending: AtomicU64,
    forked: AtomicU64,
    name: Mutex<Option<String>>,
}

impl Shown {
    /// Called by the holder of the lock.
    #[inline]
    pub(super) fn show(&self, counts: Counts) {
        let Self { accepted, taken, failed, pending, forked, .. } = self;
        accepted.store(counts.accepted, Ordering::Relaxed);
        taken.store(counts.taken, Ordering::Relaxed);
        failed.store(counts.failed, Ordering::Relaxed);
        pending.store(counts.pending, Ordering::Relaxed);
        forked.store(counts.forked, Ordering::Relaxed);
    }

    pub(super) fn set_name(&self, name: &str) {
        *lock(&self.name) = Some(name.to_owned());
    }

    /// The name, or else `default`, and the counts.
    pub(super) fn report(&self, default: &str) -> (String, Stats) {
        (lock(&self.name).clone().unwrap_or_else(|| default.to_owned()), self.stats())
    }

    fn stats(&self) -> Stats {
        let mut counts = self.read();
        // The holder may release the lock at this moment.
        loop {
            let again = self.read();
            if again == counts {
                return counts.stats();
            }
            counts = again;
        }
    }

    fn read(&self) -> Counts {
        Counts {
            accepted: self.accepted.load(Ordering::SeqCst),
            taken: self.taken.load(Ordering::SeqCst),
            failed: self.failed.load(Ordering::SeqCst),
            pending: self.pending.load(Ordering::SeqCst),
            forked: self.forked.load(Ordering::SeqCst),
        }
    }
}

/// What an output counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    /// Accepted by the sink: delivered, or pending in its buffer.
    pub(super) taken: u64,
    pub(super) failed: u64,
    pub(super) pending: u64,
    /// Pending at a fork, and so the parent's.
    pub(super) forked: u64,
}

impl Counts {
    pub(super) fn stats(self) -> Stats {
        let Self { accepted, taken, failed, pending, forked } = self;
        let delivered = taken.saturating_sub(pending);
        let mut stats = Stats { accepted: accepted - forked, delivered, failed, pending, ..Stats::default() };
        stats.add_dropped(DropReason::Forked, forked);
        stats
    }
}
