use std::time::Duration;

use super::number::split;
use crate::{Error, ErrorKind};

/// Reads a duration: `7 days`, `90s`, `1h 30m`, `1.5 hours`, `1 day and 12 hours`.
///
/// Units are `ms`, `s`, `m` (minutes), `h`, `d`, `w`, and their names; every number must have one. Case is ignored. Months and
/// years have no fixed length and are refused.
pub(crate) fn duration(text: &str) -> Result<Duration, Error> {
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("invalid duration {text:?}: {why}"));
    let mut rest = text.trim();
    let mut nanos = 0_u128;
    loop {
        let (number, after) = split(rest).map_err(wrong)?;
        let after = after.trim_start();
        let end = after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let part = unit_nanos(unit).map_err(wrong)?;
        let sum = number.times(part).and_then(|part| nanos.checked_add(part));
        nanos = sum.filter(|nanos| *nanos <= LONGEST).ok_or_else(|| wrong("too long".into()))?;
        rest = after_and(after);
        if rest.is_empty() {
            return Ok(Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32));
        }
    }
}

/// Writes a duration in milliseconds, exactly, so that [`duration`] reads it back: `1.5 ms`.
pub(crate) fn millis(time: Duration) -> String {
    let (millis, nanos) = (time.as_millis(), time.subsec_nanos() % 1_000_000);
    let fraction = format!("{nanos:06}");
    match fraction.trim_end_matches('0') {
        "" => format!("{millis} ms"),
        fraction => format!("{millis}.{fraction} ms"),
    }
}

fn unit_nanos(unit: &str) -> Result<u128, String> {
    let is_named = |names: &str| names.split(' ').any(|name| name.eq_ignore_ascii_case(unit));
    if let Some((_, nanos)) = UNITS.iter().find(|(names, _)| is_named(names)) {
        return Ok(*nanos);
    }
    Err(match unit {
        "" => "the unit is missing: ms, s, m, h, d, w".into(),
        _ if is_named("month months") => "months differ in length".into(),
        _ if is_named("year years") => "years differ in length".into(),
        _ => format!("unit must be one of ms, s, m, h, d, w, got `{unit}`"),
    })
}

/// Skips spaces, a comma, the word `and`.
fn after_and(text: &str) -> &str {
    let text = text.trim_start();
    let text = text.strip_prefix(',').map_or(text, str::trim_start);
    match text.get(..4) {
        Some(and) if and.eq_ignore_ascii_case("and ") => text[4..].trim_start(),
        _ => text,
    }
}

const UNITS: &[(&str, u128)] = &[
    ("ms msec millisecond milliseconds", 1_000_000),
    ("s sec secs second seconds", SECOND),
    ("m min mins minute minutes", 60 * SECOND),
    ("h hr hrs hour hours", 3_600 * SECOND),
    ("d day days", 86_400 * SECOND),
    ("w week weeks", 604_800 * SECOND),
];
const SECOND: u128 = 1_000_000_000;
/// [`Duration::MAX`].
const LONGEST: u128 = u64::MAX as u128 * SECOND + SECOND - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
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

    proptest! {
        #[test]
        fn milliseconds_are_exact(seconds: u64, nanos in 0..1_000_000_000_u32) {
            let time = Duration::new(seconds, nanos);
            prop_assert_eq!(duration(&millis(time)).unwrap(), time);
        }
    }

    #[test]
    fn the_longest_duration_can_be_written() {
        assert_eq!(millis(Duration::from_micros(1_500)), "1.5 ms");
        assert_eq!(duration(&millis(Duration::MAX)).unwrap(), Duration::MAX);
        assert!(duration("18446744073709551616 s").unwrap_err().to_string().ends_with("too long"));
    }

    #[test]
    fn a_wrong_duration_is_reported_with_the_wrong_word() {
        for (text, why) in [
            ("", "expected a number"),
            ("90", "the unit is missing: ms, s, m, h, d, w"),
            ("a week", "expected a number, found `a`"),
            ("3 fortnights", "unit must be one of ms, s, m, h, d, w, got `fortnights`"),
            ("2 months", "months differ in length"),
            ("1h and", "expected a number, found `and`"),
            ("99999999999999999999 days", "too long"),
            ("1h -5m", "expected a number, found `-5m`"),
        ] {
            assert_eq!(duration(text).unwrap_err().to_string(), format!("invalid duration {text:?}: {why}"));
        }
    }
}
