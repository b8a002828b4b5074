//! The Registry and a layer written by hand for this one shape: what a general layer can come near.

use std::cell::RefCell;
use std::fmt::Debug;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::buffer::Buffer;
use super::{Check, Contender, Job, Kind, Running};
use crate::event::Tracing;
use crate::line::{self, Stamp};
use crate::scenario::{Scenario, Sink, Task};

pub fn all() -> Vec<Contender> {
    let floor = |name, note, check, serves, start| Contender { name, kind: Kind::Floor, note, check, serves, start };
    let registry =
        |scenario: &Scenario| scenario.task == Task::OffHere || (json_to_one_file(scenario) && scenario.threads == 1);
    vec![
        floor("floor-registry", "visits, walks the spans, writes nothing", Check::Nothing, registry, visiting),
        floor("floor-layer", "Registry, hard-coded", Check::Bytes, json_to_one_file, plain),
        floor(
            "floor-layer-cat",
            "Registry, hard-coded, spans keep their ancestors' text",
            Check::Bytes,
            json_to_one_file,
            cat,
        ),
    ]
}

fn json_to_one_file(scenario: &Scenario) -> bool {
    scenario.task == Task::Events && !scenario.text && scenario.sink == Sink::Buffered
}

fn visiting(job: &Job) -> Running {
    match job.scenario.task {
        Task::OffHere => install(tracing_subscriber::registry().with(Idle)),
        _ => install(tracing_subscriber::registry().with(Visiting)),
    }
    Running { logger: Box::new(Tracing), drain: Box::new(|| {}) }
}

fn plain(job: &Job) -> Running {
    hand_made(job, false)
}

fn cat(job: &Job) -> Running {
    hand_made(job, true)
}

fn hand_made(job: &Job, cat: bool) -> Running {
    let buffer = Arc::new(Buffer::new(&job.file()));
    let flushed = buffer.clone();
    install(tracing_subscriber::registry().with(HandMade { buffer, cat }));
    Running { logger: Box::new(Tracing), drain: Box::new(move || flushed.flush()) }
}

/// For good: a scoped dispatcher makes every event look for it.
pub fn install(subscriber: impl Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("the first of this process");
}

/// Wants everything and does nothing.
pub struct Idle;

impl<S: Subscriber> Layer<S> for Idle {}

struct Visiting;

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Visiting {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        event.record(&mut Seen);
        for span in context.event_scope(event).into_iter().flatten() {
            black_box(span.name());
        }
    }
}

struct Seen;

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        black_box((field.name(), value));
    }
}

struct HandMade {
    buffer: Arc<Buffer>,
    /// Each span keeps its ancestors' text too.
    cat: bool,
}

/// `{"name":"query",…}`; with [`HandMade::cat`] its ancestors' before it.
struct SpanText(Vec<u8>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for HandMade {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut text = Vec::with_capacity(128);
        if let (true, Some(parent)) = (self.cat, span.parent()) {
            if let Some(ancestors) = parent.extensions().get::<SpanText>() {
                text.extend_from_slice(&ancestors.0);
            }
            text.push(b',');
        }
        text.extend_from_slice(b"{\"name\":\"");
        text.extend_from_slice(attributes.metadata().name().as_bytes());
        text.push(b'"');
        attributes.record(&mut Fields(&mut text));
        text.push(b'}');
        span.extensions_mut().insert(SpanText(text));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        SCRATCH.with_borrow_mut(|(out, stamp)| {
            out.clear();
            out.extend_from_slice(b"{\"timestamp\":\"");
            stamp.write(out);
            out.push(b'"');
            line::json_head(out, event.metadata().level().as_str());
            event.record(&mut Fields(out));
            self.spans(event, &context, out);
            out.extend_from_slice(b"}\n");
            self.buffer.push(out);
        });
    }
}

impl HandMade {
    #[inline]
    fn spans<S: Subscriber + for<'s> LookupSpan<'s>>(
        &self,
        event: &Event<'_>,
        context: &Context<'_, S>,
        out: &mut Vec<u8>,
    ) {
        let mut open = false;
        let mut append = |text: &SpanText| {
            out.extend_from_slice(if open { b"," } else { b",\"spans\":[" });
            out.extend_from_slice(&text.0);
            open = true;
        };
        if self.cat {
            if let Some(leaf) = context.event_span(event) {
                leaf.extensions().get::<SpanText>().map(append);
            }
        } else if let Some(scope) = context.event_scope(event) {
            for span in scope.from_root() {
                span.extensions().get::<SpanText>().map(&mut append);
            }
        }
        if out.last() == Some(&b'}') {
            out.push(b']');
        }
    }
}

struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    #[inline]
    fn key(&mut self, field: &Field) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(field.name().as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}

impl Visit for Fields<'_> {
    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.key(field);
        line::int(self.0, value);
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.key(field);
        line::float(self.0, value);
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.key(field);
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.key(field);
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }

    /// Nothing but the message comes here, and it comes first: its key is written already.
    #[inline]
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        write!(self.0, "{value:?}\"").expect("a Vec takes everything");
    }
}

thread_local! {
    static SCRATCH: RefCell<(Vec<u8>, Stamp)> = const { RefCell::new((Vec::new(), Stamp::new())) };
}
