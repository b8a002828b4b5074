use super::NonFinite;
use crate::Value;
use crate::format::{escape, number};
use crate::record::ErrorChain;

/// Appends `value` as JSON.
#[inline(always)]
pub(super) fn write(out: &mut Vec<u8>, value: Value<'_>, non_finite: NonFinite) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::I64(value) => number::signed(out, value),
        Value::U64(value) => number::unsigned(out, value),
        Value::I128(value) => wide_signed(out, value),
        Value::U128(value) => wide_unsigned(out, value),
        Value::F64(value) => float(out, value, non_finite),
        Value::Str(value) | Value::Text(value) => text(out, value),
        Value::Bytes(value) => bytes(out, value),
        Value::Error(chain) => error(out, chain),
        Value::Json(value) => escape::nested_json(out, value),
    }
}

/// Appends `value` in quotes.
#[inline]
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    escape::json(out, value);
    out.push(b'"');
}

#[inline]
fn float(out: &mut Vec<u8>, value: f64, non_finite: NonFinite) {
    if value.is_finite() {
        return number::finite(out, value);
    }
    out.extend_from_slice(match non_finite {
        NonFinite::Null => b"null",
        NonFinite::Text if value.is_nan() => b"\"NaN\"",
        NonFinite::Text if value > 0.0 => b"\"Infinity\"",
        NonFinite::Text => b"\"-Infinity\"",
    });
}

/// Beyond 64 bits most readers would round the number, or refuse it.
fn wide_signed(out: &mut Vec<u8>, value: i128) {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => number::int(out, value),
        (_, Ok(value)) => number::int(out, value),
        _ => in_quotes(out, |out| number::int(out, value)),
    }
}

fn wide_unsigned(out: &mut Vec<u8>, value: u128) {
    match u64::try_from(value) {
        Ok(value) => number::int(out, value),
        Err(_) => in_quotes(out, |out| number::int(out, value)),
    }
}

fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    in_quotes(out, |out| escape::hex(out, value));
}

fn error(out: &mut Vec<u8>, chain: ErrorChain<'_>) {
    in_quotes(out, |out| {
        for (index, message) in chain.messages().enumerate() {
            if index > 0 {
                out.extend_from_slice(b": ");
            }
            escape::json(out, message);
        }
    });
}

/// Appends what `write` appends, in quotes.
#[inline]
pub(super) fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}
