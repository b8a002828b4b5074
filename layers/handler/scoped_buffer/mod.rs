//! [`ScopedBuffer`]: details that are released only when they are needed.

mod scopes;

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::scopes::{Scopes, Take};
use super::debug::TypeName;
use super::wanted::Wanted;
use super::{Handler, Report, guarded, notice};
use crate::Error;
use crate::filter::{AnyLevel, Filter};
use crate::process::{Lifecycle, Live, Phase, Shelf};
use crate::record::{Kind, Meta, Record, Severity, SpanEvents, Value};
use crate::sync::{lock, lock_briefly};

/// Keeps the details of each request, and releases them only if it fails or is slow: Monolog's "fingers crossed", Python's
/// [`MemoryHandler`](super::Buffer) for each root span.
///
/// A request is an outermost span and everything that happens in it, on whatever thread and in whatever task. While nothing is
/// wrong, records that are [`always`](Self::always) wanted pass, and the rest is kept. The first record that
/// [triggers](Self::trigger) releases everything that is kept, in order; then that record and everything that follows in the span
/// pass too. If the span closes before that, what is kept is dropped ([`NotNeeded`](super::DropReason::NotNeeded)).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`trigger`](Self::trigger) | `ERROR` and above | a record that releases its whole span |
/// | [`slow`](Self::slow) | never | a span that was open longer than this is released when it closes |
/// | [`always`](Self::always) | `INFO` and above | the records that always pass |
/// | [`hold_all`](Self::hold_all) | off | these wait for the end of the span too, so that all records are in chronological order |
/// | [`span`](Self::span) | any | only an outermost span of this name is a request |
/// | [`spans`](Self::spans) | `INFO`, or the level of the handler behind if that is more verbose | the spans that can be requests |
/// | [`max_bytes`](Self::max_bytes) | 16 MiB | memory for everything that is kept |
/// | [`max_bytes_per_span`](Self::max_bytes_per_span) | 1 MiB | memory for one request; its oldest records go first |
/// | [`name`](Self::name) | `scoped buffer` | the name used in reports |
///
/// Records that exceed the memory are dropped ([`Oldest`](super::DropReason::Oldest)), starting with the request that began first,
/// and reported by a notice in their place if that request is released. A record outside such spans passes if it is `always`
/// wanted; otherwise it is dropped. At the end of the process, spans that are still open count as not failed. In a forked child,
/// the kept records belong to the parent.
///
/// Settings must be made before the first record, flush or report; a later change has no effect and is reported to [`selflog`](crate::selflog).
///
/// The handler behind it must want the details: do not give it a level above them. The memory of a request is allocated as it grows,
/// and reused for other requests.
///
/// ```
/// use tracing_handlers::handler::ScopedBuffer;
/// use tracing_handlers::{Output, format::{Text, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
/// let layer = tracing_handlers::layer(ScopedBuffer::new(output));
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     for id in 1..=2 {
///         let _request = tracing::info_span!("request", id).entered();
///         tracing::debug!("looked up");
///         if id == 2 {
///             tracing::error!("not found");
///         }
///     }
/// });
/// assert_eq!(memory.lines(), ["DEBUG request{id=2}: looked up", "ERROR request{id=2}: not found"]);
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct ScopedBuffer<H: Handler> {
    core: Lifecycle<ScopedBufferCore<H>>,
}

struct ScopedBufferCore<H> {
    handler: H,
    trigger: Box<dyn Filter>,
    slow: Option<Duration>,
    always: AnyLevel,
    hold_all: bool,
    span: Option<String>,
    spans: Option<AnyLevel>,
    wanted: Wanted,
}

impl<H: Handler> ScopedBuffer<H> {
    /// Creates a buffer in front of `handler`.
    pub fn new(handler: H) -> Self {
        let core = ScopedBufferCore {
            handler,
            trigger: Box::new(Severity::ERROR),
            slow: None,
            always: Severity::INFO.into(),
            hold_all: false,
            span: None,
            spans: None,
            wanted: Wanted::new(),
        };
        Self { core: Lifecycle::new(ScopedBufferCore::<H>::KIND, core, Scopes::new(16 << 20, 1 << 20)) }
    }

    /// The records that release their span.
    pub fn trigger(self, filter: impl Filter) -> Self {
        self.set("trigger", |core| core.trigger = Box::new(filter))
    }

    /// A span that was open for longer than `time` is released when it closes.
    pub fn slow(self, time: Duration) -> Self {
        self.set("slow", |core| core.slow = Some(time))
    }

    /// The records that always pass: those at this level, or at the current one of a [`LevelSwitch`](crate::filter::LevelSwitch),
    /// and more important ones.
    pub fn always(self, level: impl Into<AnyLevel>) -> Self {
        self.set("always", |core| core.always = level.into())
    }

    /// Whether the records that always pass wait for the end of the span, or for the trigger, so that all records are in
    /// chronological order.
    pub fn hold_all(self, hold: bool) -> Self {
        self.set("hold_all", |core| core.hold_all = hold)
    }

    /// Only spans of this name are requests: the outermost of them, if they are nested.
    pub fn span(self, name: impl Into<String>) -> Self {
        self.set("span", |core| core.span = Some(name.into()))
    }

    /// The spans that can be requests: those at this level and more important ones.
    ///
    /// By default those at `INFO`, or at the most verbose level that the handler behind wants if that is more verbose: behind an
    /// output at `DEBUG`, a request span at `DEBUG` is a request, as tower-http's `TraceLayer` makes them. If the outermost span
    /// of such a level is more than one request, such as a connection, set this level, or the [name](Self::span).
    pub fn spans(self, level: impl Into<AnyLevel>) -> Self {
        self.set("spans", |core| core.spans = Some(level.into()))
    }

    /// Memory for everything that is kept, in bytes.
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.set("max_bytes", |core| lock(&core.state).max_bytes = bytes)
    }

    /// Memory for what is kept of one span, in bytes.
    pub fn max_bytes_per_span(self, bytes: usize) -> Self {
        self.set("max_bytes_per_span", |core| lock(&core.state).max_bytes_per_scope = bytes)
    }

    /// The name used in reports.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    /// Returns the memory currently allocated for kept records, in bytes.
    pub fn held_bytes(&self) -> usize {
        lock(&self.core.start().state).bytes()
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<ScopedBufferCore<H>>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

impl<H: Handler> Handler for ScopedBuffer<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if self.core.is_abandoned() {
            return self.core.handler.handle(record);
        }
        let core = self.core.start();
        if record.kind() == Kind::SpanClose {
            return core.close(record);
        }
        if !core.wanted.wants(&core.handler, record) {
            return Ok(());
        }
        match core.scope_of(record) {
            Some(scope) => core.handle_in(scope, record),
            None => core.handle_outside(false, record),
        }
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.core.handler)
    }

    fn own_report(&self) -> Option<Report> {
        let core = self.core.start();
        Some(Report::new(core.name.as_str(), core.stats(|| lock(&core.state).stats())))
    }

    /// The spans that can be requests, and those that the trigger decides by, are wanted too, unless the handler wants nothing.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let handler = &self.core.handler;
        let is_needed =
            || meta.is_span && (meta.level() <= self.core.span_level() || self.core.trigger.needs_span(meta));
        handler.enabled(meta) || (is_needed() && handler.max_level() != LevelFilter::OFF)
    }

    fn max_level(&self) -> LevelFilter {
        match self.core.handler.max_level() {
            LevelFilter::OFF => LevelFilter::OFF,
            level => level.max(self.core.span_level()).max(self.core.trigger.span_level()),
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.core.handler.span_events() | SpanEvents::CLOSE
    }
}

impl<H: Handler> Shelf<ScopedBufferCore<H>> {
    /// The most verbose level of the spans that can be requests.
    fn span_level(&self) -> LevelFilter {
        match &self.spans {
            Some(spans) => spans.level().level(),
            None => self.handler.max_level().max(LevelFilter::INFO),
        }
    }

    /// Returns the id of the outermost span that the record belongs to.
    fn scope_of(&self, record: &Record<'_>) -> Option<u64> {
        let mut spans = record.with_span_level(self.span_level()).spans();
        let root = match &self.span {
            Some(name) => spans.find(|span| span.name() == name),
            None => spans.next(),
        };
        // Spans of records that do not come from tracing have no ids.
        root.map(|span| span.id()).filter(|id| *id != 0)
    }

    fn handle_in(&self, scope: u64, record: &Record<'_>) -> Result<(), Error> {
        let triggers = self.trigger.passes(record);
        let may_pass = !self.hold_all && self.always.allows(record);
        let mut scopes = lock_briefly(&self.state);
        scopes.counts.accepted += 1;
        match scopes.take(scope, record, triggers, may_pass) {
            Take::Kept => Ok(()),
            Take::Pass => {
                drop(scopes);
                self.pass(record)
            }
            Take::Release { kept } => {
                drop(scopes);
                let released = self.release(scope);
                if kept { released } else { self.pass(record).and(released) }
            }
        }
    }

    /// Hands on what is kept, until nothing is left. Records logged in the span meanwhile are added, so that everything stays in
    /// order.
    fn release(&self, scope: u64) -> Result<(), Error> {
        let mut result = Ok(());
        loop {
            let Some((kept, lost)) = lock(&self.state).kept_of(scope) else { return result };
            if lost.total() > 0 {
                result = guarded(|| self.handler.handle(&notice::lost(lost).as_record())).and(result);
            }
            let handled = guarded(|| self.handler.handle_batch(kept.records()));
            lock(&self.state).delivered(kept, &handled);
            if let Err(partial) = handled {
                result = Err(partial.error);
            }
        }
    }

    fn pass(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = guarded(|| self.handler.handle(record));
        lock_briefly(&self.state).passed(handled.is_ok());
        handled
    }

    /// Called when a span has closed, possibly one with kept records.
    fn close(&self, record: &Record<'_>) -> Result<(), Error> {
        let last = record.spans().next_back().map(|span| span.id());
        let scope = self.scope_of(record);
        let (is_out, result) = match scope.filter(|scope| last == Some(*scope)) {
            Some(scope) => self.end(scope, record),
            None => (false, Ok(())),
        };
        if !self.handler.span_events().contains(Kind::SpanClose) {
            return result;
        }
        let handled = match scope.filter(|scope| last != Some(*scope)) {
            Some(scope) => self.handle_in(scope, record),
            None => self.handle_outside(is_out, record),
        };
        handled.and(result)
    }

    /// Returns whether the span was released, and the result of releasing what was still kept.
    fn end(&self, scope: u64, close: &Record<'_>) -> (bool, Result<(), Error>) {
        let was_slow = self.slow.is_some_and(|slow| open_for(close) > slow);
        let (is_out, releases) = {
            let mut scopes = lock(&self.state);
            let is_out = was_slow || scopes.is_released(scope);
            let releases = match was_slow {
                true => scopes.begin_release(scope),
                false => self.hold_all && scopes.keep_only(scope, &self.always),
            };
            (is_out, releases)
        };
        let result = if releases { self.release(scope) } else { Ok(()) };
        lock(&self.state).end(scope);
        (is_out, result)
    }

    /// Handles a record outside the spans that can be requests.
    fn handle_outside(&self, is_out: bool, record: &Record<'_>) -> Result<(), Error> {
        let is_wanted = || self.always.allows(record) || self.trigger.passes(record);
        let passes = is_out || record.kind() == Kind::Loss || is_wanted();
        lock(&self.state).outside(passes);
        if passes { self.pass(record) } else { Ok(()) }
    }
}

fn open_for(close: &Record<'_>) -> Duration {
    let nanos = |name| match close.field(name) {
        Some(Value::U64(nanos)) => nanos,
        _ => 0,
    };
    Duration::from_nanos(nanos("busy_ns").saturating_add(nanos("idle_ns")))
}

/// Takes no lock.
impl<H: Handler> fmt::Debug for ScopedBuffer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScopedBufferCore { handler, slow, always, hold_all, span, spans, .. } = &**self.core;
        f.debug_struct("ScopedBuffer")
            .field("name", &self.core.name)
            .field("slow", slow)
            .field("always", always)
            .field("hold_all", hold_all)
            .field("span", span)
            .field("spans", spans)
            .field("handler", &TypeName::of(handler))
            .finish_non_exhaustive()
    }
}

impl<H: Handler> Live for ScopedBufferCore<H> {
    type Guarded = Scopes;
    const KIND: &'static str = "scoped buffer";
    const PHASE: Phase = Phase::Buffers;

    /// Releases nothing: the requests have not failed.
    fn flush(_: &Shelf<Self>, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn forget_pending(&self, scopes: &mut Scopes) {
        scopes.forget_inherited();
    }
}
