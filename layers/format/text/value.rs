use crate::Value;
use crate::format::{escape, number};
use crate::record::ErrorChain;

/// Appends a field's name, in quotes if it would be ambiguous without.
#[inline]
pub(in crate::format) fn name(out: &mut Vec<u8>, name: &str) {
    text(out, name);
}

/// Appends `value` as people read it.
#[inline(always)]
pub(in crate::format) fn write(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::I64(value) => number::signed(out, value),
        Value::U64(value) => number::unsigned(out, value),
        Value::I128(value) => number::int(out, value),
        Value::U128(value) => number::int(out, value),
        Value::F64(value) => number::float(out, value),
        Value::Str(value) => text(out, value),
        Value::Text(value) => written(out, value),
        Value::Bytes(value) => escape::hex(out, value),
        Value::Error(chain) => error(out, chain),
        Value::Json(value) => written(out, value),
    }
}

/// Appends a text, in quotes if it would be ambiguous without.
#[inline]
fn text(out: &mut Vec<u8>, text: &str) {
    if !escape::bare(out, text) {
        in_quotes(out, text);
    }
}

#[inline]
fn in_quotes(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape::quoted(out, text);
    out.push(b'"');
}

/// Appends the output of a `Debug` or `Display` unquoted, with its spaces and braces, unless it could be taken for fields or spans of
/// the line.
#[inline]
fn written(out: &mut Vec<u8>, value: &str) {
    // A text that needs no quotes cannot be taken for anything else.
    if !escape::bare_ascii(out, value) {
        written_with_care(out, value);
    }
}

fn written_with_care(out: &mut Vec<u8>, value: &str) {
    match escape::has_sign(value.as_bytes()) && could_forge(value) {
        true => in_quotes(out, value),
        false => escape::plain(out, value),
    }
}

/// Whether the text could be taken for other parts of the line: `x user=admin` for two fields, `x} admin{` for the end of a span.
fn could_forge(value: &str) -> bool {
    let mut open = 0_i32;
    let (mut equals, mut space) = (false, false);
    for byte in value.bytes() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            b'=' => equals = true,
            _ => space |= byte <= b' ' || byte >= 0x80,
        }
        if open < 0 {
            return true;
        }
    }
    open != 0 || (equals && space)
}

fn error(out: &mut Vec<u8>, chain: ErrorChain<'_>) {
    let mut messages = chain.messages();
    let outer = messages.next().unwrap_or("");
    let mut causes = messages.peekable();
    if causes.peek().is_none() {
        return text(out, outer);
    }
    out.push(b'"');
    escape::quoted(out, outer);
    for cause in causes {
        out.extend_from_slice(b": ");
        escape::quoted(out, cause);
    }
    out.push(b'"');
}
