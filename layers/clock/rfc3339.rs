//! Reads points in time in the notation of RFC 3339.

use super::civil::Civil;

/// Returns the seconds since 1970-01-01T00:00:00Z, and the nanoseconds within the second; `None` if `text` is not RFC 3339.
pub(super) fn read(text: &str) -> Option<(i64, u32)> {
    let mut reader = Reader(text.as_bytes());
    let (year, month, day) = (reader.number(4)?, reader.sign(b"-")?.number(2)?, reader.sign(b"-")?.number(2)?);
    let (hour, minute, second) =
        (reader.sign(b"Tt ")?.number(2)?, reader.sign(b":")?.number(2)?, reader.sign(b":")?.number(2)?);
    let nanos = reader.fraction()?;
    let offset = reader.offset()?;
    let small = |number: u32| u8::try_from(number).ok();
    let civil = Civil {
        year: i32::try_from(year).ok()?,
        month: small(month)?,
        day: small(day)?,
        hour: small(hour)?,
        minute: small(minute)?,
        // A leap second counts as the second before it.
        second: if second == 60 { 59 } else { small(second)? },
    };
    let is_real = (1..=12).contains(&month) && Civil::new(civil.seconds()) == civil;
    (is_real && reader.0.is_empty()).then(|| (civil.seconds() - offset, nanos))
}

/// The rest of the text.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    /// Takes a number of exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |number, digit| Some(number * 10 + char::from(*digit).to_digit(10)?))
    }

    /// Takes one of these characters.
    fn sign(&mut self, signs: &[u8]) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        signs.contains(first).then_some(self)
    }

    /// Takes a fraction, `.5`. Returns it in nanoseconds; 0 if there is none.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix(b".") else { return Some(0) };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at(digits);
        self.0 = rest;
        let nanos = (0..9).fold(0, |nanos, at| nanos * 10 + digits.get(at).map_or(0, |digit| u32::from(digit - b'0')));
        (!digits.is_empty()).then_some(nanos)
    }

    /// Takes an offset, `Z` or `+02:00`. Returns it in seconds.
    fn offset(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let sign = match first {
            b'Z' | b'z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, minutes) = (self.number(2)?, self.sign(b":")?.number(2)?);
        (hours < 24 && minutes < 60).then_some(sign * i64::from(hours * 3_600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::clock::Timestamp;

    #[test]
    fn every_spelling_of_rfc_3339_is_read() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{error}"));
        for text in
            ["2026-11-21T01:19:03Z", "2026-11-21t01:19:03z", "2026-11-21 03:19:03+02:00", "2026-11-20T23:49:03.0-01:30"]
        {
            assert_eq!(time(text), Timestamp::new(1_795_223_943, 0), "{text}");
        }
        assert_eq!(time("1969-12-31T23:59:59.9999999999Z"), Timestamp::new(-1, 999_999_999));
        assert_eq!(time("2016-12-31T23:59:60Z"), time("2016-12-31T23:59:59Z"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T01:19:03",
            "2026-11-21T01:19Z",
            "2026-11-21T01:19:03.Z",
            "2026-11-21T01:19:03Z.",
            "2026-02-29T01:19:03Z",
            "2026-00-01T01:19:03Z",
            "2026-13-01T01:19:03Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T01:60:00Z",
            "2026-11-21T01:19:03+24:00",
            "2026-11-21T01:19:03+0200",
            "+026-11-21T01:19:03Z",
        ] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert_eq!(error.to_string(), format!("expected a time like 2026-11-21T01:19:03Z, found {text:?}"));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in -62_167_219_200..=253_402_300_799_i64, nanos in 0..1_000_000_000_u32) {
            let time = Timestamp::new(seconds, nanos);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}", near in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.Z+0-9:-]{0,9}") {
            let _ = (text.parse::<Timestamp>(), near.parse::<Timestamp>());
        }
    }
}
