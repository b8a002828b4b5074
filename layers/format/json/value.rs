//! Values as JSON, each according to its type.

use super::NonFinite;
use super::limit::Limit;
use crate::Value;
use crate::clock::Timestamp;
use crate::format::{Time, escape, number};
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
        Value::Error(chain) => error(out, chain, Limit::NONE),
        Value::Json(value) => escape::nested_json(out, value),
    }
}

/// Appends `value` as JSON. Strings, bytes, errors and nested values are cut to `limit`.
#[inline]
pub(super) fn write_within(out: &mut Vec<u8>, value: Value<'_>, non_finite: NonFinite, limit: Limit<'_>) {
    match value {
        Value::Str(value) | Value::Text(value) => text_within(out, value, limit),
        Value::Error(chain) => error(out, chain, limit),
        Value::Bytes(bytes) if bytes.len() > limit.bytes / 2 => in_quotes(out, |out| {
            escape::hex(out, &bytes[..limit.bytes / 2]);
            escape::json(out, limit.marker);
        }),
        // A cut nested value is no longer valid JSON, so it is written as a string.
        Value::Json(json) if json.len() > limit.bytes => text_within(out, json, limit),
        _ => write(out, value, non_finite),
    }
}

/// Appends `text` in quotes, cut to `limit`.
pub(super) fn text_within(out: &mut Vec<u8>, text: &str, mut limit: Limit<'_>) {
    in_quotes(out, |out| _ = limit.put(out, text));
}

/// Appends `at` as a number or in quotes, depending on `time`.
#[inline]
pub(super) fn time(out: &mut Vec<u8>, time: &Time, at: Timestamp) {
    match time.is_number() {
        true => time.write(at, out),
        false => in_quotes(out, |out| time.write_escaped(at, out, escape::json)),
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

/// Appends numbers of more than 64 bits as strings, because most readers round or reject them.
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

/// Appends the chain as one string: `"outer: inner: root"`.
fn error(out: &mut Vec<u8>, chain: ErrorChain<'_>, mut limit: Limit<'_>) {
    in_quotes(out, |out| {
        for (index, message) in chain.messages().enumerate() {
            if index > 0 && !limit.put(out, ": ") || !limit.put(out, message) {
                return;
            }
        }
    });
}

/// Appends the output of `write` in quotes.
#[inline]
pub(super) fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}
