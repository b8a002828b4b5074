use std::collections::VecDeque;

use super::QueueSettings;
use crate::handler::{DropReason, Dropped, Stats, notice};
use crate::record::{Batch, Kind, Record};

/// The queued records, and the counts of all others.
///
/// They lie in batches of limited size. A single buffer would have to be moved when the oldest records are dropped, or when it
/// grows, which takes milliseconds during which no thread can log.
#[derive(Default)]
pub(super) struct Backlog {
    /// The full batches before `last`, oldest first.
    full: VecDeque<Batch>,
    /// The batch that records are appended to.
    last: Batch,
    /// Batches that the worker has finished with, for reuse.
    spare: Vec<Batch>,
    queued: Held,
    /// What the worker has taken and not yet reported as done.
    in_flight: Held,
    /// The counts, except of pending records.
    counts: Stats,
    /// Lost after the newest record, and not yet reported.
    lost: Option<Dropped>,
    /// Lost before the oldest record, and not yet reported.
    lost_before: Option<Dropped>,
}

/// A number of records, and how many of them are loss notices.
#[derive(Clone, Copy, Default)]
struct Held {
    records: usize,
    notices: usize,
    bytes: usize,
}

impl Held {
    fn own(self) -> u64 {
        (self.records - self.notices) as u64
    }

    fn of(batch: &Batch) -> Self {
        Self { records: batch.len(), notices: batch.notices(), bytes: batch.size() }
    }

    #[inline]
    fn add(&mut self, kind: Kind, bytes: usize) {
        self.records += 1;
        self.notices += usize::from(kind == Kind::Loss);
        self.bytes += bytes;
    }

    fn subtract(&mut self, other: Self) {
        self.records -= other.records;
        self.notices -= other.notices;
        self.bytes -= other.bytes;
    }
}

impl Backlog {
    #[inline]
    pub(super) fn fits(&self, settings: &QueueSettings, bytes: usize) -> bool {
        self.queued.records + self.in_flight.records < settings.records
            && self.queued.bytes + self.in_flight.bytes + bytes <= settings.bytes
    }

    /// Whether there is enough to be worth waking the worker.
    #[inline]
    pub(super) fn is_at_mark(&self, settings: &QueueSettings) -> bool {
        self.queued.bytes >= MARK.min(settings.bytes / 2) || self.queued.records >= settings.records.div_ceil(2)
    }

    /// Whether there is so much room that the threads that wait for it will not have to wait again at once.
    pub(super) fn is_roomy(&self, settings: &QueueSettings) -> bool {
        let most = |all: usize| all - all / 4;
        self.queued.records + self.in_flight.records <= most(settings.records)
            && self.queued.bytes + self.in_flight.bytes <= most(settings.bytes)
    }

    /// Whether there is nothing to deliver and nothing to report.
    pub(super) fn is_empty(&self) -> bool {
        self.queued.records == 0 && self.lost.is_none() && self.lost_before.is_none()
    }

    #[inline]
    pub(super) fn append(&mut self, record: &Record<'_>) {
        if self.lost.is_some() {
            self.tell_lost();
        }
        // The notice of a queue in front of this one is handed on without being counted.
        self.counts.accepted += u64::from(record.kind() != Kind::Loss);
        self.put(record);
    }

    #[inline]
    fn put(&mut self, record: &Record<'_>) {
        let (kind, bytes) = (record.kind(), record.raw().len());
        if self.last.used() + bytes > CHUNK {
            self.close_last();
        }
        self.last.append(kind, record.raw());
        self.queued.add(kind, bytes);
    }

    #[cold]
    fn close_last(&mut self) {
        if !self.last.is_empty() {
            // Allocated at its full size, so that it does not grow under the lock.
            let next = self.spare.pop().unwrap_or_else(|| Batch::with_capacity(CHUNK));
            self.full.push_back(std::mem::replace(&mut self.last, next));
        }
    }

    /// Gives up a record that comes after the newest one.
    pub(super) fn lose(&mut self, record: &Record<'_>, reason: DropReason) {
        let told = notice::count_of(record);
        if told.is_none() {
            self.counts.add_dropped(reason, 1);
        }
        self.lost.get_or_insert_default().add(reason, told.unwrap_or(1));
    }

    /// Drops the oldest records until one of `bytes` bytes fits; none if the records held by the worker leave no room for it
    /// anyway.
    pub(super) fn drop_oldest(&mut self, settings: &QueueSettings, bytes: usize) {
        if self.in_flight.records >= settings.records || self.in_flight.bytes + bytes > settings.bytes {
            return;
        }
        while self.queued.records > 0 && !self.fits(settings, bytes) {
            let Some(oldest) = self.full.front_mut().unwrap_or(&mut self.last).pop_first() else { break };
            let told = notice::count_of(&oldest);
            let mut gone = Held::default();
            gone.add(oldest.kind(), oldest.raw().len());
            self.counts.dropped.add(DropReason::Oldest, u64::from(told.is_none()));
            self.lost_before.get_or_insert_default().add(DropReason::Oldest, told.unwrap_or(1));
            self.queued.subtract(gone);
            self.forget_emptied();
        }
    }

    fn forget_emptied(&mut self) {
        if self.full.front().is_some_and(Batch::is_empty) {
            let emptied = self.full.pop_front();
            emptied.into_iter().for_each(|emptied| self.keep(emptied));
        } else if self.queued.records == 0 {
            self.last.clear();
        }
    }

    fn keep(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE && batch.capacity() <= 2 * CHUNK {
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// Returns all queued records, with notices of those that were lost between them, in exchange for an empty list.
    pub(super) fn take(&mut self, empty: VecDeque<Batch>) -> VecDeque<Batch> {
        if self.lost.is_some() {
            self.tell_lost();
        }
        self.close_last();
        if let Some(lost) = self.lost_before.take() {
            let first: Batch = [&notice::lost(lost)].into_iter().collect();
            self.queued.add(Kind::Loss, first.size());
            self.full.push_front(first);
        }
        self.in_flight = std::mem::take(&mut self.queued);
        std::mem::replace(&mut self.full, empty)
    }

    /// Called when the worker has finished with a batch, of which `failed` records failed.
    pub(super) fn done(&mut self, batch: Batch, failed: u64) {
        let done = Held::of(&batch);
        let failed = failed.min(done.own());
        self.in_flight.subtract(done);
        self.counts.add_handled(done.own() - failed, failed);
        self.keep(batch);
    }

    /// Counts a record that was handled without the queue.
    pub(super) fn handled_here(&mut self, ok: bool) {
        self.counts.accepted += 1;
        self.counts.add_handled(u64::from(ok), u64::from(!ok));
    }

    /// Drops the queued records, but not those held by the worker. Returns the number of dropped records.
    pub(super) fn clear_queued(&mut self, reason: DropReason) -> u64 {
        let lost = self.queued.own();
        self.counts.dropped.add(reason, lost);
        self.queued = Held::default();
        self.full.clear();
        self.last = Batch::new();
        lost
    }

    /// Called in a forked child, where there is no worker: everything belongs to the parent, which delivers and reports it. Returns
    /// the number of records.
    pub(super) fn forget_inherited(&mut self) -> u64 {
        let queued = self.clear_queued(DropReason::Forked);
        let in_flight = self.in_flight.own();
        self.counts.dropped.add(DropReason::Forked, in_flight);
        self.in_flight = Held::default();
        (self.lost, self.lost_before) = (None, None);
        queued + in_flight
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { pending: self.queued.own() + self.in_flight.own(), ..self.counts }
    }

    #[cold]
    fn tell_lost(&mut self) {
        let Some(lost) = self.lost.take() else { return };
        self.put(&notice::lost(lost).as_record());
    }
}

/// The bytes that justify a wake-up.
const MARK: usize = 64 << 10;
/// The size of a batch, enough for one efficient write. Room is made for other records after each.
const CHUNK: usize = 64 << 10;
/// The number of batches kept for reuse: 4 MiB, or twice that if single records were larger than a batch.
const SPARE: usize = 64;
