//! Sizes, durations and times of day, as people write them.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// A number of bytes: `100 MB`, `1.5 GiB`, `64k`, `10_000_000`.
///
/// `kB`, `MB`, `GB`, `TB` are powers of 1,000; `KiB`, `MiB` and so on are powers of 1,024, and so are the bare letters `k`,
/// `M`, `G`, `T` (GNU coreutils, logrotate). log4j2's `MB` is 1,048,576 bytes: that is `MiB` here. Without a unit, and with
/// `B`, it is bytes. A part of a byte is cut off. Upper and lower case are the same.
pub(crate) fn size(text: &str) -> Result<u64, Error> {
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("{text:?} is no size: {why}"));
    let (number, unit) = split(text.trim()).map_err(wrong)?;
    let unit = unit.trim();
    let bytes = BYTES.iter().find(|(names, _)| names.split(' ').any(|name| name.eq_ignore_ascii_case(unit)));
    let (_, bytes) =
        bytes.ok_or_else(|| wrong(format!("`{unit}` is not one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB")))?;
    number.times(*bytes).and_then(|bytes| u64::try_from(bytes).ok()).ok_or_else(|| wrong("it is too large".into()))
}

/// A time span: `7 days`, `90s`, `1h 30m`, `1.5 hours`, `1 day and 12 hours`.
///
/// Units are `ms`, `s`, `m` (minutes), `h`, `d`, `w`, and their names; a number must have one. Upper and lower case are the same.
/// Months and years have no fixed length, and are refused.
pub(crate) fn duration(text: &str) -> Result<Duration, Error> {
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("{text:?} is no time span: {why}"));
    let mut rest = text.trim();
    let mut nanos = 0_u128;
    loop {
        let (number, after) = split(rest).map_err(wrong)?;
        let after = after.trim_start();
        let end = after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let part = unit_nanos(unit).map_err(wrong)?;
        let sum = number.times(part).and_then(|part| nanos.checked_add(part));
        nanos = sum.filter(|nanos| *nanos <= LONGEST).ok_or_else(|| wrong("it is too long".into()))?;
        rest = after_and(after);
        if rest.is_empty() {
            return Ok(Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32));
        }
    }
}

/// A time of day in seconds since midnight: `02:30`, `2:30`, `23:59:59`, `midnight`, `noon`.
pub(crate) fn time_of_day(text: &str) -> Result<u32, Error> {
    read_time(text.trim()).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("{text:?} is no time of day: HH:MM or HH:MM:SS, 00:00 to 23:59:59"))
    })
}

fn read_time(text: &str) -> Option<u32> {
    if let Some((_, time)) = TIMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
        return Some(*time);
    }
    let mut parts = text.split(':').map(digits);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some((2, 0)))?;
    let is_plain = hour.0 <= 2 && minute.0 == 2 && second.0 == 2 && parts.next().is_none();
    let is_real = hour.1 < 24 && minute.1 < 60 && second.1 < 60;
    (is_plain && is_real).then_some(hour.1 * 3_600 + minute.1 * 60 + second.1)
}

/// How many there are, and their value.
fn digits(text: &str) -> Option<(usize, u32)> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok().map(|value| (text.len(), value)))?
}

/// What is read of a decimal number: `value` of its last digit, of which the unit has `10^places`.
#[derive(Clone, Copy, Debug)]
struct Number {
    value: u128,
    places: u32,
}

impl Number {
    fn times(self, unit: u128) -> Option<u128> {
        Some(self.value.checked_mul(unit)? / 10_u128.checked_pow(self.places)?)
    }
}

/// The number that a text begins with, and what comes after it.
fn split(text: &str) -> Result<(Number, &str), String> {
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != '_').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        let word = text.split_whitespace().next().unwrap_or("");
        return Err(format!("`{word}` stands where a number should"));
    }
    match read_number(number) {
        Some(number) => Ok((number, rest)),
        None => Err(format!("`{number}` is no number")),
    }
}

/// Underscores stand between digits, and there is a digit on each side of the point.
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

fn unit_nanos(unit: &str) -> Result<u128, String> {
    let is_named = |names: &str| names.split(' ').any(|name| name.eq_ignore_ascii_case(unit));
    if let Some((_, nanos)) = UNITS.iter().find(|(names, _)| is_named(names)) {
        return Ok(*nanos);
    }
    Err(match unit {
        "" => "it needs a unit: s, m, h, d, w".into(),
        _ if is_named("month months") => "months are not all as long".into(),
        _ if is_named("year years") => "years are not all as long".into(),
        _ => format!("`{unit}` is not one of ms, s, m, h, d, w"),
    })
}

/// Past spaces, a comma, the word `and`.
fn after_and(text: &str) -> &str {
    let text = text.trim_start();
    let text = text.strip_prefix(',').map_or(text, str::trim_start);
    match text.get(..4) {
        Some(and) if and.eq_ignore_ascii_case("and ") => text[4..].trim_start(),
        _ => text,
    }
}

const BYTES: &[(&str, u128)] = &[
    // The first of them: no unit.
    (" B byte bytes", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("K KiB", 1 << 10),
    ("M MiB", 1 << 20),
    ("G GiB", 1 << 30),
    ("T TiB", 1 << 40),
];
const UNITS: &[(&str, u128)] = &[
    ("ms msec millisecond milliseconds", 1_000_000),
    ("s sec secs second seconds", SECOND),
    ("m min mins minute minutes", 60 * SECOND),
    ("h hr hrs hour hours", 3_600 * SECOND),
    ("d day days", 86_400 * SECOND),
    ("w week weeks", 604_800 * SECOND),
];
const TIMES: [(&str, u32); 2] = [("midnight", 0), ("noon", 43_200)];
const SECOND: u128 = 1_000_000_000;
const LONGEST: u128 = u64::MAX as u128 * SECOND;
/// More is a slip, and would not fit where it is multiplied.
const MAX_PLACES: u32 = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("100", 100),
            ("100 B", 100),
            ("100 bytes", 100),
            ("100MB", 100_000_000),
            ("100 mb", 100_000_000),
            ("1 kB", 1_000),
            ("1KB", 1_000),
            ("64k", 65_536),
            ("10M", 10 << 20),
            ("1.5 GiB", 1_610_612_736),
            ("1.3 KiB", 1_331),
            (" 10_000_000 ", 10_000_000),
            ("0.5 TiB", 1 << 39),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn a_wrong_size_is_told_with_the_word_that_is_wrong() {
        for (text, why) in [
            ("", "`` stands where a number should"),
            ("ten MB", "`ten` stands where a number should"),
            ("-5 MB", "`-5` stands where a number should"),
            ("10 MiBs", "`MiBs` is not one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB"),
            ("1.2.3 MB", "`1.2.3` is no number"),
            ("1_ MB", "`1_` is no number"),
            ("1. MB", "`1.` is no number"),
            (".5 MB", "`.5` is no number"),
            ("18446744073709551616", "it is too large"),
            ("99999999 TiB", "it is too large"),
            ("10 MB 5", "`MB 5` is not one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB"),
        ] {
            let error = size(text).unwrap_err();
            assert_eq!(error.to_string(), format!("{text:?} is no size: {why}"));
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }

    #[test]
    fn time_spans_are_read_as_people_write_them() {
        for (text, millis) in [
            ("0s", 0),
            ("90s", 90_000),
            ("90 Seconds", 90_000),
            ("250ms", 250),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1.5 hours", 5_400_000),
            ("1 day and 12 hours", 129_600_000),
            ("1 day, 12 hours", 129_600_000),
            ("7 days", 604_800_000),
            ("2w", 1_209_600_000),
            ("1_000 s", 1_000_000),
        ] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn a_wrong_time_span_is_told_with_the_word_that_is_wrong() {
        for (text, why) in [
            ("", "`` stands where a number should"),
            ("90", "it needs a unit: s, m, h, d, w"),
            ("a week", "`a` stands where a number should"),
            ("3 fortnights", "`fortnights` is not one of ms, s, m, h, d, w"),
            ("2 months", "months are not all as long"),
            ("1h and", "`and` stands where a number should"),
            ("99999999999999999999 days", "it is too long"),
            ("1h -5m", "`-5m` stands where a number should"),
        ] {
            assert_eq!(duration(text).unwrap_err().to_string(), format!("{text:?} is no time span: {why}"));
        }
    }

    #[test]
    fn times_of_day_are_read() {
        for (text, seconds) in
            [("00:00", 0), ("2:30", 9_000), ("02:30", 9_000), ("23:59:59", 86_399), ("Noon", 43_200), ("midnight", 0)]
        {
            assert_eq!(time_of_day(text).unwrap(), seconds, "{text}");
        }
        for text in
            ["", "24:00", "12", "12:60", "12:0", "012:00", "12:00:00:00", "+1:00", "12:00:60", "12: 00", "1:2:3"]
        {
            assert!(time_of_day(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".{0,20}", numbers in "[0-9._]{0,50}[a-zA-Z ]{0,4}") {
            for text in [text, numbers] {
                let _ = (size(&text), duration(&text), time_of_day(&text));
            }
        }

        #[test]
        fn fractions_are_exact(whole in 0..1_000_000_u64, millionths in 0..1_000_000_u64) {
            let bytes = size(&format!("{whole}.{millionths:06} GiB")).unwrap();
            let exact = (u128::from(whole) * 1_000_000 + u128::from(millionths)) * (1 << 30) / 1_000_000;
            prop_assert_eq!(u128::from(bytes), exact);
        }
    }
}
