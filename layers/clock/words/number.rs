//! Decimal numbers in front of a unit.

/// A decimal number: `value` divided by `10^places`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    value: u128,
    places: u32,
}

impl Number {
    /// Returns the number times `unit`, rounded down; `None` if that is too large.
    pub(super) fn times(self, unit: u128) -> Option<u128> {
        Some(self.value.checked_mul(unit)? / 10_u128.checked_pow(self.places)?)
    }
}

/// Splits `text` into the number that it begins with and the rest.
pub(super) fn split(text: &str) -> Result<(Number, &str), String> {
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != '_').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        return Err(match text.split_whitespace().next() {
            Some(word) => format!("expected a number, found `{word}`"),
            None => "expected a number".to_owned(),
        });
    }
    match read_number(number) {
        Some(number) => Ok((number, rest)),
        None => Err(format!("`{number}` is not a number")),
    }
}

/// Parses a number. Underscores are allowed between digits, and a point needs a digit on each side.
fn read_number(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_fit = |part: &str| !part.is_empty() && !part.starts_with('_') && !part.ends_with('_');
    if !is_fit(whole) || !is_fit(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().filter(|letter| *letter != '_').collect();
    let fraction = fraction.trim_end_matches('0');
    let all: String = whole.chars().filter(|letter| *letter != '_').chain(fraction.chars()).collect();
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= MAX_PLACES)?;
    Some(Number { value: all.parse().ok()?, places })
}

/// More decimal places could overflow in [`Number::times`].
const MAX_PLACES: u32 = 18;
