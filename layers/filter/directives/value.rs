//! The values of fields that a directive asks for.

use std::fmt::{self, Write};

use regex::Regex;

use crate::record::Value;

/// What a directive says about the value of a field.
#[derive(Clone, Debug)]
pub(super) enum ValueMatch {
    Bool(bool),
    U64(u64),
    I64(i64),
    F64(f64),
    NaN,
    /// A regular expression that the text of the value must match up to its end.
    Pattern(Regex),
    Exactly(String),
}

impl ValueMatch {
    /// A boolean or a number is a value of that type, anything else a regular expression; or a text, if `regex` is off.
    pub(super) fn parse(text: &str, regex: bool) -> Result<Self, regex::Error> {
        Ok(match (text.parse(), text.parse(), text.parse(), text.parse::<f64>()) {
            (Ok(value), ..) => Self::Bool(value),
            (_, Ok(value), ..) => Self::U64(value),
            (_, _, Ok(value), _) => Self::I64(value),
            (.., Ok(value)) if value.is_nan() => Self::NaN,
            (.., Ok(value)) => Self::F64(value),
            _ if regex => Self::Pattern(Regex::new(text)?),
            _ => Self::Exactly(text.to_owned()),
        })
    }

    pub(super) fn without_regex(self) -> Self {
        match self {
            Self::Pattern(regex) => Self::Exactly(regex.as_str().to_owned()),
            other => other,
        }
    }

    pub(super) fn matches(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Bool(expected), Value::Bool(value)) => *expected == value,
            (Self::U64(expected), Value::U64(value)) => *expected == value,
            (Self::U64(expected), Value::I64(value)) => i64::try_from(*expected) == Ok(value),
            (Self::I64(expected), Value::I64(value)) => *expected == value,
            (Self::F64(expected), Value::F64(value)) => (value - expected).abs() < f64::EPSILON,
            (Self::NaN, Value::F64(value)) => value.is_nan(),
            (Self::Pattern(regex), value) => {
                with_text(value, |text| regex.find(text).is_some_and(|found| found.end() == text.len()))
            }
            (Self::Exactly(expected), Value::Str(value)) => value == expected || format!("{value:?}") == *expected,
            (Self::Exactly(expected), value) => with_text(value, |text| text == expected),
            _ => false,
        }
    }
}

/// Calls `see` with the text of a value that is neither a boolean nor a number of up to 64 bits, as `Debug` writes it.
fn with_text(value: Value<'_>, see: impl FnOnce(&str) -> bool) -> bool {
    match value {
        Value::Str(text) | Value::Text(text) | Value::Json(text) => see(text),
        // Without the causes.
        Value::Error(chain) => chain.messages().next().is_some_and(see),
        Value::I128(_) | Value::U128(_) => see(&value.to_string()),
        Value::Bytes(bytes) => see(&hexadecimal(bytes)),
        _ => false,
    }
}

/// As tracing writes bytes: `[de ad]`.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::from("[");
    for (index, byte) in bytes.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{byte:02x}", if index > 0 { " " } else { "" });
    }
    text + "]"
}

impl PartialEq for ValueMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::U64(one), Self::U64(other)) => one == other,
            (Self::I64(one), Self::I64(other)) => one == other,
            (Self::F64(one), Self::F64(other)) => one == other,
            (Self::NaN, Self::NaN) => true,
            (Self::Pattern(one), Self::Pattern(other)) => one.as_str() == other.as_str(),
            (Self::Exactly(one), Self::Exactly(other)) => one == other,
            _ => false,
        }
    }
}

impl fmt::Display for ValueMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::U64(value) => write!(f, "{value}"),
            // Without the sign, it would parse as a `U64`, which more values equal.
            Self::I64(0) => f.write_str("-0"),
            Self::I64(value) => write!(f, "{value}"),
            Self::F64(value) => write!(f, "{value:?}"),
            Self::NaN => f.write_str("NaN"),
            Self::Pattern(regex) => f.write_str(regex.as_str()),
            Self::Exactly(text) => f.write_str(text),
        }
    }
}
