use crate::Value;
use crate::format::{escape, number, spans};
use crate::record::{ErrorChain, Part, Record, pool};

/// Appends `value`: bare, or in quotes if it could be misread.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::I64(value) => number::signed(out, value),
        Value::U64(value) => number::unsigned(out, value),
        Value::I128(value) => number::int(out, value),
        Value::U128(value) => number::int(out, value),
        Value::F64(value) => number::float(out, value),
        Value::Str(value) | Value::Text(value) => text(out, value),
        Value::Bytes(value) => escape::hex(out, value),
        Value::Error(chain) => error(out, chain),
        // The bare word means that there is no value; a text of these letters is in quotes.
        Value::Json("null") => out.extend_from_slice(b"null"),
        Value::Json(value) => text(out, value),
    }
}

/// Appends a text; nothing for the empty text.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() && (text == "null" || !escape::bare(out, text)) {
        in_quotes(out, |out| escape::logfmt(out, text));
    }
}

/// Appends `outer: inner: root`.
fn error(out: &mut Vec<u8>, chain: ErrorChain<'_>) {
    if chain.messages().nth(1).is_none() {
        return text(out, chain.messages().next().unwrap_or(""));
    }
    in_quotes(out, |out| join(out, b": ", chain.messages()));
}

/// Appends `request:query`.
pub(super) fn span_names(out: &mut Vec<u8>, record: &Record<'_>) {
    let start = out.len();
    for (index, span) in record.spans().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        if !escape::bare(out, span.name()) {
            out.truncate(start);
            return in_quotes(out, |out| join(out, b":", record.spans().map(|span| span.name())));
        }
    }
    if &out[start..] == b"null" {
        out.splice(start..start, *b"\"");
        out.push(b'"');
    }
}

/// Appends `request{method=GET}:query{table=x}` as one value.
pub(super) fn spans(out: &mut Vec<u8>, part: &Part, record: &Record<'_>) {
    let mut written = pool::take();
    spans::write(part, record, &mut written);
    text(out, str::from_utf8(&written).unwrap_or(""));
    pool::give(written);
}

fn join<'a>(out: &mut Vec<u8>, between: &[u8], texts: impl Iterator<Item = &'a str>) {
    for (index, text) in texts.enumerate() {
        if index > 0 {
            out.extend_from_slice(between);
        }
        escape::logfmt(out, text);
    }
}

fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}
