//! Suppresses duplicates and reports their number.

mod memory;

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::memory::{Memory, Repeats, Verdict};
use super::debug::TypeName;
use super::wanted::Wanted;
use super::{DropReason, Handler, Report, Stats, Tally, guarded};
use crate::process::{self, Lifecycle, Live, Phase, Shelf};
use crate::record::{Batch, Kind, Record, Records};
use crate::selflog::Health;
use crate::sync::{lock, lock_briefly, lock_until};
use crate::{Error, ErrorKind, Partial};

/// Suppresses records that repeat a recent one, and reports how many there were: syslog's `last message repeated 41 times`,
/// logback's `DuplicateMessageFilter`.
///
/// Records are equal if severity, target, message, fields and spans are. Spans are equal if their names and fields are: a new span
/// for each attempt makes no difference, one of another tenant does. Time, thread and source position do not count.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`window`](Self::window) | 60 s | a record is a duplicate for this long after the first one |
/// | [`distinct`](Self::distinct) | 1 | how many different records are remembered; 1: only neighbors are duplicates |
/// | [`capacity_bytes`](Self::capacity_bytes) | 1 MiB | the memory for remembered records |
/// | [`fields`](Self::fields) | `true` | whether records with different fields are different |
/// | [`spans`](Self::spans) | `true` | whether records in different spans are different |
/// | [`name`](Self::name) | `dedup` | the name used in reports and selflog messages |
///
/// Duplicates are dropped as [`Duplicate`](DropReason::Duplicate). A notice of them has the severity, the target and (if they
/// count) the fields and the spans of the first one, the time of the last, and the field `repeated`: the number of suppressed records. It is
/// logged when the record is forgotten for a different one, when the window is over, on [`flush`](Handler::flush), at the end of
/// the process and when this handler is dropped. No thread watches the clock: the end of the window, by the time of the records, is
/// noticed with the next record. The notice is not counted in the report of this handler, and making it allocates.
///
/// A record that could not be delivered does not make the next one a duplicate.
///
/// Settings must be made before the first record, flush or report; a later change has no effect and is reported to [`selflog`](crate::selflog).
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
#[must_use = "a handler does nothing until records reach it"]
pub struct Dedup<H: Handler> {
    core: Lifecycle<DedupCore<H>>,
}

impl<H: Handler> Dedup<H> {
    /// Creates a handler that keeps duplicates from `handler`, with the defaults of the table.
    pub fn new(handler: H) -> Self {
        let core = DedupCore {
            handler,
            settings: DedupSettings {
                window: Duration::from_secs(60),
                distinct: 1,
                bytes: 1 << 20,
                fields: true,
                spans: true,
            },
            wanted: Wanted::new(),
            tally: Tally::default(),
            duplicates: AtomicU64::new(0),
            health: Health::default(),
        };
        Self { core: Lifecycle::new(DedupCore::<H>::KIND, core, Memory::default()) }
    }

    /// How long after the first record an equal one is a duplicate, by the time of the records. The next one after that passes.
    pub fn window(self, window: Duration) -> Self {
        self.set("window", |core| core.settings.window = window)
    }

    /// How many different records are remembered: those seen last. Each record is compared with each of them, by a hash. At least
    /// 1.
    pub fn distinct(self, records: usize) -> Self {
        self.set("distinct", |core| core.settings.distinct = records.max(1))
    }

    /// The maximum memory for remembered records, in bytes. The records seen least recently are forgotten for others, as with
    /// [`distinct`](Self::distinct). A record that is larger than this is not remembered: it and its repetitions pass.
    pub fn capacity_bytes(self, bytes: usize) -> Self {
        self.set("capacity_bytes", |core| core.settings.bytes = bytes)
    }

    /// Whether records with different fields are different.
    pub fn fields(self, fields: bool) -> Self {
        self.set("fields", |core| core.settings.fields = fields)
    }

    /// Whether records in different spans are different. If not, a storm is folded although each request has a span with an id of its
    /// own, and the notices name no spans.
    ///
    /// ```
    /// use tracing_handlers::handler::Dedup;
    /// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let memory = Memory::new();
    /// let dedup = Dedup::new(Output::new(Text::new().time(Time::none()), memory.clone())).spans(false);
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(dedup)), || {
    ///     for id in 0..42 {
    ///         let _request = tracing::info_span!("request", id).entered();
    ///         tracing::warn!(target: "shop", "no paper");
    ///     }
    /// });
    /// assert_eq!(
    ///     memory.lines(),
    ///     [" WARN request{id=0}: shop: no paper", " WARN shop: last message repeated 41 times repeated=41"],
    /// );
    /// ```
    pub fn spans(self, spans: bool) -> Self {
        self.set("spans", |core| core.settings.spans = spans)
    }

    /// The name used in reports and selflog messages.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<DedupCore<H>>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

impl<H: Handler> Handler for Dedup<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.core.start().handle(record)
    }

    /// Hands on the records that are not duplicates in one batch, with the notices of duplicates between them.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.core.start().handle_batch(records)
    }

    around!(self => self.core.handler);

    fn own_report(&self) -> Option<Report> {
        self.own_stats().map(|stats| Report::new(self.core.name.as_str(), stats))
    }

    fn own_stats(&self) -> Option<Stats> {
        let mut stats = self.core.tally.stats();
        stats.add_dropped(DropReason::Duplicate, self.core.duplicates.load(Ordering::Relaxed));
        Some(stats)
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.core.flush(deadline)
    }
}

/// Reports the duplicates that have not been reported yet.
impl<H: Handler> Drop for Dedup<H> {
    fn drop(&mut self) {
        if !self.core.is_abandoned() {
            self.core.tell_all(lock(&self.core.state).take_all());
        }
    }
}

/// Takes no lock.
impl<H: Handler> fmt::Debug for Dedup<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DedupSettings { window, distinct, bytes, fields, spans } = &self.core.settings;
        f.debug_struct("Dedup")
            .field("name", &self.core.name)
            .field("window", window)
            .field("distinct", distinct)
            .field("capacity_bytes", bytes)
            .field("fields", fields)
            .field("spans", spans)
            .field("handler", &TypeName::of(&self.core.handler))
            .finish()
    }
}

struct DedupSettings {
    window: Duration,
    distinct: usize,
    bytes: usize,
    fields: bool,
    spans: bool,
}

/// The part that a flush at exit and a fork need, even while the handler is being dropped.
struct DedupCore<H> {
    handler: H,
    settings: DedupSettings,
    wanted: Wanted,
    tally: Tally,
    duplicates: AtomicU64,
    /// The health of the notices' delivery.
    health: Health,
}

impl<H: Handler> Shelf<DedupCore<H>> {
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
                    self.was_not_delivered(serial);
                }
                handled
            }
        }
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let mut passed = Passed { records: Batch::new(), serials: SERIALS.try_with(Cell::take).unwrap_or_default() };
        let mut duplicates = 0;
        for (place, record) in records.enumerate() {
            let Some((verdict, tell)) = self.judge(&record) else { continue };
            tell.iter().for_each(|repeats| passed.push_telling(&repeats.telling(&self.settings).as_record()));
            match verdict {
                Verdict::Duplicate => duplicates += 1,
                Verdict::Passes(serial) => passed.push(place, serial, &record),
            }
        }
        self.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        let own = passed.serials.iter().filter(|serial| **serial != TELLS).count();
        match guarded(|| self.handler.handle_batch(passed.records.records())) {
            Ok(()) => {
                self.tally.add(own, 0);
                Ok(())
            }
            Err(partial) => self.batch_failed(&passed, records.len(), own, partial),
        }
    }

    #[cold]
    fn batch_failed(&self, passed: &Passed, records: usize, own: usize, partial: Partial) -> Result<(), Partial> {
        let mut missed = Vec::new();
        for index in partial.missed(passed.serials.len()) {
            if let (Some(&serial), Some(place)) = (passed.serials.get(index), passed.records.place(index)) {
                self.was_not_delivered(serial);
                missed.push(place);
            }
        }
        self.tally.add(own.saturating_sub(missed.len()), missed.len());
        if missed.is_empty() {
            // Only notices failed, which are not the caller's records.
            self.not_told(&partial.error);
            return Ok(());
        }
        Err(Partial::scattered(records, missed, partial.error))
    }

    /// Returns the verdict on the record and the duplicates to report before it; `None` if the handler does not want it.
    fn judge(&self, record: &Record<'_>) -> Option<(Verdict, Vec<Repeats>)> {
        if !self.wanted.wants(&self.handler, record) {
            return None;
        }
        // While the process ends there may be no later opportunity to report a duplicate.
        let passes = record.kind() != Kind::Event || process::is_exiting() || self.is_abandoned();
        match passes {
            true => Some((Verdict::Passes(UNKNOWN), Vec::new())),
            false => Some(lock_briefly(&self.state).judge(record, &self.settings)),
        }
    }

    #[cold]
    fn was_not_delivered(&self, serial: u64) {
        if serial != UNKNOWN {
            lock(&self.state).was_not_delivered(serial);
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
            Ok(()) => self.health.works(&self.name),
            Err(error) => self.not_told(&error),
        }
    }

    /// Reports an error of a notice, which is not an error of the record being handled.
    #[cold]
    fn not_told(&self, error: &Error) {
        if error.handler().is_none() {
            self.health.failed(&self.name, error, 1);
        }
    }
}

impl<H: Handler> Live for DedupCore<H> {
    type Guarded = Memory;
    const KIND: &'static str = "dedup";
    /// The notices go to the handler behind it, which may be a queue.
    const PHASE: Phase = Phase::Buffers;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        let Some(repeats) = lock_until(&shelf.state, deadline).map(|mut memory| memory.take_all()) else {
            return Err(Error::new(ErrorKind::Timeout, format!("{}: busy", shelf.name)));
        };
        shelf.tell_all(repeats);
        guarded(|| shelf.handler.flush(deadline))
    }

    /// Duplicates suppressed before the fork are reported by the parent.
    fn forget_pending(&self, memory: &mut Memory) {
        memory.take_all();
    }
}

/// The records of a batch that are handed on, with their serial numbers in the memory.
struct Passed {
    records: Batch,
    serials: Vec<u64>,
}

impl Passed {
    fn push(&mut self, place: usize, serial: u64, record: &Record<'_>) {
        self.records.push_at(place, record);
        self.serials.push(serial);
    }

    fn push_telling(&mut self, telling: &Record<'_>) {
        self.records.push_own(telling);
        self.serials.push(TELLS);
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        if self.serials.capacity() > KEEP {
            return;
        }
        self.serials.clear();
        // A thread that is ending keeps nothing.
        let _ = SERIALS.try_with(|kept| kept.set(std::mem::take(&mut self.serials)));
    }
}

/// The largest capacity of a list that is kept.
const KEEP: usize = 8_192;

thread_local! {
    /// Kept for reuse, so that a batch allocates nothing in the steady state.
    static SERIALS: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// In place of the serial number of a notice,
const TELLS: u64 = u64::MAX;
/// and of a record that is not in the memory.
const UNKNOWN: u64 = u64::MAX - 1;

#[cfg(test)]
mod tests;
