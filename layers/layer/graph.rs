//! The handlers of a layer, between one swap and the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Metadata;
use tracing_subscriber::filter::LevelFilter;

use crate::handler::Handler;
use crate::record::{Meta, Record, Severity, SpanEvents, says_severity};

/// The handlers, with a number that distinguishes them from earlier and later ones.
pub(super) struct Graph {
    pub(super) generation: u64,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) span_events: SpanEvents,
    /// Whether any filter of theirs looks at spans.
    pub(super) looks_at_spans: bool,
}

impl Graph {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        // A handler that panics here gets everything.
        let span_events = catch_unwind(AssertUnwindSafe(|| handler.span_events())).unwrap_or(SpanEvents::ALL);
        let looks_at_spans = catch_unwind(AssertUnwindSafe(|| handler.looks_at_spans())).unwrap_or(false);
        let generation = NEXT_GENERATION.fetch_add(1, Ordering::Relaxed);
        Self { generation, handler, span_events, looks_at_spans }
    }

    /// Whether the handlers want this. Called by tracing under its own locks, which a panic would poison for the whole process; a
    /// handler that panics here gets everything.
    #[cold]
    pub(super) fn enabled(&self, meta: &Meta<'_>) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.handler.enabled(meta))).unwrap_or(true)
    }

    /// Whether any events or spans of a callsite can be wanted. A field `severity` may raise the severity of an event.
    #[cold]
    pub(super) fn may_want(&self, metadata: &Metadata<'_>) -> bool {
        let meta = Meta::from(metadata);
        if !says_severity(metadata) {
            return self.enabled(&meta);
        }
        (meta.severity.number()..=24)
            .filter_map(Severity::from_number)
            .any(|severity| self.enabled(&Meta { severity, ..meta }))
    }

    pub(super) fn max_level(&self) -> LevelFilter {
        catch_unwind(AssertUnwindSafe(|| self.handler.max_level())).unwrap_or(LevelFilter::TRACE)
    }

    /// Whether a record of the `log` crate is wanted. Its callsite does not have its target.
    #[cold]
    pub(super) fn wants_record(&self, raw: &[u8]) -> bool {
        Record::decode(raw).is_some_and(|record| self.enabled(&record.meta()))
    }
}

/// From 1: 0 is used for spans, see [`Known::callsite`](super::known::Known::callsite).
static NEXT_GENERATION: AtomicU64 = AtomicU64::new(1);
