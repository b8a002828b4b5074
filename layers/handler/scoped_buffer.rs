//! [`ScopedBuffer`]: what is logged in detail comes out only where it is wanted afterwards.

mod scopes;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::scopes::{Scopes, Take};
use super::{Handler, Report, Stats, guarded, notice};
use crate::Error;
use crate::filter::{Filter, Threshold};
use crate::process::{self, Held, Resource};
use crate::record::{Kind, Meta, Record, Records, Severity, SpanEvents, Value};
use crate::sync::{OwnedGuard, lock, lock_briefly};

/// Keeps the details of each request, and lets them out only if it fails or is slow: Monolog's "fingers crossed", Python's
/// [`MemoryHandler`](super::Buffer) for each root span.
///
/// A request is an outermost span and all that happens in it, on whatever thread and in whatever task. While nothing is wrong
/// what is [`always`](Self::always) wanted passes, and the rest is kept. With the first record that [triggers](Self::trigger) all
/// that is kept comes out, in order, then that record, then whatever follows in the span. When the span closes and nothing has
/// happened, what is kept is dropped ([`NotNeeded`](super::DropReason::NotNeeded)).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`trigger`](Self::trigger) | `ERROR` and above | a record that lets all of its span out |
/// | [`slow`](Self::slow) | never | a span that was open longer than this lets all out when it closes |
/// | [`always`](Self::always) | `INFO` and above | passes whatever happens |
/// | [`hold_all`](Self::hold_all) | off | also these wait for the span's end, so that all comes out in the order of time |
/// | [`span`](Self::span) | any | only an outermost span of this name is a request |
/// | [`spans`](Self::spans) | `INFO` and above | the spans that can be requests |
/// | [`max_bytes`](Self::max_bytes) | 16 MiB | memory for all that is kept |
/// | [`max_bytes_per_span`](Self::max_bytes_per_span) | 1 MiB | memory for one request; its oldest records go first |
/// | [`name`](Self::name) | `scoped buffer` | how reports call it |
///
/// What is too much is dropped ([`Oldest`](super::DropReason::Oldest)), from the request that began first, and told by a record in its place if
/// that request comes out. A record in no such span passes if it is `always` wanted; else it is dropped. At the end of the process
/// spans that are still open have not failed. In a forked child what was kept is the parent's.
///
/// The handler behind must want the details: do not give it a level above them. A request's memory is allocated as it grows, and
/// used again for others.
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
pub struct ScopedBuffer<H> {
    trigger: Box<dyn Filter>,
    slow: Option<Duration>,
    always: Threshold,
    hold_all: bool,
    span: Option<String>,
    spans: LevelFilter,
    name: String,
    shared: Arc<Shared>,
    handler: H,
}

/// What a fork must find whole.
struct Shared {
    abandoned: AtomicBool,
    scopes: Mutex<Scopes>,
}

impl<H: Handler> ScopedBuffer<H> {
    /// A buffer in front of `handler`.
    pub fn new(handler: H) -> Self {
        let scopes = Mutex::new(Scopes::new(16 << 20, 1 << 20));
        let shared = Arc::new(Shared { abandoned: AtomicBool::new(false), scopes });
        process::register(shared.clone());
        Self {
            trigger: Box::new(Severity::ERROR),
            slow: None,
            always: Severity::INFO.into(),
            hold_all: false,
            span: None,
            spans: LevelFilter::INFO,
            name: "scoped buffer".to_owned(),
            shared,
            handler,
        }
    }

    /// The records that let their span out.
    pub fn trigger(mut self, filter: impl Filter) -> Self {
        self.trigger = Box::new(filter);
        self
    }

    /// A span that was open for longer lets out what is kept when it closes.
    pub fn slow(mut self, time: Duration) -> Self {
        self.slow = Some(time);
        self
    }

    /// What passes whatever happens.
    pub fn always(mut self, level: impl Into<Threshold>) -> Self {
        self.always = level.into();
        self
    }

    /// What always passes waits for the span's end as well, or for the trigger: then all is in the order of time.
    pub fn hold_all(mut self) -> Self {
        self.hold_all = true;
        self
    }

    /// Only spans of this name are requests: the outermost of them, where they lie in each other.
    pub fn span(mut self, name: impl Into<String>) -> Self {
        self.span = Some(name.into());
        self
    }

    /// The spans that can be requests: those at this level and more important ones.
    pub fn spans(mut self, level: impl Into<LevelFilter>) -> Self {
        self.spans = level.into();
        self
    }

    /// Memory for all that is kept.
    pub fn max_bytes(self, bytes: usize) -> Self {
        lock(&self.shared.scopes).max_bytes = bytes;
        self
    }

    /// Memory for what is kept of one span.
    pub fn max_bytes_per_span(self, bytes: usize) -> Self {
        lock(&self.shared.scopes).max_bytes_per_scope = bytes;
        self
    }

    /// How reports call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The bytes of memory that it has for what is kept, at present.
    pub fn held_bytes(&self) -> usize {
        lock(&self.shared.scopes).bytes()
    }

    /// The span that the record belongs to, by its id.
    fn scope_of(&self, record: &Record<'_>) -> Option<u64> {
        let mut spans = record.with_span_level(self.spans).spans();
        let root = match &self.span {
            Some(name) => spans.find(|span| span.name() == name),
            None => spans.next(),
        };
        // Spans that are made by hand have no ids.
        root.map(|span| span.id()).filter(|id| *id != 0)
    }

    fn handle_in(&self, scope: u64, record: &Record<'_>) -> Result<(), Error> {
        let triggers = self.trigger.passes(record);
        let may_pass = !self.hold_all && self.always.allows(record.severity());
        let mut scopes = lock_briefly(&self.shared.scopes);
        scopes.accepted += 1;
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

    /// Hands on what is kept, until nothing more has come meanwhile. Whoever logs in the span while this goes on adds to it, so
    /// that all stays in order.
    fn release(&self, scope: u64) -> Result<(), Error> {
        let mut result = Ok(());
        loop {
            let Some((bytes, lost)) = lock(&self.shared.scopes).kept_of(scope) else { return result };
            if lost.total() > 0 {
                result = guarded(|| self.handler.handle(&notice::lost(lost).as_record())).and(result);
            }
            let count = Records::new(&bytes).count() as u64;
            let handled = guarded(|| self.handler.handle_batch(Records::new(&bytes)));
            lock(&self.shared.scopes).delivered(bytes, count, &handled);
            if let Err(partial) = handled {
                result = Err(partial.error);
            }
        }
    }

    fn pass(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = guarded(|| self.handler.handle(record));
        lock_briefly(&self.shared.scopes).passed(handled.is_ok());
        handled
    }

    /// A span is over: perhaps one that records are kept of.
    fn close(&self, record: &Record<'_>) -> Result<(), Error> {
        let last = record.spans().last().map(|span| span.id());
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

    /// Whether the span was let out; and what became of that which was still kept.
    fn end(&self, scope: u64, close: &Record<'_>) -> (bool, Result<(), Error>) {
        let was_slow = self.slow.is_some_and(|slow| open_for(close) > slow);
        let (is_out, releases) = {
            let mut scopes = lock(&self.shared.scopes);
            let is_out = was_slow || scopes.is_let_out(scope);
            let releases = match was_slow {
                true => scopes.begin_release(scope),
                false => self.hold_all && scopes.keep_only(scope, self.always),
            };
            (is_out, releases)
        };
        let result = if releases { self.release(scope) } else { Ok(()) };
        lock(&self.shared.scopes).end(scope);
        (is_out, result)
    }

    /// A record that is in no span that is kept of, or no more.
    fn handle_outside(&self, is_out: bool, record: &Record<'_>) -> Result<(), Error> {
        let is_wanted = || self.always.allows(record.severity()) || self.trigger.passes(record);
        let passes = is_out || record.kind() == Kind::Loss || is_wanted();
        lock(&self.shared.scopes).outside(passes);
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

impl<H: Handler> Handler for ScopedBuffer<H> {
    /// The spans that it goes by are wanted too.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.handler.enabled(meta) || (meta.is_span && meta.level() <= self.spans)
    }

    fn max_level(&self) -> LevelFilter {
        match self.handler.max_level() {
            LevelFilter::OFF => LevelFilter::OFF,
            level => level.max(self.spans),
        }
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if self.shared.abandoned.load(Ordering::Relaxed) {
            return self.handler.handle(record);
        }
        let kind = record.kind();
        if kind == Kind::SpanClose {
            return self.close(record);
        }
        if !self.handler.enabled(&record.meta()) || (kind.is_of_span() && !self.handler.span_events().contains(kind)) {
            return Ok(());
        }
        if let Some(scope) = self.scope_of(record) {
            return self.handle_in(scope, record);
        }
        self.handle_outside(false, record)
    }

    fn span_events(&self) -> SpanEvents {
        self.handler.span_events() | SpanEvents::CLOSE
    }

    /// What is kept is kept: only what has been let out is flushed.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.handler.flush(deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        let stats = match self.shared.abandoned.load(Ordering::Relaxed) {
            true => Stats::default(),
            false => lock(&self.shared.scopes).stats(),
        };
        reports.push(Report::new(self.name.as_str(), stats));
        self.handler.report(reports);
    }
}

impl Resource for Shared {
    fn is_queue(&self) -> bool {
        true
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(OwnedGuard::lock_until(&self, |shared| &shared.scopes, deadline)?))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

impl Held for OwnedGuard<Shared, Scopes> {
    fn forget_pending(&mut self) {
        self.forget_inherited();
    }
}
