use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crate::filter::{LevelFilter, Threshold};
use crate::handler::{Handler, Report, Stats};
use crate::record::{Meta, Record, RecordBuf, SpanEvents};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::{Error, ErrorKind};

/// The handler inside the one that [`check_handler`](super::check_handler) checks: it keeps what it receives, and fails, panics,
/// blocks or logs as a contract requires. See [`HandlerHarness::inner`](super::HandlerHarness::inner).
#[derive(Clone, Default)]
pub struct MockHandler {
    core: Arc<MockCore>,
}

#[derive(Default)]
struct MockCore {
    used: AtomicBool,
    state: Mutex<MockState>,
    changed: Condvar,
}

#[derive(Default)]
struct MockState {
    /// Every record received, delivered or not.
    seen: Vec<RecordBuf>,
    delivered: u64,
    failed: u64,
    flushed: u64,
    mood: Mood,
    span_events: SpanEvents,
    /// What the handler wants; `None`: everything.
    level: Option<Threshold>,
    /// While this is set, the handler blocks.
    is_shut: bool,
}

/// What the handler does with records.
#[derive(Clone, Default)]
pub(super) enum Mood {
    #[default]
    Works,
    Fails,
    /// Fails only for the record with this number.
    FailsAt(usize),
    PanicsAt(usize),
    /// For each record, hands another one to the handler in front on the same thread, like a sink that logs.
    Reenters(Weak<dyn Handler>),
}

impl MockHandler {
    /// A clone for the handler that is checked.
    pub(super) fn use_clone(&self) -> Self {
        self.core.used.store(true, Ordering::Relaxed);
        self.clone()
    }

    pub(super) fn is_used(&self) -> bool {
        self.core.used.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    pub(super) fn ask_for(&self, events: SpanEvents) {
        self.lock().span_events = events;
    }

    pub(super) fn want(&self, level: Threshold) {
        self.lock().level = Some(level);
    }

    pub(super) fn shut(&self, is_shut: bool) {
        self.lock().is_shut = is_shut;
        self.core.changed.notify_all();
    }

    /// Returns the messages of all records received.
    pub(super) fn messages(&self) -> Vec<String> {
        self.lock().seen.iter().map(|record| record.as_record().message().to_owned()).collect()
    }

    pub(super) fn seen(&self) -> usize {
        self.lock().seen.len()
    }

    pub(super) fn failed(&self) -> u64 {
        self.lock().failed
    }

    pub(super) fn flushed(&self) -> u64 {
        self.lock().flushed
    }

    fn lock(&self) -> MutexGuard<'_, MockState> {
        lock(&self.core.state)
    }

    /// Keeps the record, and returns its number and what to do with it.
    fn take(&self, record: &Record<'_>) -> (usize, Mood) {
        let mut state = self.lock();
        state.seen.push(RecordBuf::from(record));
        let number = state.seen.len() - 1;
        while state.is_shut {
            state = wait(&self.core.changed, state);
        }
        let mood = state.mood.clone();
        let fails = match mood {
            Mood::Fails => true,
            Mood::FailsAt(at) | Mood::PanicsAt(at) => at == number,
            Mood::Works | Mood::Reenters(_) => false,
        };
        match fails {
            true => state.failed += 1,
            false => state.delivered += 1,
        }
        (number, mood)
    }
}

impl Handler for MockHandler {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        match self.take(record) {
            (_, Mood::Fails) => Err(failure()),
            (number, Mood::FailsAt(at)) if number == at => Err(failure()),
            // Bypasses the panic hook, which would print the panic.
            (number, Mood::PanicsAt(at)) if number == at => resume_unwind(Box::new("the inner handler panics")),
            // Not for its own records: that would be endless with a handler that hands over on another thread.
            (number, Mood::Reenters(front)) if record.message() != NESTED && number < REENTRIES => {
                if let Some(front) = front.upgrade() {
                    let _ = front.handle(&super::samples::saying(NESTED).as_record());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.lock().level.is_none_or(|level| level.allows(meta.severity))
    }

    fn max_level(&self) -> LevelFilter {
        self.lock().level.map_or(LevelFilter::TRACE, Threshold::level)
    }

    fn span_events(&self) -> SpanEvents {
        self.lock().span_events
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        self.lock().flushed += 1;
        Ok(())
    }

    fn own_report(&self) -> Option<Report> {
        let state = self.lock();
        let (accepted, delivered, failed) = (state.seen.len() as u64, state.delivered, state.failed);
        let stats = Stats { accepted, delivered, failed, pending: accepted - delivered - failed, ..Stats::default() };
        Some(Report::new(NAME, stats))
    }
}

impl std::fmt::Debug for MockHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockHandler").field("used", &self.core.used).finish_non_exhaustive()
    }
}

fn failure() -> Error {
    Error::new(ErrorKind::Io, "the inner handler fails")
}

/// The name of its reports.
pub(super) const NAME: &str = "mock";
/// The message of its own records.
const NESTED: &str = "nested";
/// A bound for handlers that change the message of its own records.
const REENTRIES: usize = 1_000;
