use std::cmp::Ordering;

use crate::record::{Value, pool};

/// The operand of a comparison: a [`Value`] that owns its text.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Bool(bool),
    Number(Number),
    Text(String),
    Bytes(Vec<u8>),
}

impl Literal {
    /// Compares `value` with this; `None` if their types cannot be compared.
    pub(super) fn compare(&self, value: Value<'_>) -> Option<Ordering> {
        match (self, value) {
            (Self::Text(text), Value::Str(value) | Value::Text(value) | Value::Json(value)) => {
                Some(value.cmp(text.as_str()))
            }
            (Self::Text(text), Value::Error(_)) => Some(with_text(value, |value| value.cmp(text.as_str()))),
            (Self::Number(number), _) => Number::of(value)?.compare(*number),
            (Self::Bool(bool), Value::Bool(value)) => Some(value.cmp(bool)),
            (Self::Bytes(bytes), Value::Bytes(value)) => Some(value.cmp(bytes.as_slice())),
            _ => None,
        }
    }

    pub(super) fn equals(&self, value: Value<'_>) -> bool {
        self.compare(value) == Some(Ordering::Equal)
    }
}

impl From<Value<'_>> for Literal {
    fn from(value: Value<'_>) -> Self {
        match (value, Number::of(value)) {
            (_, Some(number)) => Self::Number(number),
            (Value::Bool(value), _) => Self::Bool(value),
            (Value::Bytes(value), _) => Self::Bytes(value.to_vec()),
            (other, _) => Self::Text(other.to_string()),
        }
    }
}

/// Calls `see` with the text of a value: its own, or as displayed.
pub(super) fn with_text<R>(value: Value<'_>, see: impl FnOnce(&str) -> R) -> R {
    use std::io::Write;

    if let Value::Str(text) | Value::Text(text) | Value::Json(text) = value {
        return see(text);
    }
    let mut buffer = pool::take();
    // Writing to a Vec cannot fail.
    let _ = write!(buffer, "{value}");
    let seen = see(std::str::from_utf8(&buffer).unwrap_or(""));
    pool::give(buffer);
    seen
}

/// A number of any type of value, without loss.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer { is_negative: bool, magnitude: u128 },
    Float(f64),
}

impl Number {
    fn of(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::I64(value) => Self::integer(value < 0, value.unsigned_abs().into()),
            Value::I128(value) => Self::integer(value < 0, value.unsigned_abs()),
            Value::U64(value) => Self::integer(false, value.into()),
            Value::U128(value) => Self::integer(false, value),
            Value::F64(value) => Self::Float(value),
            _ => return None,
        })
    }

    fn integer(is_negative: bool, magnitude: u128) -> Self {
        Self::Integer { is_negative, magnitude }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Integer { is_negative, magnitude }, Self::Float(float)) => {
                compare_with_float(is_negative, magnitude, float)
            }
            (Self::Float(_), Self::Integer { .. }) => other.compare(self).map(Ordering::reverse),
            (
                Self::Integer { is_negative: one_negative, magnitude: one },
                Self::Integer { is_negative: other_negative, magnitude: other },
            ) => Some(match (one_negative, other_negative) {
                (false, false) => one.cmp(&other),
                (true, true) => other.cmp(&one),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
            }),
        }
    }
}

/// Compares exactly: the whole part of a float is an integer without rounding.
fn compare_with_float(is_negative: bool, magnitude: u128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let float_negative = float < 0.0;
    let by_size = match float.abs() {
        size if size >= TWO_TO_128 => Ordering::Less,
        size => magnitude.cmp(&(size.trunc() as u128)).then(match size.fract() > 0.0 {
            true => Ordering::Less,
            false => Ordering::Equal,
        }),
    };
    Some(match (is_negative, float_negative) {
        (false, false) => by_size,
        (true, true) => by_size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

const TWO_TO_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compare(value: Value<'_>, literal: Value<'_>) -> Option<Ordering> {
        Literal::from(literal).compare(value)
    }

    #[test]
    fn numbers_of_all_types_compare_by_value() {
        let ascending = [
            Value::F64(f64::NEG_INFINITY),
            Value::F64(-1.8e38),
            Value::I128(i128::MIN),
            Value::I128(i128::MIN + 1),
            Value::F64(-9_223_372_036_854_777_856.0),
            Value::I64(i64::MIN),
            Value::F64(-1.5),
            Value::I64(-1),
            Value::F64(-0.5),
            Value::U64(0),
            Value::F64(f64::MIN_POSITIVE),
            Value::U128(1),
            Value::F64(1.5),
            Value::I64(9_007_199_254_740_992),
            Value::U64(9_007_199_254_740_993),
            Value::I64(i64::MAX),
            Value::F64(9_223_372_036_854_775_808.0),
            Value::U64(u64::MAX),
            Value::F64(u64::MAX as f64),
            Value::U128(u128::MAX),
            Value::F64(TWO_TO_128),
            Value::F64(f64::INFINITY),
        ];
        for (i, one) in ascending.iter().enumerate() {
            for (j, other) in ascending.iter().enumerate() {
                assert_eq!(compare(*one, *other), Some(i.cmp(&j)), "{one:?} {other:?}");
            }
        }
        let nan = Value::F64(f64::NAN);
        assert!(ascending.iter().all(|other| compare(nan, *other).is_none() && compare(*other, nan).is_none()));
        assert_eq!(compare(Value::F64(-0.0), Value::U64(0)), Some(Ordering::Equal));
        assert_eq!(compare(Value::U64(5), Value::F64(5.0)), Some(Ordering::Equal));
    }

    #[test]
    fn values_of_different_types_do_not_compare() {
        let each = [Value::Bool(true), Value::U64(1), Value::Str("1"), Value::Bytes(b"1")];
        for (i, one) in each.iter().enumerate() {
            for (j, other) in each.iter().enumerate() {
                assert_eq!(compare(*one, *other), (i == j).then_some(Ordering::Equal), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_kind_of_text_compares_as_text() {
        for value in [Value::Str("[1]"), Value::Text("[1]"), Value::Json("[1]")] {
            assert_eq!(compare(value, Value::Str("[1]")), Some(Ordering::Equal));
            assert_eq!(compare(value, Value::Str("[2")), Some(Ordering::Less));
        }
        assert_eq!(compare(Value::Bool(false), Value::Bool(true)), Some(Ordering::Less));
    }

    proptest! {
        #[test]
        fn an_integer_and_a_float_compare_as_two_integers_do(integer: i64, whole in -(1_i64 << 53)..1_i64 << 53) {
            prop_assert_eq!(compare(integer.into(), Value::F64(whole as f64)), Some(integer.cmp(&whole)));
            prop_assert_eq!(compare(Value::F64(whole as f64), integer.into()), Some(whole.cmp(&integer)));
        }

        #[test]
        fn comparing_the_other_way_round_gives_the_opposite(one: i128, other: f64) {
            let (a, b) = (Value::I128(one), Value::F64(other));
            prop_assert_eq!(compare(a, b), compare(b, a).map(Ordering::reverse));
        }
    }
}
