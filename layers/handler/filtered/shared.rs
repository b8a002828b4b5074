use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::Error;
use crate::clock::Timestamp;
use crate::handler::{Dropped, Handler, Stats, guarded, notice};
use crate::process::{self, Held, Resource};
use crate::record::{Record, RecordBuf};
use crate::stats::Drops;
use crate::sync::{OwnedGuard, lock};

/// What the end of the process and forks meet at too.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    delivered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) dropped: Drops,
    /// How much of `dropped` has been told. The lock is only held to reckon, never while a handler is called.
    told: Mutex<Dropped>,
    /// From this event time on there is something to tell, in nanoseconds.
    pub(super) due: AtomicI64,
    /// When the last one was dropped.
    pub(super) last: AtomicI64,
    registered: AtomicBool,
    abandoned: AtomicBool,
}

impl<H: Handler> Shared<H> {
    pub(super) fn new(handler: H) -> Self {
        Self {
            handler,
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: Drops::default(),
            told: Mutex::default(),
            due: AtomicI64::new(NEVER),
            last: AtomicI64::new(0),
            registered: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        }
    }

    pub(super) fn wants(&self, record: &Record<'_>) -> bool {
        let span_events = || self.handler.span_events();
        (!record.kind().is_of_span() || span_events().takes(record.kind())) && self.handler.enabled(&record.meta())
    }

    pub(super) fn handled(&self, delivered: u64, failed: u64) {
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let (delivered, failed) = (self.delivered.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed));
        let dropped = self.dropped.all();
        Stats { accepted: delivered + failed + dropped.total(), delivered, dropped, failed, pending: 0 }
    }

    /// Before the lock is taken for the first time: a fork at that moment must find it.
    #[inline]
    pub(super) fn register(shared: &Arc<Self>) {
        if !shared.registered.load(Ordering::Acquire) {
            process::register(shared.clone());
            shared.registered.store(true, Ordering::Release);
        }
    }

    /// Tells of what has been dropped since the last notice.
    #[cold]
    pub(super) fn notice(&self, time: Timestamp) -> Option<RecordBuf> {
        if self.abandoned.load(Ordering::Relaxed) {
            return None;
        }
        let mut told = lock(&self.told);
        self.due.store(NEVER, Ordering::SeqCst);
        let all = self.dropped.all();
        let untold = all.since(std::mem::replace(&mut *told, all));
        drop(told);
        (untold.total() > 0).then(|| notice::filtered(untold).with_time(time))
    }

    /// It is not any caller's record: its trouble is told here.
    pub(super) fn tell(&self, name: &str, notice: &RecordBuf) {
        if let Err(error) = guarded(|| self.handler.handle(&notice.as_record())) {
            self.not_told(name, &error);
        }
    }

    #[cold]
    pub(super) fn not_told(&self, name: &str, error: &Error) {
        if !error.is_told() {
            crate::selflog::tell(&format!("{name}: cannot tell of dropped records: {error}"));
        }
    }

    /// Whether there was anything.
    pub(super) fn tell_rest(&self, name: &str) -> bool {
        if self.due.load(Ordering::SeqCst) == NEVER {
            return false;
        }
        let notice = self.notice(Timestamp::from_unix_nanos(self.last.load(Ordering::Relaxed)));
        notice.is_some_and(|notice| {
            self.tell(name, &notice);
            true
        })
    }
}

/// Counts as a queue: it is flushed before the outputs that it tells.
impl<H: Handler> Resource for Shared<H> {
    fn is_queue(&self) -> bool {
        true
    }

    /// A queue behind this may have been flushed before it was told.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        match self.tell_rest("filtered") {
            true => guarded(|| self.handler.flush(deadline)),
            false => Ok(()),
        }
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(HeldFiltered(OwnedGuard::lock_until(&self, |shared| &shared.told, deadline)?, self)))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

/// The guard goes first.
struct HeldFiltered<H: Handler>(OwnedGuard<Shared<H>, Dropped>, Arc<Shared<H>>);

impl<H: Handler> Held for HeldFiltered<H> {
    /// What was dropped before the fork is the parent's to tell.
    fn forget_pending(&mut self) {
        *self.0 = self.1.dropped.all();
        self.1.due.store(NEVER, Ordering::SeqCst);
    }
}

/// There is nothing to tell.
pub(super) const NEVER: i64 = i64::MAX;
