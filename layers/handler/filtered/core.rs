use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::Error;
use crate::clock::Timestamp;
use crate::filter::Filter;
use crate::handler::wanted::Wanted;
use crate::handler::{DropReason, Dropped, Handler, Stats, Tally, guarded, notice};
use crate::process::{Live, Phase, Shelf};
use crate::record::{Record, RecordBuf};
use crate::stats::Drops;
use crate::sync::lock;

/// The part that a flush at exit and a fork need too.
pub(super) struct FilteredCore<F, H> {
    pub(super) filter: F,
    pub(super) handler: H,
    pub(super) tell_every: Option<Duration>,
    pub(super) wanted: Wanted,
    pub(super) tally: Tally,
    dropped: Drops,
    /// The event time from which a notice is due, in nanoseconds.
    due: AtomicI64,
    /// When the last record was dropped.
    last: AtomicI64,
}

impl<F: Filter, H: Handler> FilteredCore<F, H> {
    pub(super) fn new(filter: F, handler: H) -> Self {
        Self {
            filter,
            handler,
            tell_every: None,
            wanted: Wanted::new(),
            tally: Tally::default(),
            dropped: Drops::default(),
            due: AtomicI64::new(NEVER),
            last: AtomicI64::new(0),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let (stats, dropped) = (self.tally.stats(), self.dropped.all());
        Stats { accepted: stats.accepted + dropped.total(), dropped, ..stats }
    }

    pub(super) fn drop_record(&self, record: &Record<'_>, reason: DropReason) {
        self.dropped.add(reason);
        let Some(interval) = self.tell_every else { return };
        let now = record.time().unix_nanos();
        self.last.store(now, Ordering::Relaxed);
        let interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
        let due = now.saturating_add(interval).min(NEVER - 1);
        // Set by the first drop that is not reported yet. The reporting thread resets it before it counts the drops.
        if self.due.load(Ordering::SeqCst) == NEVER {
            let _ = self.due.compare_exchange(NEVER, due, Ordering::SeqCst, Ordering::SeqCst);
        }
    }
}

impl<F: Filter, H: Handler> Shelf<FilteredCore<F, H>> {
    /// Hands on a notice. It is not a caller's record, so errors are reported here.
    pub(super) fn tell(&self, notice: &RecordBuf) {
        if let Err(error) = guarded(|| self.handler.handle(&notice.as_record())) {
            self.not_told(&error);
        }
    }

    #[cold]
    pub(super) fn not_told(&self, error: &Error) {
        if error.handler().is_none() {
            crate::selflog::tell(&format!("{}: cannot report dropped records: {error:#}", self.name));
        }
    }

    /// The notice of what has been dropped since the last one.
    #[cold]
    fn notice(&self, time: Timestamp) -> Option<RecordBuf> {
        let mut told = lock(&self.state);
        self.due.store(NEVER, Ordering::SeqCst);
        let all = self.dropped.all();
        let untold = all.since(std::mem::replace(&mut *told, all));
        drop(told);
        (untold.total() > 0).then(|| notice::filtered(untold).with_time(time))
    }

    /// Hands on the notice of the remaining drops. Returns whether there were any.
    fn tell_rest(&self) -> bool {
        if self.due.load(Ordering::SeqCst) == NEVER {
            return false;
        }
        let notice = self.notice(Timestamp::from_unix_nanos(self.last.load(Ordering::Relaxed)));
        notice.is_some_and(|notice| {
            self.tell(&notice);
            true
        })
    }

    /// The notice that is due before `record`.
    #[inline]
    pub(super) fn due_before(&self, record: &Record<'_>) -> Option<RecordBuf> {
        let due = self.due.load(Ordering::Relaxed);
        if due == NEVER || record.time().unix_nanos() < due || self.is_abandoned() {
            return None;
        }
        self.notice(record.time())
    }

    /// Reports the remaining drops when the handler is flushed or dropped.
    pub(super) fn tell_last(&self) {
        if !self.is_abandoned() {
            self.tell_rest();
        }
    }
}

impl<F: Filter, H: Handler> Live for FilteredCore<F, H> {
    /// How much of `dropped` has been reported. The lock is held for the calculation only, never while a handler is called.
    type Guarded = Dropped;
    const KIND: &'static str = "filter";
    /// Among the queues, in the order of registration: a queue in front of it is used, and so registered and flushed, before it, and
    /// a queue behind it after it.
    const PHASE: Phase = Phase::Queues;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        match shelf.tell_rest() {
            true => guarded(|| shelf.handler.flush(deadline)),
            false => Ok(()),
        }
    }

    /// Drops before the fork are reported by the parent.
    fn forget_pending(&self, told: &mut Dropped) {
        *told = self.dropped.all();
        self.due.store(NEVER, Ordering::SeqCst);
    }
}

/// Nothing to report.
const NEVER: i64 = i64::MAX;
