//! Records of span lifecycle events, if a handler asks for them.

use std::time::Duration;

use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::known::Known;
use super::layer_core::LayerCore;
use super::nesting::Depth;
use super::per_layer::PerLayer;
use super::{HandlerLayer, spans};
use crate::record::{Kind, capture_span_event, pool};

/// How long a span has been entered by any thread, and how long by none.
pub(super) struct Timing {
    busy: Duration,
    idle: Duration,
    /// How many times it is currently entered, by all threads.
    entered: u32,
    since: Duration,
}

impl Timing {
    fn new(now: Duration) -> Self {
        Self { busy: Duration::ZERO, idle: Duration::ZERO, entered: 0, since: now }
    }

    fn pass(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.since);
        match self.entered {
            0 => self.idle = self.idle.saturating_add(passed),
            _ => self.busy = self.busy.saturating_add(passed),
        }
        self.since = now;
    }
}

impl<S> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    #[cold]
    pub(super) fn tell_of(&self, kind: Kind, span: &Id, context: &Context<'_, S>) {
        if let Some(span) = context.span(span) {
            self.tell_of_span(kind, &span, context);
        }
    }

    /// Called on a lifecycle event of `span`: updates its times, and hands over a record if a handler wants one.
    pub(super) fn tell_of_span<'a>(&self, kind: Kind, span: &SpanRef<'a, S>, context: &Context<'a, S>) {
        let core = &*self.core;
        let times = keep_time(core, kind, span, self.monotonic());
        let graph = core.graph.load();
        if !graph.span_events.contains(kind) {
            return;
        }
        let Some(callsite) = Known::look_up(core, span.metadata()) else { return };
        let Some(_depth) = Depth::enter() else { return };
        let mut raw = pool::take();
        let fields = times.filter(|_| kind == Kind::SpanClose);
        capture_span_event(kind, callsite, fields, self.now(), &mut raw, |out| {
            spans::append(core.id, context, span, out, |_| ()).version
        });
        core.deliver(&graph, &raw);
        pool::give(raw);
    }
}

/// Returns the span's busy and idle times so far; `None` if it was created before any handler asked for span events.
fn keep_time<'a, S>(core: &LayerCore, kind: Kind, span: &SpanRef<'a, S>, now: Duration) -> Option<(Duration, Duration)>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut extensions = span.extensions_mut();
    if kind == Kind::SpanNew {
        if let Some(before) = extensions.replace(PerLayer::new(core.id, Timing::new(now)))
            && let Some(timings) = extensions.get_mut::<PerLayer<Timing>>()
        {
            timings.join(before);
        }
        return None;
    }
    let timing = extensions.get_mut::<PerLayer<Timing>>()?.of_mut(core.id)?;
    timing.pass(now);
    match kind {
        Kind::SpanEnter => timing.entered += 1,
        Kind::SpanExit => timing.entered = timing.entered.saturating_sub(1),
        _ => {}
    }
    Some((timing.busy, timing.idle))
}
