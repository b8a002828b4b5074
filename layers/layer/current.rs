//! Tracks the spans that each thread is in, like the Registry, where it would cost each event three lookups in a slab.
//!
//! The encoded path of the innermost span is cached: for the span that was created last on this thread, whose path is at hand, and
//! for another span from its second event on. It is identified not by the span's id, which is reused, but by a serial number of the
//! entry, so it cannot be mistaken for another span's.
//!
//! The Registry does not keep an entered span open. Code that enters by id may close a span before it exits it. A layer behind a
//! stock filter is not notified of that exit, so a closed span is removed from the stack.

use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::spans;
use super::stack::{self, Put};

/// Appends the spans that this thread is in. Returns their version; 0: none.
#[inline]
pub(super) fn append<S>(layer: u32, context: &Context<'_, S>, out: &mut Vec<u8>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    match stack::put(layer, out) {
        Some(Put::Whole { version }) => version,
        Some(Put::Outside) => 0,
        Some(Put::Inside { id, serial }) => append_path(layer, context, id, serial, out),
        None => context.lookup_current().map_or(0, |leaf| spans::append(layer, context, &leaf, out, |_| ())),
    }
}

fn append_path<S>(layer: u32, context: &Context<'_, S>, id: u64, serial: u64, out: &mut Vec<u8>) -> u64
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let Some(leaf) = context.span(&Id::from_u64(id)) else { return 0 };
    spans::append(layer, context, &leaf, out, |whole| stack::keep(serial, whole))
}
