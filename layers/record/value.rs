use std::fmt;

use super::primitive::{Reader, put_text};

/// A field's value, with its original type.
///
/// A text keeps 16 MiB: a longer one ends in the mark `…[123 bytes cut]`. A longer nested value contains the mark and stays JSON. Bytes
/// are cut without a mark. The messages of an error keep 1 GiB in total; the number of the others follows as `…[123 errors cut]`.
///
/// ```
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("pieces", 3_u64);
/// assert_eq!(record.as_record().field("pieces"), Some(Value::U64(3)));
/// ```
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A wide signed integer.
    I128(i128),
    /// A wide unsigned integer.
    U128(u128),
    /// A float, possibly not finite. tracing and `log` have no type for an `f32` and widen it, so that `0.1_f32` becomes
    /// 0.10000000149011612. Logged as `%value`, it is a text with the digits of an `f32`: `0.1`.
    F64(f64),
    /// A string value.
    Str(&'a str),
    /// The output of a value's `Debug` (`?value`) or `Display` (`%value`).
    Text(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An error and its causes.
    Error(ErrorChain<'a>),
    /// A nested value: one text of valid JSON (RFC 8259), without line breaks.
    Json(&'a str),
}

impl<'a> Value<'a> {
    /// Returns the text of a [`Str`](Self::Str) or [`Text`](Self::Text).
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Self::Str(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Writes the bare value: strings without quotes, bytes in hexadecimal, errors as `outer: inner: root`, nested values as JSON.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => fmt::Display::fmt(value, f),
            Self::I64(value) => fmt::Display::fmt(value, f),
            Self::U64(value) => fmt::Display::fmt(value, f),
            Self::I128(value) => fmt::Display::fmt(value, f),
            Self::U128(value) => fmt::Display::fmt(value, f),
            Self::F64(value) => fmt::Debug::fmt(value, f),
            Self::Str(value) | Self::Text(value) | Self::Json(value) => fmt::Display::fmt(value, f),
            Self::Bytes(value) => value.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Error(chain) => fmt::Display::fmt(chain, f),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(value) => fmt::Debug::fmt(value, f),
            other => fmt::Display::fmt(other, f),
        }
    }
}

/// An error's message and those of its [`source`](std::error::Error::source)s, outermost first.
#[derive(Clone, Copy, PartialEq)]
pub struct ErrorChain<'a>(pub(super) &'a [u8]);

impl<'a> ErrorChain<'a> {
    /// Iterates over the messages, outermost first.
    pub fn messages(self) -> impl Iterator<Item = &'a str> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || reader.text32())
    }
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, message) in self.messages().enumerate() {
            if index > 0 {
                f.write_str(": ")?;
            }
            f.write_str(message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.messages()).finish()
    }
}

/// Builds an error chain message by message, outermost first.
///
/// ```
/// use tracing_handlers::record::ErrorBuf;
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let mut error = ErrorBuf::default();
/// error.push("no stock");
/// error.push("connection refused");
/// let record = RecordBuf::new(Severity::ERROR, "shop", "not sold").with_field("error", error.as_value());
/// assert_eq!(record.as_record().field("error").unwrap().to_string(), "no stock: connection refused");
/// ```
#[derive(Clone, Default)]
pub struct ErrorBuf(Vec<u8>);

impl ErrorBuf {
    /// Creates a chain without messages.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a message: the cause of the previous one.
    pub fn push(&mut self, message: &str) {
        put_text(&mut self.0, |out| out.extend_from_slice(message.as_bytes()));
    }

    /// Removes all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Returns the chain as a field's value.
    pub fn as_value(&self) -> Value<'_> {
        Value::Error(ErrorChain(&self.0))
    }
}

impl fmt::Debug for ErrorBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ErrorChain(&self.0).fmt(f)
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value<'_> {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from!(bool => Bool, i8 => I64, i16 => I64, i32 => I64, i64 => I64, u8 => U64, u16 => U64, u32 => U64, u64 => U64,
    i128 => I128, u128 => U128, f32 => F64, f64 => F64);

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::U64(value as u64)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}
