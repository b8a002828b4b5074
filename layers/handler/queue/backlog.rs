use std::collections::VecDeque;

use super::Settings;
use crate::handler::{DropReason, Dropped, Stats, notice};
use crate::record::{Kind, Record};

/// The records that wait, and the counts of all others.
///
/// They lie end to end in chunks. One buffer for all of them would have to be moved when the oldest are dropped, or when it
/// grows: milliseconds during which nobody can log.
#[derive(Default)]
pub(super) struct Backlog {
    /// Those before `last`, oldest first.
    full: VecDeque<Chunk>,
    /// What is appended to.
    last: Chunk,
    /// Buffers that the worker is through with.
    spare: Vec<Vec<u8>>,
    queued: Held,
    /// What the worker has taken and not reported back on.
    in_flight: Held,
    accepted: u64,
    delivered: u64,
    failed: u64,
    dropped: Dropped,
    /// Lost behind the newest record, and not told yet.
    lost: Option<Dropped>,
    /// Lost in front of the oldest record, and not told yet.
    lost_before: Option<Dropped>,
}

/// Whole records: about [`CHUNK`] bytes of them, or a single larger one.
#[derive(Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// Where in `bytes` the oldest one starts.
    head: usize,
    held: Held,
}

impl Chunk {
    pub(super) fn records(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    pub(super) fn held(&self) -> Held {
        self.held
    }

    #[inline]
    fn append(&mut self, kind: Kind, raw: &[u8]) {
        self.bytes.extend_from_slice(raw);
        self.held.add(kind, raw.len());
    }

    fn drop_oldest(&mut self) -> Option<Record<'_>> {
        let oldest = Record::decode(&self.bytes[self.head..])?;
        self.head += oldest.raw().len();
        self.held.subtract(Held::of(&oldest));
        Some(oldest)
    }
}

/// How many records are somewhere, and how many of them only tell of others that were lost.
#[derive(Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) records: usize,
    pub(super) notices: usize,
    pub(super) bytes: usize,
}

impl Held {
    fn own(self) -> u64 {
        (self.records - self.notices) as u64
    }

    fn of(record: &Record<'_>) -> Self {
        let mut held = Self::default();
        held.add(record.kind(), record.raw().len());
        held
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
    pub(super) fn fits(&self, settings: &Settings, bytes: usize) -> bool {
        self.queued.records + self.in_flight.records < settings.records
            && self.queued.bytes + self.in_flight.bytes + bytes <= settings.bytes
    }

    /// Whether enough has come together for the worker to be worth waking.
    #[inline]
    pub(super) fn is_at_mark(&self, settings: &Settings) -> bool {
        self.queued.bytes >= MARK.min(settings.bytes / 2) || self.queued.records >= settings.records.div_ceil(2)
    }

    /// Whether there is so much room that those who wait for some will not be back at once.
    pub(super) fn is_roomy(&self, settings: &Settings) -> bool {
        let most = |all: usize| all - all / 4;
        self.queued.records + self.in_flight.records <= most(settings.records)
            && self.queued.bytes + self.in_flight.bytes <= most(settings.bytes)
    }

    /// Nothing to deliver, and nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.queued.records == 0 && self.lost.is_none() && self.lost_before.is_none()
    }

    #[inline]
    pub(super) fn append(&mut self, record: &Record<'_>) {
        if self.lost.is_some() {
            self.tell_lost();
        }
        // The notice of a queue in front of this one is handed on, and is no record of its own here either.
        self.accepted += u64::from(record.kind() != Kind::Loss);
        self.put(record.kind(), record.raw());
    }

    #[inline]
    fn put(&mut self, kind: Kind, raw: &[u8]) {
        if self.last.bytes.len() + raw.len() > CHUNK {
            self.close_last();
        }
        self.last.append(kind, raw);
        self.queued.add(kind, raw.len());
    }

    #[cold]
    fn close_last(&mut self) {
        if self.last.held.records > 0 {
            // At its full size at once: it would grow under the lock.
            let bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
            self.full.push_back(std::mem::replace(&mut self.last, Chunk { bytes, ..Chunk::default() }));
        }
    }

    /// A record is given up, behind the newest one.
    pub(super) fn lose(&mut self, record: &Record<'_>, reason: DropReason) {
        let told = notice::count_of(record);
        if told.is_none() {
            self.accepted += 1;
            self.dropped.add(reason, 1);
        }
        self.lost.get_or_insert_default().add(reason, told.unwrap_or(1));
    }

    /// Gives up the oldest records until one of `bytes` fits; none, where what the worker has leaves no room for it anyway.
    pub(super) fn drop_oldest(&mut self, settings: &Settings, bytes: usize) {
        if self.in_flight.records >= settings.records || self.in_flight.bytes + bytes > settings.bytes {
            return;
        }
        while self.queued.records > 0 && !self.fits(settings, bytes) {
            let Some(oldest) = self.full.front_mut().unwrap_or(&mut self.last).drop_oldest() else { break };
            let told = notice::count_of(&oldest);
            self.dropped.add(DropReason::Oldest, u64::from(told.is_none()));
            self.lost_before.get_or_insert_default().add(DropReason::Oldest, told.unwrap_or(1));
            self.queued.subtract(Held::of(&oldest));
            self.forget_emptied();
        }
    }

    fn forget_emptied(&mut self) {
        if self.full.front().is_some_and(|oldest| oldest.held.records == 0) {
            let emptied = self.full.pop_front();
            emptied.into_iter().for_each(|emptied| self.keep(emptied));
        } else if self.queued.records == 0 {
            self.last.bytes.clear();
            self.last.head = 0;
        }
    }

    fn keep(&mut self, chunk: Chunk) {
        let Chunk { mut bytes, .. } = chunk;
        if self.spare.len() < SPARE && bytes.capacity() <= 2 * CHUNK {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// Hands over all records that wait, with the news of those that were lost between them, for an empty list.
    pub(super) fn take(&mut self, empty: VecDeque<Chunk>) -> VecDeque<Chunk> {
        if self.lost.is_some() {
            self.tell_lost();
        }
        self.close_last();
        if let Some(lost) = self.lost_before.take() {
            let notice = notice::lost(lost);
            let mut first = Chunk::default();
            first.append(Kind::Loss, notice.as_record().raw());
            self.queued.add(Kind::Loss, first.bytes.len());
            self.full.push_front(first);
        }
        self.in_flight = std::mem::take(&mut self.queued);
        std::mem::replace(&mut self.full, empty)
    }

    /// The worker is through with a chunk, of which `failed` records met an error.
    pub(super) fn done(&mut self, chunk: Chunk, failed: u64) {
        let done = chunk.held;
        let failed = failed.min(done.own());
        self.in_flight.subtract(done);
        self.failed += failed;
        self.delivered += done.own() - failed;
        self.keep(chunk);
    }

    /// A record that went past the queue.
    pub(super) fn handled_here(&mut self, ok: bool) {
        self.accepted += 1;
        match ok {
            true => self.delivered += 1,
            false => self.failed += 1,
        }
    }

    /// Gives up what waits, but not what the worker has; tells how many that were.
    pub(super) fn clear_queued(&mut self, reason: DropReason) -> u64 {
        let lost = self.queued.own();
        self.dropped.add(reason, lost);
        self.queued = Held::default();
        self.full.clear();
        self.last = Chunk::default();
        lost
    }

    /// In a forked child, where there is no worker: nothing that came along is this process's to deliver or to tell.
    pub(super) fn forget_inherited(&mut self) {
        self.clear_queued(DropReason::Forked);
        self.dropped.add(DropReason::Forked, self.in_flight.own());
        self.in_flight = Held::default();
        (self.lost, self.lost_before) = (None, None);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            accepted: self.accepted,
            delivered: self.delivered,
            dropped: self.dropped,
            failed: self.failed,
            pending: self.queued.own() + self.in_flight.own(),
        }
    }

    #[cold]
    fn tell_lost(&mut self) {
        let Some(lost) = self.lost.take() else { return };
        let notice = notice::lost(lost);
        self.put(Kind::Loss, notice.as_record().raw());
    }
}

/// So many bytes are worth a wake-up.
const MARK: usize = 64 << 10;
/// So many bytes are worth one write; and room is made for others each time as many are through.
const CHUNK: usize = 64 << 10;
/// Buffers that are kept for later: 4 MiB, and twice that where single records were larger than a chunk.
const SPARE: usize = 64;
