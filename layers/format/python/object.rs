use super::{MAX_COUNT, float, repr};
use crate::format::{escape, number};
use crate::record::Value;

/// A value of one of Python's types.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'a> {
    /// A string from the program, which must be escaped.
    Text(&'a str),
    /// A string from this crate, which needs no escaping.
    Own(&'a str),
    Bool(bool),
    Int {
        negative: bool,
        magnitude: u128,
    },
    Float(f64),
    /// A value that takes no format: `None`, a tuple.
    Other(&'static str),
}

/// The function that converts an object to a string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    Str,
    Repr,
    Ascii,
}

impl<'a> Object<'a> {
    pub(super) const NONE: Self = Self::Other("None");
    pub(super) const EMPTY: Self = Self::Own("");
    pub(super) const ZERO: Self = Self::Int { negative: false, magnitude: 0 };

    /// Converts a number or a boolean; any other value becomes `None`.
    pub(super) fn of_number(value: Value<'_>) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(value),
            Value::I64(value) => Self::Int { negative: value < 0, magnitude: value.unsigned_abs().into() },
            Value::U64(value) => Self::from(value),
            Value::I128(value) => Self::Int { negative: value < 0, magnitude: value.unsigned_abs() },
            Value::U128(magnitude) => Self::Int { negative: false, magnitude },
            Value::F64(value) => Self::Float(value),
            _ => Self::NONE,
        }
    }

    /// Appends the object as `str()` does.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => escape::plain(out, text),
            Self::Own(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bool(true) => out.extend_from_slice(b"True"),
            Self::Bool(false) => out.extend_from_slice(b"False"),
            Self::Int { negative, magnitude } => {
                if negative {
                    out.push(b'-');
                }
                number::int(out, magnitude);
            }
            Self::Float(value) => {
                if float::is_negative(value) {
                    out.push(b'-');
                }
                float::shortest(value.abs(), false, out);
            }
            Self::Other(text) => out.extend_from_slice(text.as_bytes()),
        }
    }

    /// Appends the object as `str()`, `repr()` or `ascii()` does.
    pub(super) fn write_as(self, how: How, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) | Self::Own(text) if how != How::Str => repr::write(text, how == How::Ascii, out),
            other => other.write(out),
        }
    }

    /// Returns the sign and magnitude of an integer or a boolean.
    pub(super) fn int(self) -> Option<(bool, u128)> {
        match self {
            Self::Bool(value) => Some((false, value.into())),
            Self::Int { negative, magnitude } => Some((negative, magnitude)),
            _ => None,
        }
    }

    /// Converts a number as `float()` does.
    pub(super) fn float(self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(value),
            other => other.int().map(|(negative, magnitude)| match negative {
                true => -(magnitude as f64),
                false => magnitude as f64,
            }),
        }
    }

    /// Returns the only character of a string, or the character with this number.
    pub(super) fn char(self) -> Option<char> {
        match self {
            Self::Text(text) | Self::Own(text) => {
                let mut chars = text.chars();
                chars.next().filter(|_| chars.next().is_none())
            }
            other => match other.int()? {
                (true, 1..) => None,
                (_, magnitude) => char::from_u32(u32::try_from(magnitude).ok()?),
            },
        }
    }

    /// Converts to a width or a precision.
    pub(super) fn count(self) -> Option<usize> {
        match self {
            Self::Text(text) | Self::Own(text) => super::count(text),
            other => match other.int()? {
                (true, 1..) => None,
                (_, magnitude) => usize::try_from(magnitude).ok().filter(|count| *count <= MAX_COUNT),
            },
        }
    }
}

impl From<u64> for Object<'_> {
    fn from(value: u64) -> Self {
        Self::Int { negative: false, magnitude: value.into() }
    }
}
