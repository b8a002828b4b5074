//! From an event or a span of tracing to what the handlers receive.

use tracing::span::Attributes;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::known::Known;
use super::nesting::Depth;
use super::{HandlerLayer, current, nodes, share, spans};
use crate::record::{Callsite, capture_event, capture_fields, pool};

impl<S> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    /// Hands over an event that another layer may have captured already, or may use afterwards.
    #[inline(never)]
    pub(super) fn handle_shared(&self, event: &Event<'_>, callsite: &'static Callsite, context: &Context<'_, S>) {
        let round = share::begin(self.core.id, event).unwrap_or(share::NO_ROUND);
        let key = share::Key { round, callsite };
        if round != share::NO_ROUND
            && let Some(captured) = share::take(key, || current::node(self.core.id, event, context))
        {
            self.deliver(callsite, &captured.raw);
            return share::give_back(key, captured);
        }
        let mut raw = share::buffer(key);
        let node = self.capture(event, callsite, context, &mut raw);
        self.deliver(callsite, &raw);
        share::keep(key, node, raw);
    }

    /// Captures an event into an empty buffer. Returns the node of its innermost span.
    #[inline]
    pub(super) fn capture(
        &self,
        event: &Event<'_>,
        callsite: &'static Callsite,
        context: &Context<'_, S>,
        raw: &mut Vec<u8>,
    ) -> u64 {
        let mut node = nodes::UNKNOWN;
        capture_event(event, callsite, self.now(), raw, |out| {
            let appended = current::append(self.core.id, event, context, out);
            node = appended.node;
            appended.version
        });
        node
    }

    #[inline(always)]
    pub(super) fn deliver(&self, callsite: &'static Callsite, raw: &[u8]) {
        let graph = self.core.graph.load();
        if !callsite.is_judged_late() || graph.wants_record(raw) {
            self.core.deliver(&graph, raw);
        }
    }

    pub(super) fn remember(&self, span: &SpanRef<'_, S>, attributes: &Attributes<'_>) {
        let callsite = Known::callsite(attributes.metadata());
        let mut fields = pool::take();
        // Before any lock is acquired: the values' `Debug` may log.
        if let Some(_depth) = Depth::enter() {
            capture_fields(callsite, &mut fields, |visitor| attributes.record(visitor));
        }
        spans::remember(self.core.id, span, attributes, callsite, &fields);
        pool::give(fields);
    }
}
