//! Tracks the spans that each thread is in, like the Registry, where it would cost each event three lookups in a slab.
//!
//! The encoded path of the innermost span is cached: for the span that was created last on this thread, whose path is at hand, and
//! for another span from its second event on. It is identified not by the span's id, which is reused, but by a serial number of the
//! entry, so it cannot be mistaken for another span's.
//!
//! The Registry does not keep an entered span open. Code that enters by id may close a span before it exits it. A layer behind a
//! stock filter is not notified of that exit, so a closed span is removed from the stack.

use tracing::span::Id;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::nodes::{OUTSIDE, UNKNOWN, splits};
use super::spans::{self, Appended};
use super::stack::{self, Innermost, Put};

/// Appends the spans that an event was logged in.
#[inline]
pub(super) fn append<S>(layer: u32, event: &Event<'_>, context: &Context<'_, S>, out: &mut Vec<u8>) -> Appended
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if !event.is_contextual() {
        return context.event_span(event).map_or(NO_SPANS, |leaf| spans::append(layer, context, &leaf, out, |_| ()));
    }
    match stack::put(layer, out) {
        Some(Put::Whole { version, node }) => Appended { version, node },
        Some(Put::Outside) => NO_SPANS,
        Some(Put::Inside { id }) => append_path(layer, context, id, out),
        None => {
            let leaf = context.lookup_current();
            let version = leaf.map_or(0, |leaf| spans::append(layer, context, &leaf, out, |_| ()).version);
            Appended { version, node: UNKNOWN }
        }
    }
}

fn append_path<S>(layer: u32, context: &Context<'_, S>, id: u64, out: &mut Vec<u8>) -> Appended
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let splits = splits();
    match context.span(&Id::from_u64(id)) {
        Some(leaf) => spans::append(layer, context, &leaf, out, |whole| stack::keep(layer, id, splits, whole)),
        None => Appended { version: 0, node: UNKNOWN },
    }
}

/// Returns the node of the innermost span that an event was logged in; [`OUTSIDE`] if there is none.
#[inline]
pub(super) fn node<S>(layer: u32, event: &Event<'_>, context: &Context<'_, S>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if !event.is_contextual() {
        return context.event_span(event).map_or(OUTSIDE, |leaf| spans::node(layer, &leaf));
    }
    match stack::innermost(layer) {
        Some(Innermost::Node(node)) => node,
        Some(Innermost::Outside) => OUTSIDE,
        Some(Innermost::Span { id }) => find_out(layer, context, id),
        None => UNKNOWN,
    }
}

fn find_out<S>(layer: u32, context: &Context<'_, S>, id: u64) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let splits = splits();
    let node = context.span(&Id::from_u64(id)).map_or(UNKNOWN, |span| spans::node(layer, &span));
    stack::found(layer, id, node, splits);
    node
}

const NO_SPANS: Appended = Appended { version: 0, node: OUTSIDE };
