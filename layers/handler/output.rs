use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use super::missing::{Again, Missing, Reason};
use super::{DropReason, Handler, Report, Stats, notice};
use crate::filter::{Filter, FilterExt, Threshold};
use crate::format::{Caps, Format, Out};
use crate::framing::Framing;
use crate::process::{self, Held, Resource};
use crate::record::pool::{self, Buffer};
use crate::record::{Kind, Meta, Record, RecordBuf, Records, Severity, SpanEvents};
use crate::selflog::Health;
use crate::sink::{Batch, Commit, Line, Sink};
use crate::sync::{OwnedGuard, deadline_in, lock, lock_briefly, lock_until, try_lock};
use crate::{Error, ErrorKind, Partial};

/// The standard endpoint: filters, one [`Format`], one [`Framing`], one [`Sink`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`level`](Self::level) | `TRACE` | events at this level and more important ones |
/// | [`spans`](Self::spans) | `INFO` | the spans that records show, whatever the events' level |
/// | [`span_events`](Self::span_events) | none | records of spans made, entered, left and closed |
/// | [`filter`](Self::filter) | none | a record must pass this as well; several are joined by `and` |
/// | [`framing`](Self::framing) | [`Framing::Newline`] | what ends a record |
/// | [`tell_missing`](Self::tell_missing) | yes | the log itself says how many records are missing in it |
/// | [`name`](Self::name) | what the sink is | how reports and troubles call it |
///
/// A record is formatted without a lock, then written under the sink's lock: on the thread that logs it, or on a
/// [`Queue`](super::Queue)'s.
///
/// ```
/// use tracing_handlers::{Output, format::Text, format::Time, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()), memory.clone()).level(tracing::Level::INFO);
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(target: "shop", pieces = 3, "sold");
///     tracing::debug!(target: "shop", "counted");
/// });
/// assert_eq!(memory.lines(), [" INFO shop: sold pieces=3"]);
/// ```
pub struct Output<F, S: Sink> {
    format: F,
    framing: Framing,
    level: Threshold,
    spans: LevelFilter,
    span_events: SpanEvents,
    filter: Option<Box<dyn Filter>>,
    tell_missing: bool,
    caps: Caps,
    shared: Arc<Shared<S>>,
}

impl<F: Format, S: Sink> Output<F, S> {
    /// Everything, written by `format` to `sink`.
    pub fn new(format: F, mut sink: S) -> Self {
        // From now on it leaves the waiting for the disk to those who have let go of it.
        drop(sink.commit());
        let caps = sink.caps();
        let mut preamble = Vec::new();
        format.preamble(&mut Out::new(&mut preamble, caps));
        let shared = Arc::new(Shared {
            holder: AtomicUsize::new(0),
            reentrant: AtomicU64::new(0),
            missing: Missing::default(),
            abandoned: AtomicBool::new(false),
            state: Mutex::new(State {
                name: sink.describe(),
                sink,
                preamble,
                accepted: 0,
                taken: 0,
                failed: 0,
                forked: 0,
                notices: Notices::default(),
                reason: Reason::default(),
                health: Health::default(),
            }),
        });
        process::register(shared.clone());
        Self {
            format,
            framing: Framing::default(),
            level: Threshold::ALL,
            spans: LevelFilter::INFO,
            span_events: SpanEvents::NONE,
            filter: None,
            tell_missing: true,
            caps,
            shared,
        }
    }

    /// Events at this level and more important ones: a tracing level, or a [`Severity`](crate::Severity) between them. Spans
    /// have [their own](Self::spans).
    pub fn level(mut self, level: impl Into<Threshold>) -> Self {
        self.level = level.into();
        self
    }

    /// The spans that records show: those at this level and more important ones. `LevelFilter::OFF` shows none.
    pub fn spans(mut self, level: impl Into<LevelFilter>) -> Self {
        self.spans = level.into();
        self
    }

    /// Records of these moments in the lives of the spans that are [shown](Self::spans), whatever the [level](Self::level) of
    /// events: with `LevelFilter::OFF` there, they come alone. They must pass the [filter](Self::filter) like others.
    ///
    /// ```
    /// use tracing_handlers::record::SpanEvents;
    /// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let memory = Memory::new();
    /// let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone()).span_events(SpanEvents::NEW);
    /// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
    /// tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("request", id = 7)));
    /// assert_eq!(memory.lines(), [" INFO request{id=7}: new"]);
    /// ```
    pub fn span_events(mut self, events: SpanEvents) -> Self {
        self.span_events = events;
        self
    }

    /// A record must pass `filter` too.
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.filter = Some(match self.filter {
            Some(before) => Box::new(before.and(filter)),
            None => Box::new(filter),
        });
        self
    }

    /// What ends a record.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Whether the log itself says how many records are missing in it. After the sink has refused some, because the disk was
    /// full or the peer away, the first line that goes through again stands behind one in the output's own format: `17 records
    /// missing here: No space left on device`, a record of [`Kind::Loss`](crate::record::Kind::Loss) with the fields `lost`
    /// and `reason` (the last one), of WARN, whatever the level and the filter.
    ///
    /// It counts what this output was to write, whether or not somebody else has it now: what a
    /// [`Fallback`](super::Fallback) left to others meanwhile is missing here, what a [`Retry`](super::Retry) brought through
    /// is not. A handler of one's own that tries again cannot be told from one that does not. The notice is not among the
    /// records of the report. While it cannot be written either, it stays to be told.
    ///
    /// ```
    /// use tracing_handlers::handler::Handler;
    /// use tracing_handlers::sink::{Batch, Sink};
    /// use tracing_handlers::{Error, ErrorKind, Output, Partial, RecordBuf, Severity, format::Text, format::Time};
    ///
    /// /// Has no room for the second and the third write.
    /// struct Disk { writes: usize, kept: tracing_handlers::sink::Memory }
    ///
    /// impl Sink for Disk {
    ///     fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
    ///         self.writes += 1;
    ///         match self.writes {
    ///             2 | 3 => Err(Error::new(ErrorKind::Full, "no room").into()),
    ///             _ => self.kept.write(batch),
    ///         }
    ///     }
    ///     fn describe(&self) -> String {
    ///         "disk".into()
    ///     }
    /// }
    ///
    /// # tracing_handlers::selflog::set(|_| ());
    /// let kept = tracing_handlers::sink::Memory::new();
    /// let output = Output::new(Text::new().time(Time::none()), Disk { writes: 0, kept: kept.clone() });
    /// for message in ["one", "two", "three", "four"] {
    ///     let _ = output.handle(&RecordBuf::new(Severity::INFO, "shop", message).as_record());
    /// }
    /// let notice = " WARN tracing_handlers: 2 records missing here: no room lost=2 reason=\"no room\"";
    /// assert_eq!(kept.lines(), [" INFO shop: one", notice, " INFO shop: four"]);
    /// ```
    pub fn tell_missing(mut self, tell: bool) -> Self {
        self.tell_missing = tell;
        self
    }

    /// How reports and troubles call it.
    pub fn name(self, name: impl Into<String>) -> Self {
        lock(&self.shared.state).name = name.into();
        self
    }

    /// Whether there can be a record with spans, or of one.
    fn wants_spans(&self) -> bool {
        let has_records = self.level != Threshold::OFF || !self.span_events.is_empty();
        has_records && self.max_of_filter() != LevelFilter::OFF
    }

    fn max_of_filter(&self) -> LevelFilter {
        self.filter.as_ref().map_or(LevelFilter::TRACE, Filter::max_level)
    }

    #[cold]
    fn wants_of_span(&self, record: &Record<'_>) -> bool {
        self.span_events.contains(record.kind()) && record.level() <= self.spans
    }

    #[inline]
    fn wants(&self, record: &Record<'_>) -> bool {
        let of_span = record.kind().is_of_span();
        (if of_span { self.wants_of_span(record) } else { self.level.allows(record.severity()) })
            && self.filter.as_ref().is_none_or(|filter| filter.passes(record))
    }

    /// Appends the framed record to `bytes`, if it is wanted.
    #[inline(always)]
    fn append(&self, record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        if !self.wants(record) {
            return Ok(false);
        }
        let start = bytes.len();
        let record = record.with_span_level(self.spans.min(record.span_level()));
        self.format.format(&record, &mut Out::new(bytes, self.caps))?;
        self.framing.frame(bytes, start);
        Ok(true)
    }

    /// The same; foreign code that panics here costs the record, of which nothing is left after an error.
    fn try_append(&self, record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let start = bytes.len();
        let appended = catch_unwind(AssertUnwindSafe(|| self.append(record, bytes)));
        let appended = appended.unwrap_or_else(|_| Err(format_panicked()));
        if appended.is_err() {
            bytes.truncate(start);
        }
        appended
    }

    /// As [`write`](Self::write), and a sink that panics is an error. What there is to wait for is left to the caller.
    fn try_write(&self, bytes: &[u8], lines: &[Line], unformatted: usize) -> (Result<(), Partial>, Option<Commit>) {
        let mut commit = None;
        let written = catch_unwind(AssertUnwindSafe(|| {
            self.write_with(bytes, lines, unformatted, |of_write, written| {
                commit = Some(of_write);
                written
            })
        }));
        (written.unwrap_or_else(|_| Err(self.sink_panicked(lines.len()).into())), commit)
    }

    /// Tells of it; its lines were counted as failed before it was called.
    #[cold]
    fn sink_panicked(&self, lines: usize) -> Error {
        let error = Error::new(ErrorKind::Panic, "the sink panicked");
        let Some(mut state) = self.shared.lock() else { return error };
        let State { name, health, .. } = &mut *state;
        health.failed(name, &error, lines);
        self.refused(&mut state, lines, &error);
        error.told()
    }

    /// Counts and writes `lines`, and counts `unformatted` records that never became lines. A sink that panics does so here
    /// too; then `lines` count as failed.
    #[inline]
    fn write(&self, bytes: &[u8], lines: &[Line], unformatted: usize) -> Result<(), Partial> {
        self.write_with(bytes, lines, unformatted, |commit, written| match commit.wait(far()) {
            Ok(()) => written,
            // The sink has counted them.
            Err(error) => Err(Partial::new(0, error)),
        })
    }

    /// The same; where there is something to wait for, `settle` does, without the lock.
    #[inline]
    fn write_with(
        &self,
        bytes: &[u8],
        lines: &[Line],
        unformatted: usize,
        settle: impl FnOnce(Commit, Result<(), Partial>) -> Result<(), Partial>,
    ) -> Result<(), Partial> {
        let Some(mut state) = self.shared.lock() else {
            self.shared.reentrant.fetch_add((lines.len() + unformatted) as u64, Ordering::Relaxed);
            return Ok(());
        };
        state.accepted += (lines.len() + unformatted) as u64;
        state.failed += unformatted as u64;
        let written = match lines {
            [] => Ok(()),
            lines if self.shared.missing.is_none() => state.write(bytes, lines, 0),
            lines => self.write_behind_notice(&mut state, bytes, lines),
        };
        let written = written.inspect_err(|partial| {
            self.refused(&mut state, lines.len() - partial.delivered, &partial.error);
        });
        if process::is_exiting() {
            // Nobody may come to flush after this.
            state.flush_at_exit();
        }
        match state.sink.commit() {
            None => written,
            Some(commit) => {
                drop(state);
                settle(commit, written)
            }
        }
    }

    #[cold]
    fn refused(&self, state: &mut State<S>, lines: usize, error: &Error) {
        if self.tell_missing && lines > 0 {
            self.shared.missing.add(lines as u64);
            state.reason.is(error);
        }
    }

    /// In one batch: nothing can come between the notice and the lines, and what is refused is the end of both together.
    #[cold]
    fn write_behind_notice(&self, state: &mut State<S>, bytes: &[u8], lines: &[Line]) -> Result<(), Partial> {
        let missing = &self.shared.missing;
        if Again::is_on() {
            missing.subtract(lines.len() as u64);
        }
        let count = missing.count();
        let mut all = Vec::new();
        if count == 0 || !self.notice(&state.reason.notice(count), &mut all) {
            return state.write(bytes, lines, 0);
        }
        let notice = all.len();
        all.extend_from_slice(bytes);
        let behind = lines.iter().map(|line| Line { end: notice + line.end, ..*line });
        let all_lines: Vec<_> = std::iter::once(Line { end: notice, severity: Severity::WARN }).chain(behind).collect();
        let told = state.notices.told;
        let written = state.write(&all, &all_lines, 1);
        if state.notices.told > told {
            missing.subtract(count);
        }
        written
    }

    /// Appends the framed notice; a format that cannot write it goes without.
    fn notice(&self, notice: &RecordBuf, bytes: &mut Vec<u8>) -> bool {
        let format = || self.format.format(&notice.as_record(), &mut Out::new(bytes, self.caps));
        let formatted = matches!(catch_unwind(AssertUnwindSafe(format)), Ok(Ok(())));
        if formatted {
            self.framing.frame(bytes, 0);
        }
        formatted
    }

    /// Something went wrong with a record, either before it was a line or after.
    #[cold]
    fn failed(
        &self,
        record: &Record<'_>,
        was_line: bool,
        handled: std::thread::Result<Result<(), Error>>,
    ) -> Result<(), Error> {
        let result = match (was_line, handled) {
            // Counted already.
            (true, Ok(result)) => result,
            (true, Err(_)) => Err(self.sink_panicked(1)),
            (false, Ok(result)) => return self.write(&[], &[], 1).map_err(Error::from).and(result),
            (false, Err(_)) => return self.write(&[], &[], 1).map_err(Error::from).and(Err(format_panicked())),
        };
        if let (Some(told), true) = (notice::count_of(record), self.tell_missing) {
            self.shared.missing.add_untold(told);
        }
        result
    }
}

fn format_panicked() -> Error {
    Error::new(ErrorKind::Panic, "a filter or format panicked")
}

impl<F: Format, S: Sink> Handler for Output<F, S> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        match meta.is_span {
            true => self.wants_spans() && meta.level() <= self.spans,
            false => self.level.allows(meta.severity) && self.filter.as_ref().is_none_or(|filter| filter.enabled(meta)),
        }
    }

    fn max_level(&self) -> LevelFilter {
        match self.wants_spans() {
            true => self.level.level().min(self.max_of_filter()).max(self.spans),
            false => LevelFilter::OFF,
        }
    }

    #[inline]
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut bytes = pool::take();
        let mut is_line = false;
        let handled = catch_unwind(AssertUnwindSafe(|| {
            if self.append(record, &mut bytes)? {
                is_line = true;
                let lines = [Line { end: bytes.len(), severity: record.severity() }];
                self.write(&bytes, &lines, 0)?;
            }
            Ok(())
        }));
        pool::give(bytes);
        match handled {
            Ok(Ok(())) => Ok(()),
            other => self.failed(record, is_line, other),
        }
    }

    /// Formats all records, then hands them to the sink together, in pieces of about 64 KiB.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let Kept { lines, places } = KEPT.try_with(Cell::take).unwrap_or_default();
        let mut batch = Piece {
            bytes: pool::take(),
            lines,
            places,
            unformatted: 0,
            notices: Vec::new(),
            missed: Vec::new(),
            failed: None,
            commits: Vec::new(),
        };
        let mut count = 0;
        for (place, record) in records.enumerate() {
            count = place + 1;
            match self.try_append(&record, &mut batch.bytes) {
                Ok(true) => batch.line(place, &record),
                Ok(false) => {}
                Err(error) => batch.unformatted(place, error),
            }
            if batch.bytes.len() >= BATCH_BYTES {
                batch.write_to(self);
            }
        }
        batch.write_to(self);
        batch.settle();
        let Piece { bytes, lines, places, missed, failed, .. } = batch;
        pool::give(bytes);
        // A thread that is ending keeps nothing.
        let _ = KEPT.try_with(|kept| kept.set(Kept { lines, places }));
        failed.map_or(Ok(()), |error| Err(not_all(count, missed, error)))
    }

    fn span_events(&self) -> SpanEvents {
        self.span_events
    }

    fn passed_over(&self, record: &Record<'_>) {
        if self.tell_missing && catch_unwind(AssertUnwindSafe(|| self.wants(record))).unwrap_or(true) {
            self.shared.missing.add(notice::count_of(record).unwrap_or(1));
        }
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        Resource::flush(&*self.shared, deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        reports.push(self.shared.report());
        if let Some(filter) = &self.filter {
            filter.report(reports);
        }
    }
}

/// What a batch has come to so far: lines not yet written, and what became of the rest.
struct Piece {
    bytes: Buffer,
    lines: Vec<Line>,
    /// Where in the batch the record of each line stands.
    places: Vec<usize>,
    unformatted: usize,
    /// Which lines are the notice of another handler, and of how many lost records each tells.
    notices: Vec<(usize, u64)>,
    /// The places of records that met an error.
    missed: Vec<usize>,
    failed: Option<Error>,
    /// What is to be waited for when all is written, and the places of the records that it is of: one sync serves the batch.
    commits: Vec<(Commit, Vec<usize>)>,
}

impl Piece {
    #[inline]
    fn line(&mut self, place: usize, record: &Record<'_>) {
        if record.kind() == Kind::Loss {
            self.notices.extend(notice::count_of(record).map(|told| (self.lines.len(), told)));
        }
        self.lines.push(Line { end: self.bytes.len(), severity: record.severity() });
        self.places.push(place);
    }

    fn unformatted(&mut self, place: usize, error: Error) {
        self.unformatted += 1;
        self.missed.push(place);
        self.failed = Some(error);
    }

    fn write_to<F: Format, S: Sink>(&mut self, output: &Output<F, S>) {
        if self.lines.is_empty() && self.unformatted == 0 {
            return;
        }
        let (written, commit) = output.try_write(&self.bytes, &self.lines, std::mem::take(&mut self.unformatted));
        let taken = written.as_ref().map_or_else(|partial| partial.delivered, |()| self.places.len());
        if let Err(partial) = written {
            let refused = self.notices.iter().filter(|(line, _)| output.tell_missing && *line >= taken);
            refused.for_each(|(_, told)| output.shared.missing.add_untold(*told));
            self.missed.extend_from_slice(self.places.get(taken..).unwrap_or_default());
            self.failed = Some(partial.error);
        }
        if let Some(commit) = commit {
            self.places.truncate(taken);
            self.commits.push((commit, std::mem::take(&mut self.places)));
        }
        self.bytes.clear();
        self.lines.clear();
        self.places.clear();
        self.notices.clear();
    }

    fn settle(&mut self) {
        for (commit, places) in self.commits.drain(..) {
            if let Err(error) = commit.wait(far()) {
                self.missed.extend(places);
                self.failed = Some(error);
            }
        }
    }
}

#[cold]
fn not_all(records: usize, mut missed: Vec<usize>, error: Error) -> Partial {
    missed.sort_unstable();
    Partial::scattered(records, missed, error)
}

/// What a thread keeps of a batch for the next one.
#[derive(Default)]
struct Kept {
    lines: Vec<Line>,
    places: Vec<usize>,
}

/// What outlives the output itself: a flush at exit and a fork find it here.
struct Shared<S> {
    /// The thread that holds the lock, by [`thread_token`]; 0: none.
    holder: AtomicUsize,
    reentrant: AtomicU64,
    /// Refused by the sink or left to others, and not told in the log yet.
    missing: Missing,
    abandoned: AtomicBool,
    state: Mutex<State<S>>,
}

struct State<S> {
    sink: S,
    name: String,
    preamble: Vec<u8>,
    accepted: u64,
    /// What the sink said it took: delivered, or pending in its buffer.
    taken: u64,
    failed: u64,
    forked: u64,
    notices: Notices,
    /// Why lines are missing.
    reason: Reason,
    health: Health,
}

/// The lines that the sink took and that are no records: its own notices.
#[derive(Default)]
struct Notices {
    told: u64,
    /// Which of all lines that the sink ever took they are; only those that may be pending still.
    places: Vec<u64>,
}

impl Notices {
    /// How many of the last `pending` lines of so many `taken` ones they are: what is pending is what was taken last.
    fn pending(&self, taken: u64, pending: u64) -> u64 {
        let written = (taken + self.told).saturating_sub(pending);
        self.places.iter().filter(|place| **place >= written).count() as u64
    }
}

impl<S: Sink> Shared<S> {
    /// The state; `None` where this very thread has it already, because the sink logs, or where the thread that had it
    /// does not exist in this forked child.
    #[inline(always)]
    fn lock(&self) -> Option<Guard<'_, S>> {
        let me = thread_token();
        let state = match try_lock(&self.state) {
            Some(state) => state,
            // Asked only now: to read what other threads write would cost both of them, on the way of each record.
            None if self.holder.load(Ordering::Relaxed) == me || self.abandoned.load(Ordering::Relaxed) => return None,
            None => self.wait_for_lock()?,
        };
        self.holder.store(me, Ordering::Relaxed);
        Some(Guard { state, holder: &self.holder })
    }

    #[cold]
    fn wait_for_lock(&self) -> Option<MutexGuard<'_, State<S>>> {
        match process::is_exiting() {
            // Another thread may be stuck in there, and it will not come out.
            true => lock_until(&self.state, process::exit_deadline()),
            false => Some(lock_briefly(&self.state)),
        }
    }

    fn report(&self) -> Report {
        if self.holder.load(Ordering::Relaxed) == thread_token() || self.abandoned.load(Ordering::Relaxed) {
            return Report::new("in use", Stats::default());
        }
        let mut state = lock(&self.state);
        state.count_lost();
        let reentrant = self.reentrant.load(Ordering::Relaxed);
        let pending = state.pending();
        let mut stats = Stats {
            accepted: state.accepted + reentrant,
            delivered: state.taken.saturating_sub(pending),
            failed: state.failed,
            pending,
            ..Stats::default()
        };
        stats.dropped.add(DropReason::Reentrant, reentrant);
        stats.dropped.add(DropReason::Forked, state.forked);
        Report::new(state.name.clone(), stats)
    }
}

impl<S: Sink> State<S> {
    /// The first `notices` lines, one or none, are no records.
    #[inline]
    fn write(&mut self, bytes: &[u8], lines: &[Line], notices: usize) -> Result<(), Partial> {
        let count = (lines.len() - notices) as u64;
        // Until the sink comes back.
        self.failed += count;
        let written = self.sink.write(Batch::new(bytes, lines).with_preamble(&self.preamble));
        self.failed -= count;
        let taken = written.as_ref().map_or_else(|partial| partial.delivered.min(lines.len()), |()| lines.len());
        if notices > 0 && taken > 0 {
            self.told();
        }
        match written {
            Ok(()) => {
                self.taken += count;
                self.health.works(&self.name);
                Ok(())
            }
            Err(partial) => Err(self.failed(taken.saturating_sub(notices), count, partial.error)),
        }
    }

    /// A notice was taken, as the line behind all others so far.
    #[cold]
    fn told(&mut self) {
        let place = self.taken + self.notices.told;
        // It may be written already, or pending: what lies before it and is written is of no interest any more.
        let written = place.saturating_sub(self.sink.pending() as u64);
        self.notices.places.retain(|place| *place >= written);
        self.notices.places.push(place);
        self.notices.told += 1;
    }

    /// The records among the sink's pending lines. Those of a write in which it panicked have failed already.
    fn pending(&self) -> u64 {
        let pending = self.sink.pending() as u64;
        (pending - self.notices.pending(self.taken, pending).min(pending)).min(self.taken)
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            self.sink.flush(deadline)?;
            if process::is_exiting() { self.sink.close(deadline) } else { Ok(()) }
        }));
        flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "the sink panicked in flush")))
    }

    /// What a flush has to wait for.
    fn commit(&mut self) -> Option<Commit> {
        catch_unwind(AssertUnwindSafe(|| self.sink.commit())).unwrap_or(None)
    }

    /// What the sink took, and a failed sync has taken away.
    fn count_lost(&mut self) {
        let pending = self.sink.pending() as u64;
        let lost = self.sink.lost() as u64;
        if lost > 0 {
            // Which of the pending lines they were is not known: at least as many of them as were no notices.
            let notices = self.notices.pending(self.taken, pending);
            let records = lost.saturating_sub(notices).min(self.taken);
            self.taken -= records;
            self.failed += records;
            self.notices = Notices::default();
        }
    }

    #[cold]
    fn flush_at_exit(&mut self) {
        if let Err(error) = self.flush(process::exit_deadline()) {
            self.health.failed(&self.name, &error, 0);
        }
    }

    /// Of `lines` records the sink took so many.
    #[cold]
    fn failed(&mut self, taken: usize, lines: u64, error: Error) -> Partial {
        self.taken += taken as u64;
        self.failed += lines - taken as u64;
        self.health.failed(&self.name, &error, lines as usize - taken);
        Partial::new(taken, error.told())
    }
}

struct Guard<'a, S> {
    state: MutexGuard<'a, State<S>>,
    holder: &'a AtomicUsize,
}

impl<S> Drop for Guard<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

impl<S> std::ops::Deref for Guard<'_, S> {
    type Target = State<S>;

    fn deref(&self) -> &State<S> {
        &self.state
    }
}

impl<S> std::ops::DerefMut for Guard<'_, S> {
    fn deref_mut(&mut self) -> &mut State<S> {
        &mut self.state
    }
}

impl<S: Sink> Resource for Shared<S> {
    fn is_queue(&self) -> bool {
        false
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        if self.holder.load(Ordering::Relaxed) == thread_token() || self.abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Closed, "cannot flush a sink that is being written to by this thread"));
        }
        let Some(state) = lock_until(&self.state, deadline) else {
            return Err(Error::new(ErrorKind::Timeout, "cannot flush: the sink is busy"));
        };
        self.holder.store(thread_token(), Ordering::Relaxed);
        let mut state = Guard { state, holder: &self.holder };
        let flushed = state.flush(deadline);
        let commit = state.commit();
        drop(state);
        flushed.and(commit.map_or(Ok(()), |commit| commit.wait(deadline)))
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        let state = OwnedGuard::lock_until(&self, |shared| &shared.state, deadline)?;
        self.holder.store(thread_token(), Ordering::Relaxed);
        Some(Box::new(HeldOutput { state, shared: self }))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct HeldOutput<S: Sink> {
    state: OwnedGuard<Shared<S>, State<S>>,
    shared: Arc<Shared<S>>,
}

impl<S: Sink> Held for HeldOutput<S> {
    fn forget_pending(&mut self) {
        let state = &mut *self.state;
        let pending = state.pending();
        state.sink.forget_pending();
        state.taken = state.taken.saturating_sub(pending);
        state.forked += pending;
        // The parent tells of its own.
        state.notices = Notices::default();
        self.shared.missing.subtract(u64::MAX);
    }
}

impl<S: Sink> Drop for HeldOutput<S> {
    fn drop(&mut self) {
        self.shared.holder.store(0, Ordering::Relaxed);
    }
}

/// Until when a record waits for the disk: as it does for a write, for as long as it takes, but not beyond the process's end.
#[cold]
fn far() -> Instant {
    match process::is_exiting() {
        true => process::exit_deadline(),
        false => deadline_in(Duration::MAX),
    }
}

/// A number that no other living thread has; never 0.
#[inline]
pub(super) fn thread_token() -> usize {
    // A thread that is ending has no thread-locals: all of these share a token that matches nobody who holds a lock.
    TOKEN.try_with(|token| std::ptr::from_ref(token).addr()).unwrap_or(usize::MAX)
}

thread_local! {
    static TOKEN: u8 = const { 0 };
    static KEPT: Cell<Kept> = const { Cell::new(Kept { lines: Vec::new(), places: Vec::new() }) };
}

/// One write per so many bytes.
const BATCH_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::on_record;
    use crate::handler::script::batch;

    /// Takes so many lines of each batch.
    struct Takes(usize);

    impl Sink for Takes {
        fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
            match batch.lines().len() > self.0 {
                true => Err(Partial::new(self.0, Error::new(ErrorKind::Full, "no room"))),
                false => Ok(()),
            }
        }

        fn describe(&self) -> String {
            "takes some".to_owned()
        }
    }

    #[test]
    fn what_a_batch_missed_is_told_by_its_places_whatever_became_lines() {
        let missed = |lines| {
            let format = crate::format::from_fn(|record: &Record<'_>, out: &mut Out<'_>| match record.message() {
                "d" => Err(Error::new(ErrorKind::Format, "on purpose")),
                message => {
                    out.push_str(message);
                    Ok(())
                }
            });
            let output = Output::new(format, Takes(lines)).filter(on_record(|record| record.message() != "b"));
            let result = output.handle_batch(Records::new(&batch(&["a", "b", "c", "d", "e", "f"])));
            let partial = result.unwrap_err();
            let places: Vec<_> = partial.missed(6).collect();
            assert_eq!(partial.delivered, 6 - places.len());
            places
        };
        assert_eq!(missed(9), [3]);
        assert_eq!(missed(2), [3, 4, 5]);
        assert_eq!(missed(0), [0, 2, 3, 4, 5]);
    }

    /// A sink that takes all lines but the first, and loses them when it is told to.
    #[derive(Default)]
    struct Loses {
        writes: usize,
        pending: usize,
        lost: Arc<AtomicBool>,
        panics: bool,
    }

    impl Sink for Loses {
        fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
            self.writes += 1;
            if self.writes == 1 && !self.panics {
                return Err(Partial::new(0, Error::new(ErrorKind::Full, "no room")));
            }
            self.pending += batch.lines().len();
            assert!(!self.panics, "on purpose");
            Ok(())
        }

        fn pending(&self) -> usize {
            self.pending
        }

        fn lost(&mut self) -> usize {
            if self.lost.load(Ordering::Relaxed) { std::mem::take(&mut self.pending) } else { 0 }
        }

        fn describe(&self) -> String {
            "loses".to_owned()
        }
    }

    fn send(output: &impl Handler, messages: &[&str]) {
        messages.iter().for_each(|message| {
            let _ = output.handle(&RecordBuf::new(Severity::INFO, "app", message).as_record());
        });
    }

    #[test]
    fn a_notice_that_is_lost_with_its_line_is_not_counted_as_a_record() {
        let sink = Loses::default();
        let lost = sink.lost.clone();
        let output = Output::new(crate::format::Json::new(), sink);
        send(&output, &["refused", "lost"]);
        let stats = output.shared.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (1, 1), "{stats:?}");
        lost.store(true, Ordering::Relaxed);
        let stats = output.shared.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (2, 0), "{stats:?}");
    }

    #[test]
    fn what_a_sink_that_panics_has_kept_is_not_counted_twice() {
        let output = Output::new(crate::format::Json::new(), Loses { panics: true, ..Loses::default() });
        send(&output, &["one", "two"]);
        let stats = output.shared.report().stats;
        assert!(stats.balances() && (stats.failed, stats.pending) == (2, 0), "{stats:?}");
    }

    #[test]
    fn the_notice_stands_before_a_batch_and_what_that_lost_before_the_next() {
        /// Takes so many lines of each batch in turn.
        struct Script(Vec<usize>, crate::sink::Memory);
        impl Sink for Script {
            fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
                let take = self.0.remove(0).min(batch.lines().len());
                let lines = &batch.lines()[..take];
                self.1.write(Batch::new(&batch.bytes()[..lines.last().map_or(0, |line| line.end)], lines))?;
                match take < batch.lines().len() {
                    true => Err(Partial::new(take, Error::new(ErrorKind::Full, "no room"))),
                    false => Ok(()),
                }
            }
            fn describe(&self) -> String {
                "script".to_owned()
            }
        }
        let memory = crate::sink::Memory::new();
        let format = crate::format::from_fn(|record: &Record<'_>, out: &mut Out<'_>| {
            out.push_str(record.message());
            Ok(())
        });
        let output = Output::new(format, Script(vec![0, 3, 9], memory.clone()));
        let handled = [&["a", "b"][..], &["c", "d", "e"], &["f", "g"]].map(|messages| {
            let result = output.handle_batch(Records::new(&batch(messages)));
            result.map_or_else(|partial| partial.delivered, |()| messages.len())
        });
        assert_eq!(handled, [0, 2, 2]);
        let expected = ["2 records missing here: no room", "c", "d", "1 record missing here: no room", "f", "g"];
        assert_eq!(memory.lines(), expected);
        let stats = output.shared.report().stats;
        assert!(stats.balances() && (stats.delivered, stats.failed) == (4, 3), "{stats:?}");
    }
}
