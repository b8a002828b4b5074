//! The forms in which values are written, according to the type rules of the receivers.

use super::limit::Limit;
use super::nested::Piece;
use super::value::{self, in_quotes, text_within as text};
use super::{NonFinite, claims, like_fmt};
use crate::Value;
use crate::format::{escape, number};

/// The form in which a value is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// According to the value's own type.
    Plain,
    /// Like `Plain`, except that lists, objects and floats that JSON cannot represent are strings.
    Scalar,
    /// A string or a number (GELF 1.1, "additional fields"). Booleans are strings.
    TextOrNumber,
    /// A string.
    Text,
    /// OpenTelemetry's `AnyValue`, in the JSON mapping of Protocol Buffers: `{"stringValue":"x"}`.
    AnyValue,
    /// Lower-case hexadecimal digits after this prefix.
    Id(Box<str>),
    /// The last 16 hexadecimal digits as a decimal number in quotes.
    DecimalId,
    /// The W3C trace flags as a number. A boolean sets or clears the flag `sampled`.
    Flags,
    /// A boolean: the value itself, or the flag `sampled` of the W3C trace flags.
    Sampled,
    /// As the JSON formatter of tracing-subscriber writes a value of an event.
    LikeFmt,
    /// A thread's number, as its `Debug` shows it: `ThreadId(7)`.
    ThreadId,
}

impl Form {
    /// Appends `value` in this form. Returns `false`, and appends nothing, if the value cannot have this form.
    pub(super) fn write(&self, out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) -> bool {
        match self {
            Self::Plain => value::write_within(out, value, NonFinite::Null, limit),
            Self::Scalar => scalar(out, value, limit),
            Self::TextOrNumber => match value {
                Value::Bool(_) => as_text(out, value, limit),
                Value::Json(json) if matches!(Piece::of(json), Piece::Bool(_)) => as_text(out, value, limit),
                _ => scalar(out, value, limit),
            },
            Self::Text => as_text(out, value, limit),
            Self::AnyValue => any_value(out, value, limit),
            Self::Id(prefix) => return id(out, prefix, value),
            Self::DecimalId => return decimal_id(out, value),
            Self::Flags => return flags(out, value),
            Self::Sampled => return sampled(out, value),
            Self::LikeFmt => like_fmt::value_of_event(out, value, limit),
            Self::ThreadId => in_quotes(out, |out| {
                out.extend_from_slice(b"ThreadId(");
                value::write(out, value, NonFinite::Null);
                out.push(b')');
            }),
        }
        true
    }
}

fn scalar(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::Json(json) => match Piece::of(json) {
            Piece::List(_) | Piece::Object(_) => text(out, json, limit),
            Piece::Null => out.extend_from_slice(b"\"null\""),
            Piece::Bool(value) => scalar(out, Value::Bool(value), limit),
            Piece::Number(_) | Piece::Text(_) => value::write_within(out, value, NonFinite::Text, limit),
        },
        _ => value::write_within(out, value, NonFinite::Text, limit),
    }
}

fn as_text(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::Json(json) => match Piece::of(json) {
            Piece::Text(_) => value::write_within(out, value, NonFinite::Text, limit),
            _ => text(out, json, limit),
        },
        _ => {
            // Some values are already quoted.
            let start = out.len();
            value::write_within(out, value, NonFinite::Text, limit);
            if out.get(start) != Some(&b'"') {
                out.insert(start, b'"');
                out.push(b'"');
            }
        }
    }
}

/// Appends `value` as an `AnyValue` (OTLP 1.x, `opentelemetry/proto/common/v1/common.proto`). Its 64-bit integers are decimal
/// strings, its bytes are Base64.
fn any_value(out: &mut Vec<u8>, value: Value<'_>, limit: Limit<'_>) {
    match value {
        Value::Bool(_) => kind(out, b"boolValue", |out| value::write(out, value, NonFinite::Text)),
        Value::I64(_) => kind(out, b"intValue", |out| as_text(out, value, limit)),
        Value::U64(number) => whole(out, value, i64::try_from(number).is_ok()),
        Value::I128(number) => whole(out, value, i64::try_from(number).is_ok()),
        Value::U128(number) => whole(out, value, i64::try_from(number).is_ok()),
        Value::F64(_) => kind(out, b"doubleValue", |out| value::write(out, value, NonFinite::Text)),
        Value::Bytes(bytes) => kind(out, b"bytesValue", |out| in_quotes(out, |out| base64(out, bytes))),
        Value::Json(json) if json.len() > limit.bytes => kind(out, b"stringValue", |out| text(out, json, limit)),
        Value::Json(json) => nested_any_value(out, json, 0),
        _ => kind(out, b"stringValue", |out| as_text(out, value, limit)),
    }
}

fn whole(out: &mut Vec<u8>, value: Value<'_>, fits: bool) {
    let name: &[u8] = if fits { b"intValue" } else { b"stringValue" };
    kind(out, name, |out| as_text(out, value, Limit::NONE));
}

/// Appends nested values recursively, down to [`DEEPEST`] levels.
fn nested_any_value(out: &mut Vec<u8>, json: &str, depth: usize) {
    match Piece::of(json) {
        Piece::Null => out.extend_from_slice(b"{}"),
        Piece::Bool(_) => kind(out, b"boolValue", |out| escape::nested_json(out, json)),
        Piece::Number(number) => nested_number(out, number),
        Piece::Text(text) => kind(out, b"stringValue", |out| escape::nested_json(out, text)),
        Piece::List(_) | Piece::Object(_) if depth == DEEPEST => {
            kind(out, b"stringValue", |out| text(out, json, Limit::NONE));
        }
        Piece::List(items) => list(out, b"arrayValue", items, |out, item| nested_any_value(out, item, depth + 1)),
        Piece::Object(members) => list(out, b"kvlistValue", members, |out, (key, value)| {
            out.extend_from_slice(b"{\"key\":\"");
            escape::nested_json(out, key);
            out.extend_from_slice(b"\",\"value\":");
            nested_any_value(out, value, depth + 1);
            out.push(b'}');
        }),
    }
}

fn nested_number(out: &mut Vec<u8>, number: &str) {
    let is_whole = !number.contains(['.', 'e', 'E']);
    match number.parse::<i64>() {
        Ok(_) => kind(out, b"intValue", |out| text(out, number, Limit::NONE)),
        Err(_) if is_whole => kind(out, b"stringValue", |out| text(out, number, Limit::NONE)),
        Err(_) => kind(out, b"doubleValue", |out| escape::nested_json(out, number)),
    }
}

fn list<T>(out: &mut Vec<u8>, name: &[u8], items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    kind(out, name, |out| {
        out.extend_from_slice(b"{\"values\":[");
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(out, item);
        }
        out.extend_from_slice(b"]}");
    });
}

/// Appends `{"name":…}`, with the value that `write` appends.
fn kind(out: &mut Vec<u8>, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
    write(out);
    out.push(b'}');
}

fn id(out: &mut Vec<u8>, prefix: &str, value: Value<'_>) -> bool {
    let Some(id) = value.as_str() else { return false };
    in_quotes(out, |out| {
        escape::json(out, prefix);
        let start = out.len();
        escape::json(out, id);
        out[start..].make_ascii_lowercase();
    });
    true
}

fn decimal_id(out: &mut Vec<u8>, value: Value<'_>) -> bool {
    let Some(id) = value.as_str() else { return false };
    let Some(Ok(id)) = id.get(id.len().saturating_sub(16)..).map(|digits| u64::from_str_radix(digits, 16)) else {
        return false;
    };
    in_quotes(out, |out| number::int(out, id));
    true
}

fn flags(out: &mut Vec<u8>, value: Value<'_>) -> bool {
    let flags = match value {
        Value::Bool(sampled) => Some(u8::from(sampled)),
        _ => claims::flags(value),
    };
    flags.map(|flags| number::int(out, flags)).is_some()
}

fn sampled(out: &mut Vec<u8>, value: Value<'_>) -> bool {
    let sampled = match value {
        Value::Bool(sampled) => Some(sampled),
        _ => claims::flags(value).map(|flags| flags & 1 != 0),
    };
    let Some(sampled) = sampled else { return false };
    value::write(out, Value::Bool(sampled), NonFinite::Null);
    true
}

/// Appends `bytes` as Base64 with padding (RFC 4648, section 4).
fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        let digits = [18, 12, 6, 0].map(|shift| BASE64[(bits >> shift) as usize % 64]);
        let known = chunk.len() + 1;
        out.extend_from_slice(&digits[..known]);
        out.extend_from_slice(&b"=="[..4 - known]);
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The deepest nesting, which equals OpenTelemetry's limit for values.
const DEEPEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: &Form, value: Value<'_>, bytes: usize) -> String {
        let mut out = Vec::new();
        assert!(form.write(&mut out, value, Limit { bytes, marker: "…" }));
        String::from_utf8(out).expect("UTF-8")
    }

    fn any(value: impl Into<Value<'static>>) -> String {
        written(&Form::AnyValue, value.into(), usize::MAX)
    }

    #[test]
    fn base64_matches_the_vectors_of_rfc_4648() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (bytes, expected) in vectors {
            let mut out = Vec::new();
            base64(&mut out, bytes.as_bytes());
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn every_value_maps_to_a_kind_of_any_value() {
        assert_eq!(any("x"), r#"{"stringValue":"x"}"#);
        assert_eq!(any(true), r#"{"boolValue":true}"#);
        assert_eq!(any(-3_i64), r#"{"intValue":"-3"}"#);
        assert_eq!(any(i64::MAX as u64), r#"{"intValue":"9223372036854775807"}"#);
        assert_eq!(any(u64::MAX), r#"{"stringValue":"18446744073709551615"}"#);
        assert_eq!(any(u128::MAX), r#"{"stringValue":"340282366920938463463374607431768211455"}"#);
        assert_eq!(any(7_i128), r#"{"intValue":"7"}"#);
        assert_eq!(any(1.5), r#"{"doubleValue":1.5}"#);
        assert_eq!(any(f64::NEG_INFINITY), r#"{"doubleValue":"-Infinity"}"#);
        assert_eq!(any(&b"foo"[..]), r#"{"bytesValue":"Zm9v"}"#);
        assert_eq!(
            any(Value::Json(r#"{"a":[1,1.5,null,true,"x",99999999999999999999]}"#)),
            concat!(
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},"#,
                r#"{"doubleValue":1.5},{},{"boolValue":true},{"stringValue":"x"},"#,
                r#"{"stringValue":"99999999999999999999"}]}}}]}}"#,
            )
        );
        let deep = "[".repeat(70) + &"]".repeat(70);
        assert!(written(&Form::AnyValue, Value::Json(&deep), usize::MAX).contains(r#"{"stringValue":"[[[[[[]]]]]]"}"#));
    }

    #[test]
    fn a_long_string_is_cut_between_characters_and_marked() {
        assert_eq!(written(&Form::Plain, Value::Str("grün"), 3), r#""gr…""#);
        assert_eq!(written(&Form::Plain, Value::Str("grün"), 5), r#""grün""#);
        assert_eq!(written(&Form::Plain, Value::Bytes(b"abc"), 4), r#""6162…""#);
        assert_eq!(written(&Form::Plain, Value::Json("[1,2,3]"), 4), r#""[1,2…""#);
        assert_eq!(written(&Form::Text, Value::U64(1234), 2), r#""1234""#);
    }

    #[test]
    fn the_form_text_makes_every_value_a_string() {
        for (value, expected) in [
            (Value::Bool(true), r#""true""#),
            (Value::F64(1.0), r#""1.0""#),
            (Value::F64(f64::NAN), r#""NaN""#),
            (Value::U128(u128::MAX), r#""340282366920938463463374607431768211455""#),
            (Value::Json(r#"{"a":"b"}"#), r#""{\"a\":\"b\"}""#),
            (Value::Json(r#""a""#), r#""a""#),
        ] {
            assert_eq!(written(&Form::Text, value, usize::MAX), expected);
        }
    }
}
