//! Duplicates suppressed, and told.

mod memory;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::memory::{Memory, Repeats, Verdict};
use super::rest::Rest;
use super::wanted::Wanted;
use super::{DropReason, Handler, Report, Stats, Tally, guarded};
use crate::process::{self, Held, Resource};
use crate::record::{Kind, Meta, Record, Records, SpanEvents};
use crate::selflog::Health;
use crate::sync::{OwnedGuard, lock, lock_briefly, lock_until};
use crate::{Error, ErrorKind, Partial};

/// Suppresses records that say what was just said, and tells how many they were: syslog's `last message repeated 41 times`,
/// logback's `DuplicateMessageFilter`.
///
/// Records are equal when severity, target, message and fields are; time, thread, place and spans do not count.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`window`](Self::window) | 60 s | a record is a duplicate for so long after the first one |
/// | [`distinct`](Self::distinct) | 1 | how many different records are remembered; 1: only neighbours are duplicates |
/// | [`fields`](Self::fields) | `true` | whether records with other fields are other records |
/// | [`name`](Self::name) | `dedup` | how reports and troubles call it |
///
/// Duplicates are dropped as [`Duplicate`](DropReason::Duplicate). A record that tells of them has the severity, the target,
/// the spans and (where they count) the fields of the first, the time of the last, and the field `repeated`: the number of those
/// suppressed. It comes when the record is forgotten for a different one, when the window is over, on
/// [`flush`](Handler::flush), at the end of the process and when this handler is dropped. There is no thread that looks at the
/// clock: the end of the window, by the time of the records, shows with the next record. The record that tells is not counted in
/// the report of this handler; that it is made allocates.
///
/// A record that could not be delivered does not make the next one a duplicate.
///
/// ```
/// use tracing_handlers::handler::Dedup;
/// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let dedup = Dedup::new(Output::new(Text::new().time(Time::none()), memory.clone()));
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(dedup));
/// tracing::subscriber::with_default(subscriber, || {
///     (0..42).for_each(|_| tracing::warn!(target: "shop", "no paper"));
///     tracing::info!(target: "shop", "sold");
/// });
/// assert_eq!(
///     memory.lines(),
///     [" WARN shop: no paper", " WARN shop: last message repeated 41 times repeated=41", " INFO shop: sold"],
/// );
/// ```
pub struct Dedup<H: Handler> {
    shared: Arc<Shared<H>>,
}

impl<H: Handler> Dedup<H> {
    /// Keeps duplicates from `handler`, with the defaults of the table.
    pub fn new(handler: H) -> Self {
        let shared = Shared {
            handler,
            settings: Settings::default(),
            wanted: Wanted::new(),
            tally: Tally::default(),
            duplicates: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            registered: AtomicBool::new(false),
            memory: Mutex::default(),
            health: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How long after the first one a record is its duplicate, by the time of the records; then one gets through again.
    pub fn window(self, window: Duration) -> Self {
        self.set(|settings| settings.window = window)
    }

    /// How many different records are remembered, those seen last. Each record is compared with each of them, by a hash. At
    /// least 1.
    pub fn distinct(self, records: usize) -> Self {
        self.set(|settings| settings.distinct = records.max(1))
    }

    /// Whether records with other fields are other records.
    pub fn fields(self, fields: bool) -> Self {
        self.set(|settings| settings.fields = fields)
    }

    /// How reports and troubles call it.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.name = name.into())
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(&mut shared.settings),
            // Forks and the exit know of it.
            None => crate::selflog::tell("a dedup that is in use keeps its settings: set them first"),
        }
        self
    }

    /// Before the lock is taken for the first time, and not under it: a fork takes the list of resources first.
    #[inline]
    fn register(&self) {
        if !self.shared.registered.load(Ordering::Acquire) {
            process::register(self.shared.clone());
            self.shared.registered.store(true, Ordering::Release);
        }
    }
}

impl<H: Handler> Handler for Dedup<H> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.shared.handler.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.shared.handler.max_level()
    }

    fn span_events(&self) -> SpanEvents {
        self.shared.handler.span_events()
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.register();
        self.shared.handle(record)
    }

    /// Those that are no duplicates go on in one batch, with the records that tell of duplicates between them.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.register();
        self.shared.handle_batch(records)
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.register();
        Resource::flush(&*self.shared, deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        reports.push(Report::new(self.shared.settings.name.clone(), self.shared.stats()));
        self.shared.handler.report(reports);
    }
}

/// Tells of the duplicates that were not told yet.
impl<H: Handler> Drop for Dedup<H> {
    fn drop(&mut self) {
        if !self.shared.abandoned.load(Ordering::Relaxed) {
            self.shared.tell_all(lock(&self.shared.memory).take_all());
        }
    }
}

struct Settings {
    window: Duration,
    distinct: usize,
    fields: bool,
    name: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { window: Duration::from_secs(60), distinct: 1, fields: true, name: "dedup".to_owned() }
    }
}

/// What outlives the handler itself: a flush at exit and a fork find it here.
struct Shared<H> {
    handler: H,
    settings: Settings,
    wanted: Wanted,
    tally: Tally,
    duplicates: AtomicU64,
    abandoned: AtomicBool,
    registered: AtomicBool,
    memory: Mutex<Memory>,
    /// Of the records that tell.
    health: Mutex<Health>,
}

impl<H: Handler> Shared<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let Some((verdict, tell)) = self.judge(record) else { return Ok(()) };
        self.tell_all(tell);
        match verdict {
            Verdict::Duplicate => {
                self.duplicates.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Verdict::Passes(serial) => {
                let handled = self.tally.one(guarded(|| self.handler.handle(record)));
                if handled.is_err() {
                    lock(&self.memory).was_not_delivered(serial);
                }
                handled
            }
        }
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let mut passed = Passed { rest: Rest::new(), serials: SERIALS.try_with(Cell::take).unwrap_or_default() };
        let (mut count, mut duplicates) = (0, 0);
        for (place, record) in records.enumerate() {
            count = place + 1;
            let judged = match self.span_events_take(&record) {
                true => self.judge(&record),
                false => None,
            };
            let Some((verdict, tell)) = judged else { continue };
            tell.iter().for_each(|repeats| passed.push(None, TELLS, &repeats.telling(&self.settings).as_record()));
            match verdict {
                Verdict::Duplicate => duplicates += 1,
                Verdict::Passes(serial) => passed.push(Some(place), serial, &record),
            }
        }
        self.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        let handled = guarded(|| self.handler.handle_batch(passed.rest.records()));
        let own = passed.serials.iter().filter(|serial| **serial != TELLS).count();
        match handled {
            Ok(()) => {
                self.tally.add(own, 0);
                Ok(())
            }
            Err(partial) => self.batch_failed(&passed, count, own, partial),
        }
    }

    #[cold]
    fn batch_failed(&self, passed: &Passed, records: usize, own: usize, partial: Partial) -> Result<(), Partial> {
        let mut missed = Vec::new();
        let mut memory = lock(&self.memory);
        for at in partial.missed(passed.serials.len()) {
            match passed.serials.get(at) {
                None | Some(&TELLS) => {}
                Some(&serial) => {
                    memory.was_not_delivered(serial);
                    missed.push(passed.rest.place(at));
                }
            }
        }
        drop(memory);
        self.tally.add(own.saturating_sub(missed.len()), missed.len());
        if missed.is_empty() {
            // Only of records that told of others.
            self.not_told(&partial.error);
            return Ok(());
        }
        Err(Partial::scattered(records, missed, partial.error))
    }

    fn span_events_take(&self, record: &Record<'_>) -> bool {
        !record.kind().is_of_span() || self.handler.span_events().takes(record.kind())
    }

    /// What becomes of the record, and what must be told before; `None`: nobody wants it.
    fn judge(&self, record: &Record<'_>) -> Option<(Verdict, Vec<Repeats>)> {
        if !self.wanted.look_up(record, || self.handler.enabled(&record.meta())) {
            return None;
        }
        // While the process ends nobody may come to tell of it.
        let passes = record.kind() != Kind::Event || process::is_exiting() || self.abandoned.load(Ordering::Relaxed);
        match passes {
            true => Some((Verdict::Passes(TELLS - 1), Vec::new())),
            false => Some(lock_briefly(&self.memory).judge(record, &self.settings)),
        }
    }

    #[inline]
    fn tell_all(&self, all: Vec<Repeats>) {
        all.iter().for_each(|repeats| self.tell(repeats));
    }

    #[cold]
    fn tell(&self, repeats: &Repeats) {
        let telling = repeats.telling(&self.settings);
        match guarded(|| self.handler.handle(&telling.as_record())) {
            Ok(()) => lock(&self.health).works(&self.settings.name),
            Err(error) => self.not_told(&error),
        }
    }

    /// The error is not that of the record that is being handled.
    #[cold]
    fn not_told(&self, error: &Error) {
        lock(&self.health).failed(&self.settings.name, error, 1);
    }

    fn stats(&self) -> Stats {
        let mut stats = self.tally.stats();
        let duplicates = self.duplicates.load(Ordering::Relaxed);
        stats.accepted += duplicates;
        stats.dropped.add(DropReason::Duplicate, duplicates);
        stats
    }
}

/// What goes on of a batch, with the serial numbers by which the memory knows it.
struct Passed {
    rest: Rest,
    serials: Vec<u64>,
}

impl Passed {
    fn push(&mut self, place: Option<usize>, serial: u64, record: &Record<'_>) {
        self.rest.push(place.unwrap_or(usize::MAX), record);
        self.serials.push(serial);
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        self.serials.clear();
        // A thread that is ending keeps nothing.
        let _ = SERIALS.try_with(|kept| kept.set(std::mem::take(&mut self.serials)));
    }
}

thread_local! {
    /// Kept for reuse, so that a batch allocates nothing in the steady state.
    static SERIALS: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Stands for the serial number of a record that tells of others.
const TELLS: u64 = u64::MAX;

impl<H: Handler> Resource for Shared<H> {
    fn is_queue(&self) -> bool {
        false
    }

    fn is_buffer(&self) -> bool {
        true
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Closed, "a dedup of the parent process cannot be flushed"));
        }
        let Some(repeats) = lock_until(&self.memory, deadline).map(|mut memory| memory.take_all()) else {
            return Err(Error::new(ErrorKind::Timeout, format!("{}: busy", self.settings.name)));
        };
        self.tell_all(repeats);
        guarded(|| self.handler.flush(deadline))
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        let memory = OwnedGuard::lock_until(&self, |shared| &shared.memory, deadline)?;
        let health = OwnedGuard::lock_until(&self, |shared| &shared.health, deadline)?;
        Some(Box::new(HeldDedup { memory, _health: health }))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct HeldDedup<H: 'static> {
    memory: OwnedGuard<Shared<H>, Memory>,
    _health: OwnedGuard<Shared<H>, Health>,
}

impl<H: Handler> Held for HeldDedup<H> {
    /// What was suppressed in the parent is told there.
    fn forget_pending(&mut self) {
        self.memory.take_all();
    }
}

#[cfg(test)]
mod tests;
