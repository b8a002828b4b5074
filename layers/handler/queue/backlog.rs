use super::Settings;
use crate::handler::{DropReason, Dropped, Stats};
use crate::record::{Kind, Record, RecordBuf, Severity, Value};

/// The records that wait, end to end in one buffer, and the counts of all others.
#[derive(Default)]
pub(super) struct Backlog {
    buffer: Vec<u8>,
    /// Where in `buffer` the oldest one starts.
    head: usize,
    queued: Held,
    /// What the worker has taken and not reported back on.
    in_flight: Held,
    accepted: u64,
    delivered: u64,
    failed: u64,
    dropped: Dropped,
    /// Lost behind the newest record, and not told yet.
    lost: Dropped,
    /// Lost in front of the oldest record, and not told yet.
    lost_before: Dropped,
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

    pub(super) fn add(&mut self, kind: Kind, bytes: usize) {
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

    /// Nothing to deliver, and nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.queued.records == 0 && self.lost.total() == 0 && self.lost_before.total() == 0
    }

    #[inline]
    pub(super) fn append(&mut self, record: &Record<'_>) {
        if self.lost.total() > 0 {
            self.tell_lost();
        }
        let (kind, raw) = (record.kind(), record.raw());
        // The notice of a queue in front of this one is handed on, and is no record of its own here either.
        self.accepted += u64::from(kind != Kind::Loss);
        self.buffer.extend_from_slice(raw);
        self.queued.add(kind, raw.len());
    }

    /// A record is given up, behind the newest one.
    pub(super) fn lose(&mut self, record: &Record<'_>, reason: DropReason) {
        let told = notice_of(record);
        if told.is_none() {
            self.accepted += 1;
            self.dropped.add(reason, 1);
        }
        self.lost.add(reason, told.unwrap_or(1));
    }

    /// Gives up the oldest records until one of `bytes` fits; none, where what the worker has leaves no room for it anyway.
    pub(super) fn drop_oldest(&mut self, settings: &Settings, bytes: usize) {
        if self.in_flight.records >= settings.records || self.in_flight.bytes + bytes > settings.bytes {
            return;
        }
        while self.queued.records > 0 && !self.fits(settings, bytes) {
            let Some(oldest) = Record::decode(&self.buffer[self.head..]) else { break };
            let mut gone = Held::default();
            gone.add(oldest.kind(), oldest.raw().len());
            let told = notice_of(&oldest);
            self.dropped.add(DropReason::Oldest, u64::from(told.is_none()));
            self.lost_before.add(DropReason::Oldest, told.unwrap_or(1));
            self.head += gone.bytes;
            self.queued.subtract(gone);
        }
        // What is dropped at the front must not let the buffer grow at the end for ever.
        if self.head > MARK && self.head > self.buffer.len() / 2 {
            self.buffer.drain(..self.head);
            self.head = 0;
        }
    }

    /// Hands over all records that wait, with the news of those that were lost between them, for an empty buffer.
    pub(super) fn take(&mut self, empty: Vec<u8>) -> Vec<u8> {
        if self.lost_before.total() > 0 {
            let notice = notice(self.lost_before.take());
            let raw = notice.as_record().raw().to_vec();
            self.queued.add(Kind::Loss, raw.len());
            self.buffer.splice(..self.head, raw);
        } else {
            self.buffer.drain(..self.head);
        }
        self.head = 0;
        if self.lost.total() > 0 {
            self.tell_lost();
        }
        self.in_flight = std::mem::take(&mut self.queued);
        std::mem::replace(&mut self.buffer, empty)
    }

    /// The worker is through with `done`, of which `failed` records met an error.
    pub(super) fn done(&mut self, done: Held, failed: u64) {
        let failed = failed.min(done.own());
        self.in_flight.subtract(done);
        self.failed += failed;
        self.delivered += done.own() - failed;
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
        self.buffer.clear();
        self.head = 0;
        lost
    }

    /// In a forked child, where there is no worker: nothing that came along is this process's to deliver or to tell.
    pub(super) fn forget_inherited(&mut self) {
        self.clear_queued(DropReason::Forked);
        self.dropped.add(DropReason::Forked, self.in_flight.own());
        self.in_flight = Held::default();
        self.lost.take();
        self.lost_before.take();
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
        let notice = notice(self.lost.take());
        let raw = notice.as_record().raw();
        self.buffer.extend_from_slice(raw);
        self.queued.add(Kind::Loss, raw.len());
    }
}

/// The record that stands where others are missing.
fn notice(lost: Dropped) -> RecordBuf {
    let count = lost.total();
    let reasons = lost.iter().map(|(reason, count)| format!("{reason}: {count}")).collect::<Vec<_>>().join(", ");
    let message = if count == 1 { "1 record lost here".to_owned() } else { format!("{count} records lost here") };
    RecordBuf::of_kind(Kind::Loss, Severity::WARN, "tracing_handlers", &message)
        .with_field(LOST, count)
        .with_field("reason", reasons.as_str())
}

/// Of how many lost records this one tells, if that is all it does. It was never counted as accepted, but what it tells of
/// must still be told when it is lost itself.
fn notice_of(record: &Record<'_>) -> Option<u64> {
    match (record.kind(), record.field(LOST)) {
        (Kind::Loss, Some(Value::U64(lost))) => Some(lost),
        (Kind::Loss, _) => Some(0),
        _ => None,
    }
}

const LOST: &str = "lost";

/// So many bytes are worth a wake-up, and one write.
const MARK: usize = 64 << 10;
