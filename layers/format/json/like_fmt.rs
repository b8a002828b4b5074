//! Values and spans as the JSON formatter of tracing-subscriber writes them (`fmt/format/json.rs`).

use super::limit::Limit;
use super::object::{SPAN_NAMES, Writer};
use super::value::{self, in_quotes, text_within};
use super::{JsonKeys, NonFinite};
use crate::Value;
use crate::format::kept::{self, FormatId};
use crate::format::{escape, number};
use crate::record::{Field, Fields, Record, Span};

/// Which spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The nearest one, as an object.
    Nearest,
    /// All as a list of objects, root first.
    All,
}

/// Appends a value of an event.
///
/// Numbers of 128 bits are always strings there, bytes are what their `Debug` writes, and of an error only its own message is shown.
pub(super) fn value_of_event(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::Bytes(bytes) if 3 * bytes.len() < limit.bytes => in_quotes(out, |out| {
            out.push(b'[');
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                escape::hex(out, &[*byte]);
            }
            out.push(b']');
        }),
        _ => write_value(out, value, limit),
    }
}

/// Appends a value of a span, in which bytes are a list of numbers.
pub(super) fn value_of_span(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::Bytes(bytes) if 4 * bytes.len() < limit.bytes => {
            out.push(b'[');
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                number::int(out, *byte);
            }
            out.push(b']');
        }
        _ => write_value(out, value, limit),
    }
}

fn write_value(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::I128(value) => in_quotes(out, |out| number::int(out, value)),
        Value::U128(value) => in_quotes(out, |out| number::int(out, value)),
        Value::Error(chain) => text_within(out, chain.messages().next().unwrap_or(""), limit),
        _ => value::write_within(out, value, NonFinite::Null, limit),
    }
}

/// Appends the spans, from the cache if they have been written before. Returns whether there are any.
pub(super) fn write_spans(which: Which, id: FormatId, record: &Record<'_>, to: &mut Writer<'_>) -> bool {
    if !record.has_spans() {
        return false;
    }
    if !to.limit.is_none() {
        return write(which, record, to);
    }
    let start = to.out().len();
    let Some(missing) = kept::put(record, id, u8::from(which == Which::All), to.out()) else { return true };
    let any = write(which, record, to);
    missing.keep(&to.out()[start..]);
    any
}

fn write(which: Which, record: &Record<'_>, to: &mut Writer<'_>) -> bool {
    match which {
        Which::Nearest => record.spans().next_back().map(|span| write_span(&span, to)).is_some(),
        Which::All => {
            to.list(record.spans(), |to, span| write_span(&span, to));
            record.spans().next().is_some()
        }
    }
}

/// Appends the span as an object: its fields, sorted by name, and then its name.
fn write_span(span: &Span<'_>, to: &mut Writer<'_>) {
    let mut object = to.open(&SPAN_NAMES);
    let keys = JsonKeys::of(span.callsite());
    by_name(span.fields(), |field| {
        let key = keys.and_then(|keys| keys.field(&field));
        let name = |out: &mut Vec<u8>| escape::json(out, field.name);
        to.member(&mut object, key, name, |to| value_of_span(to.out, field.value, to.limit));
    });
    to.raw(b",\"name\":");
    to.value(span.name().into());
    to.close(object);
}

/// Calls `each` with the fields in the order of their names; with those beyond the first [`SORTED`] after them, as they come. Selects
/// the next one each time, so that no list is allocated.
fn by_name<'a>(fields: Fields<'a>, mut each: impl FnMut(Field<'a>)) {
    let mut done = 0_u64;
    let open = |done: u64| fields.clone().take(SORTED).enumerate().filter(move |(index, _)| done >> index & 1 == 0);
    while let Some((index, field)) = open(done).min_by(|(_, a), (_, b)| a.name.cmp(b.name)) {
        done |= 1 << index;
        each(field);
    }
    fields.skip(SORTED).for_each(each);
}

/// A bit for each.
const SORTED: usize = 64;
