//! Filters, a format, a framing and a sink.

mod core;
mod counted;
mod missing;
mod piece;
mod write;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tracing_subscriber::filter::LevelFilter;

use self::core::{OutputCore, OutputState};
use super::debug::TypeName;
use super::{Handler, Report, Stats};
use crate::filter::{AnyLevel, Filter, FilterExt, Threshold};
use crate::format::{Caps, Format, Out};
use crate::framing::Framing;
use crate::process::Lifecycle;
use crate::record::{Meta, Record, Records, ShowsSpan, SpanEvents, pool};
use crate::sink::{RecordEnd, Sink};
use crate::sync::{lock, try_lock};
use crate::{Error, Partial};

/// The standard endpoint: filters, one [`Format`], one [`Framing`], one [`Sink`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`level`](Self::level) | `TRACE` | events at this level and more important ones |
/// | [`spans`](Self::spans) | `INFO`, or the level of events if that is more verbose | the spans that records show |
/// | [`span_filter`](Self::span_filter) | none | which of these spans records show, by their metadata |
/// | [`span_events`](Self::span_events) | none | the span lifecycle events to write |
/// | [`filter`](Self::filter) | none | a filter that records must pass as well; several are joined by `and` |
/// | [`framing`](Self::framing) | [`Framing::Newline`] | what ends a record |
/// | [`tell_missing`](Self::tell_missing) | `true` | whether the log itself says how many records its sink refused |
/// | [`name`](Self::name) | the sink's description | the name used in reports and selflog messages |
///
/// A record is formatted without a lock, then written under the sink's lock, on the logging thread or on the thread of a
/// [`Queue`](super::Queue) in front.
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
#[must_use = "a handler does nothing until records reach it"]
pub struct Output<F, S: Sink> {
    format: F,
    framing: Framing,
    level: AnyLevel,
    spans: Spans,
    shows_span: Option<ShowsSpan>,
    span_events: SpanEvents,
    filter: Option<Box<dyn Filter>>,
    tell_missing: bool,
    caps: Caps,
    core: Lifecycle<OutputCore<S>>,
}

impl<F: Format, S: Sink> Output<F, S> {
    /// Creates an output that writes every event to `sink`, formatted by `format`.
    pub fn new(format: F, mut sink: S) -> Self {
        // From now on the sink leaves waiting for the disk to its callers, which wait without the lock.
        drop(sink.commit());
        let caps = sink.caps();
        let mut preamble = Vec::new();
        format.preamble(&mut Out::new(&mut preamble, caps));
        let (name, state) = (sink.describe(), OutputState::new(sink, preamble));
        let core = Lifecycle::new(name, OutputCore::new(&state), state);
        // Now rather than at first use: the sink may already hold bytes.
        core::remind(core.start());
        Self {
            format,
            framing: Framing::default(),
            level: Threshold::ALL.into(),
            spans: Spans::AtLeast(LevelFilter::TRACE),
            shows_span: None,
            span_events: SpanEvents::NONE,
            filter: None,
            tell_missing: true,
            caps,
            core,
        }
    }

    /// Events at this level and more important ones: a tracing level, a [`Severity`](crate::Severity) between them, or a
    /// [`LevelSwitch`](crate::filter::LevelSwitch), whose level may change. Spans have [a level of their own](Self::spans).
    pub fn level(mut self, level: impl Into<AnyLevel>) -> Self {
        self.level = level.into();
        self.spans = self.spans.with_level(&self.level);
        self
    }

    /// The spans that records show: those at this level and more important ones, regardless of the level of events.
    /// `LevelFilter::OFF` shows none.
    ///
    /// By default those at `INFO`, so that a `WARN` keeps its request even at [`level(WARN)`](Self::level), or at the level of
    /// events if that is more verbose: `level(DEBUG)` shows `DEBUG` spans too. The level of events is the less verbose of the
    /// [`level`](Self::level) and of the most verbose level that the [filter](Self::filter) passes. That of a
    /// [`LevelSwitch`](crate::filter::LevelSwitch) is the level which it has when the record is written. A filter further in
    /// front, such as a [`Filtered`](super::Filtered) or another layer's, is not known here and has no effect on this.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let text = || Text::new().time(Time::none()).target(false);
    /// let (warnings, details) = (Memory::new(), Memory::new());
    /// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer((
    ///     Output::new(text(), warnings.clone()).level(Level::WARN),
    ///     Output::new(text(), details.clone()).level(Level::DEBUG),
    /// )));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let _request = tracing::info_span!("request").entered();
    ///     let _query = tracing::debug_span!("query").entered();
    ///     tracing::warn!("slow");
    /// });
    /// assert_eq!(warnings.lines(), [" WARN request: slow"]);
    /// assert_eq!(details.lines(), [" WARN request:query: slow"]);
    /// ```
    pub fn spans(mut self, level: impl Into<AnyLevel>) -> Self {
        let level = level.into();
        self.spans = level.fixed().map_or_else(|| Spans::Switched(level.clone()), |level| Spans::Fixed(level.level()));
        self
    }

    /// The spans that records show, and whose lifecycle events are written: of those at [their level](Self::spans), the ones that
    /// `filter` lets pass by their metadata, usually by their targets. By default all of them. tracing-subscriber's `Targets` hide
    /// spans and events at once; here, a [filter](Self::filter) hides events alone.
    ///
    /// ```
    /// use tracing_handlers::filter::Targets;
    /// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let targets = "info,tower=off".parse::<Targets>()?;
    /// let memory = Memory::new();
    /// let output = Output::new(Text::new().time(Time::none()), memory.clone()).filter(targets.clone()).span_filter(targets);
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
    ///     let _request = tracing::info_span!(target: "shop", "request").entered();
    ///     let _service = tracing::info_span!(target: "tower::service", "service").entered();
    ///     tracing::info!(target: "tower", "called");
    ///     tracing::info!(target: "shop", "sold");
    /// });
    /// assert_eq!(memory.lines(), [" INFO request: shop: sold"]);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn span_filter(mut self, filter: impl Filter) -> Self {
        self.shows_span = Some(ShowsSpan::new(move |meta| filter.enabled(meta)));
        self
    }

    /// The span lifecycle events to write, for the spans that are [shown](Self::spans) and regardless of the [level](Self::level)
    /// of events: with `LevelFilter::OFF` there, no other events are written. They must pass the [filter](Self::filter) like other
    /// records.
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

    /// Adds a filter that records must pass too.
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

    /// Whether the log itself says how many records its sink has refused, because the disk was full or the peer unreachable: `true`
    /// by default. The next line that is written is then preceded by a notice in the output's own format, `17 records missing here:
    /// No space left on device`: a WARN record of [`Kind::Loss`](crate::record::Kind::Loss) with the fields `lost` and `reason`
    /// (the last one), regardless of the level and the filter.
    ///
    /// The number counts the records that this output handed to its sink and the sink refused. Behind a
    /// [`Fallback`](super::Fallback), another handler may have taken them; records that a fallback withheld from this output are
    /// not counted. A record that a [`Retry`](super::Retry) hands over several times counts each time, even if it is delivered in
    /// the end: use `tell_missing(false)` behind one. The notice is not counted in the report. If the notice cannot be written
    /// either, it is tried again before the next line.
    ///
    /// ```
    /// use tracing_handlers::handler::Handler;
    /// use tracing_handlers::sink::{Framed, Sink};
    /// use tracing_handlers::{Error, ErrorKind, Output, Partial, RecordBuf, Severity, format::Text, format::Time};
    ///
    /// /// Has no room for the second and the third write.
    /// struct Disk { writes: usize, kept: tracing_handlers::sink::Memory }
    ///
    /// impl Sink for Disk {
    ///     fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
    ///         self.writes += 1;
    ///         match self.writes {
    ///             2 | 3 => Err(Error::new(ErrorKind::Full, "no room").into()),
    ///             _ => self.kept.write(framed),
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

    /// The name used in reports and selflog messages.
    pub fn name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        let mut state = lock(&self.core.state);
        state.counted.set_name(&name);
        state.name = name;
        drop(state);
        self
    }

    /// Whether any record can have spans or be a span event.
    fn wants_spans(&self) -> bool {
        let has_records = self.level.max_level() != LevelFilter::OFF || !self.span_events.is_empty();
        has_records && self.max_of_filter() != LevelFilter::OFF
    }

    fn max_of_filter(&self) -> LevelFilter {
        self.filter.as_ref().map_or(LevelFilter::TRACE, Filter::max_level)
    }

    /// Whether spans with this metadata are shown.
    fn shows(&self, meta: &Meta<'_>) -> bool {
        meta.level() <= self.span_level() && self.shows_span.as_ref().is_none_or(|that| that.shows(meta))
    }

    #[cold]
    fn wants_of_span(&self, record: &Record<'_>) -> bool {
        self.span_events.contains(record.kind()) && self.shows(&record.meta())
    }

    #[inline]
    fn wants(&self, record: &Record<'_>) -> bool {
        let of_span = record.kind().is_of_span();
        (if of_span { self.wants_of_span(record) } else { self.level.allows(record) })
            && self.filter.as_ref().is_none_or(|filter| filter.passes(record))
    }

    /// Appends the framed record to `bytes`, if it is wanted.
    #[inline(always)]
    fn append(&self, record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        if !self.wants(record) {
            return Ok(false);
        }
        let start = bytes.len();
        let mut record = record.with_span_level(self.span_level().min(record.span_level()));
        if let Some(shows) = &self.shows_span {
            record = record.with_spans_that(shows);
        }
        self.format.format(&record, &mut Out::new(bytes, self.caps.of_record(&record)))?;
        self.framing.frame(bytes, start);
        Ok(true)
    }
}

impl<F, S: Sink> Output<F, S> {
    /// The most verbose level of the spans that records show.
    #[inline]
    fn span_level(&self) -> LevelFilter {
        let by_filter = |level: LevelFilter| level.min(self.filter.max_level()).max(LevelFilter::INFO);
        match (&self.spans, &self.filter) {
            (Spans::Fixed(level), _) | (Spans::AtLeast(level), None) => *level,
            (Spans::AtLeast(level), Some(_)) => by_filter(*level),
            (Spans::Switched(level), _) => level.level().level(),
            (Spans::Follow, _) => by_filter(self.level.max_level()),
        }
    }
}

/// Which spans records show.
#[derive(Clone, Debug)]
enum Spans {
    /// Those at a level that was set.
    Fixed(LevelFilter),
    /// Those at the level of the output, or at `INFO` if that is more verbose, unless the filter is less verbose.
    AtLeast(LevelFilter),
    /// Those at the current level of a switch.
    Switched(AnyLevel),
    /// As `AtLeast`, for an output whose level may change.
    Follow,
}

impl Spans {
    /// The same for an output with this level.
    fn with_level(self, level: &AnyLevel) -> Self {
        match self {
            Self::Fixed(_) | Self::Switched(_) => self,
            Self::AtLeast(_) | Self::Follow => {
                level.fixed().map_or(Self::Follow, |level| Self::AtLeast(level.level().max(LevelFilter::INFO)))
            }
        }
    }
}

/// Never waits for the lock: without the name while a record is being written.
impl<F, S: Sink> fmt::Debug for Output<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Output");
        if let Some(state) = try_lock(&self.core.state) {
            shown.field("name", &state.name);
        }
        shown
            .field("level", &self.level.level())
            .field("spans", &self.span_level())
            .field("framing", &self.framing)
            .field("filtered", &self.filter.is_some())
            .field("format", &TypeName::of(&self.format))
            .field("sink", &TypeName::<S>::new())
            .finish_non_exhaustive()
    }
}

impl<F: Format, S: Sink> Handler for Output<F, S> {
    #[inline]
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut bytes = pool::take();
        let mut is_line = false;
        let handled = catch_unwind(AssertUnwindSafe(|| {
            if self.append(record, &mut bytes)? {
                is_line = true;
                let lines = [RecordEnd::new(bytes.len(), record.severity())];
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

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        piece::handle_batch(self, records)
    }

    fn own_report(&self) -> Option<Report> {
        Some(self.core.report().with_level(self.level.level()))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some(self.core.counts())
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        match meta.is_span {
            true => self.wants_spans() && (self.shows(meta) || self.filter.needs_span(meta)),
            false => {
                self.level.may_allow(meta.severity) && self.filter.as_ref().is_none_or(|filter| filter.enabled(meta))
            }
        }
    }

    fn max_level(&self) -> LevelFilter {
        match self.wants_spans() {
            true => {
                self.level.max_level().min(self.max_of_filter()).max(self.span_level()).max(self.filter.span_level())
            }
            false => LevelFilter::OFF,
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.span_events
    }

    fn looks_at_spans(&self) -> bool {
        self.filter.as_ref().is_some_and(Filter::looks_at_spans)
    }

    fn refuses_in(&self, record: &Record<'_>) -> bool {
        !self.level.may_allow(record.severity())
            || self.filter.as_ref().and_then(|f| f.passes_in(record)) == Some(false)
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.core.flush(deadline)
    }

    fn write_buffered(&self) -> Result<(), Error> {
        self.core.lock().map_or(Ok(()), core::write_buffered)
    }

    /// Its own counts, then those of its filter.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        if let Some(filter) = &self.filter {
            filter.report(reports);
        }
    }
}
