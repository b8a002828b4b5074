//! Fields and spans as one text: `request{method=GET}:query{table=x}`.

use super::escape;
use super::text::value;
use crate::record::{Field, Part, Record, Span};

/// Appends [`Part::Span`] or [`Part::Spans`]; nothing for another part, or outside of all spans.
pub(super) fn write(part: &Part, record: &Record<'_>, out: &mut Vec<u8>) {
    match part {
        Part::Span => record.spans().rev().take(1).for_each(|span| write_span(&span, out)),
        Part::Spans => write_spans(record, out),
        _ => {}
    }
}

/// Appends `a=1 b="two words"`.
pub(super) fn write_fields<'a>(fields: impl Iterator<Item = Field<'a>>, out: &mut Vec<u8>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        value::name(out, field.name);
        out.push(b'=');
        value::write(out, field.value);
    }
}

fn write_spans(record: &Record<'_>, out: &mut Vec<u8>) {
    for (index, span) in record.spans().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        write_span(&span, out);
    }
}

fn write_span(span: &Span<'_>, out: &mut Vec<u8>) {
    escape::plain(out, span.name());
    if span.fields().next().is_some() {
        out.push(b'{');
        write_fields(span.fields(), out);
        out.push(b'}');
    }
}
