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

/// What the flush at exit and forks reach too.
pub(super) struct Shared<F, H> {
    pub(super) filter: F,
    pub(super) handler: H,
    pub(super) tell_every: Option<Duration>,
    pub(super) wanted: Wanted,
    pub(super) tally: Tally,
    dropped: Drops,
    /// From this event time on there is something to tell, in nanoseconds.
    due: AtomicI64,
    /// When the last record was dropped.
    last: AtomicI64,
}

impl<F: Filter, H: Handler> Shared<F, H> {
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
        // For the first of those not told yet. The thread that tells sets it back before it counts them.
        if self.due.load(Ordering::SeqCst) == NEVER {
            let _ = self.due.compare_exchange(NEVER, due, Ordering::SeqCst, Ordering::SeqCst);
        }
    }
}

impl<F: Filter, H: Handler> Shelf<Shared<F, H>> {
    /// It is not the record of any caller: what goes wrong is reported here.
    pub(super) fn tell(&self, notice: &RecordBuf) {
        if let Err(error) = guarded(|| self.handler.handle(&notice.as_record())) {
            self.not_told(&error);
        }
    }

    #[cold]
    pub(super) fn not_told(&self, error: &Error) {
        if error.handler().is_none() {
            crate::selflog::tell(&format!("{}: cannot tell of dropped records: {error}", self.name));
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

    /// Whether there was anything to tell.
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

    /// The notice that has to stand before `record`.
    #[inline]
    pub(super) fn due_before(&self, record: &Record<'_>) -> Option<RecordBuf> {
        let due = self.due.load(Ordering::Relaxed);
        if due == NEVER || record.time().unix_nanos() < due || self.is_abandoned() {
            return None;
        }
        self.notice(record.time())
    }

    /// Tells what has not been told, when the handler is flushed or dropped.
    pub(super) fn tell_last(&self) {
        if !self.is_abandoned() {
            self.tell_rest();
        }
    }
}

impl<F: Filter, H: Handler> Live for Shared<F, H> {
    /// How much of `dropped` has been told. The lock is held for the calculation only, never while a handler is called.
    type State = Dropped;
    const KIND: &'static str = "filter";
    /// It tells the handler behind it, which may be a queue.
    const PHASE: Phase = Phase::Buffers;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        match shelf.tell_rest() {
            true => guarded(|| shelf.handler.flush(deadline)),
            false => Ok(()),
        }
    }

    /// What was dropped before the fork is told by the parent.
    fn forget_pending(&self, told: &mut Dropped) {
        *told = self.dropped.all();
        self.due.store(NEVER, Ordering::SeqCst);
    }
}

/// There is nothing to tell.
const NEVER: i64 = i64::MAX;
