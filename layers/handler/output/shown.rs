//! The counts of an output as they were when its lock was last released.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use crate::handler::{DropReason, Stats};
use crate::sync::{Mutex, lock};

/// A copy of the counts that needs no lock: a report must not wait for a sink that hangs.
#[derive(Default)]
pub(super) struct Shown {
    /// Odd while they change.
    version: AtomicU64,
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
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version | 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.accepted.store(counts.accepted, Ordering::Relaxed);
        self.taken.store(counts.taken, Ordering::Relaxed);
        self.failed.store(counts.failed, Ordering::Relaxed);
        self.pending.store(counts.pending, Ordering::Relaxed);
        self.forked.store(counts.forked, Ordering::Relaxed);
        self.version.store((version | 1).wrapping_add(1), Ordering::Release);
    }

    pub(super) fn set_name(&self, name: &str) {
        *lock(&self.name) = Some(name.to_owned());
    }

    /// Returns the name, or else `default`, and the counts.
    pub(super) fn report(&self, default: &str) -> (String, Stats) {
        (lock(&self.name).clone().unwrap_or_else(|| default.to_owned()), self.stats())
    }

    /// Waits while they change, which takes a moment.
    fn stats(&self) -> Stats {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let counts = self.read();
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return counts.stats();
            }
            std::thread::yield_now();
        }
    }

    fn read(&self) -> Counts {
        Counts {
            accepted: self.accepted.load(Ordering::Relaxed),
            taken: self.taken.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            pending: self.pending.load(Ordering::Relaxed),
            forked: self.forked.load(Ordering::Relaxed),
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
