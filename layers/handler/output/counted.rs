//! The counts of an output.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::handler::{DropReason, Stats};
use crate::sync::{Mutex, lock};

/// Changed by the holder of the output's lock only, and read without it too: a report must not wait for a sink that hangs.
#[derive(Clone, Default)]
pub(super) struct Counted(Arc<Shared>);

#[derive(Default)]
struct Shared {
    accepted: AtomicU64,
    /// Accepted by the sink: delivered, or pending in its buffer.
    taken: AtomicU64,
    failed: AtomicU64,
    /// Pending at a fork, and so the parent's.
    forked: AtomicU64,
    /// Of those taken, as the sink said last.
    pending: AtomicU64,
    /// The name that was set.
    name: Mutex<Option<String>>,
}

impl Counted {
    #[inline]
    pub(super) fn accept(&self, records: u64) {
        add(&self.0.accepted, records);
    }

    #[inline]
    pub(super) fn take(&self, records: u64) {
        add(&self.0.taken, records);
    }

    #[inline]
    pub(super) fn fail(&self, records: u64) {
        add(&self.0.failed, records);
    }

    /// The number of records that the sink has ever accepted, and not lost.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_pending(&self, pending: u64) {
        self.0.pending.store(pending, Ordering::Release);
    }

    /// The sink has lost records that it had accepted.
    pub(super) fn lose(&self, records: u64) {
        self.give_back(records);
        self.fail(records);
    }

    /// In a forked child: the records are the parent's.
    pub(super) fn fork(&self, records: u64) {
        self.give_back(records);
        add(&self.0.forked, records);
        self.set_pending(0);
    }

    fn give_back(&self, records: u64) {
        self.0.taken.store(self.taken().saturating_sub(records), Ordering::Release);
    }

    pub(super) fn set_name(&self, name: &str) {
        *lock(&self.0.name) = Some(name.to_owned());
    }

    /// Returns the name, or else `default`.
    pub(super) fn name(&self, default: &str) -> String {
        lock(&self.0.name).clone().unwrap_or_else(|| default.to_owned())
    }

    /// Those that are neither taken nor failed are being written.
    pub(super) fn stats(&self) -> Stats {
        let Shared { accepted, taken, failed, forked, pending, .. } = &*self.0;
        // In this order, so that what is counted as taken or failed is accepted, and what was lost is not counted as both.
        let [pending, forked, failed, taken] =
            [pending, forked, failed, taken].map(|count| count.load(Ordering::Acquire));
        let accepted = accepted.load(Ordering::Relaxed).saturating_sub(forked);
        let delivered = taken.saturating_sub(pending);
        let pending = accepted.saturating_sub(delivered + failed);
        let mut stats = Stats { accepted, delivered, failed, pending, ..Stats::default() };
        stats.add_dropped(DropReason::Forked, forked);
        stats
    }
}

/// There is one writer at a time.
#[inline]
fn add(count: &AtomicU64, records: u64) {
    count.store(count.load(Ordering::Relaxed) + records, Ordering::Release);
}
