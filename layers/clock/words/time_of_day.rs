use crate::{Error, ErrorKind};

/// Reads a time of day and returns the seconds since midnight: `02:30`, `2:30`, `23:59:59`, `midnight`, `noon`. `24:00` is the end of the day.
pub(crate) fn time_of_day(text: &str) -> Result<u32, Error> {
    read(text.trim()).map_err(|why| wrong(text, &why))
}

/// Like [`time_of_day`], but rejects `24:00`, which belongs to the next day.
pub(crate) fn time_before_midnight(text: &str) -> Result<u32, Error> {
    match time_of_day(text)? {
        DAY => Err(wrong(text, "use 00:00 of the next day")),
        time => Ok(time),
    }
}

fn wrong(text: &str, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("invalid time of day {text:?}: {why}"))
}

fn read(text: &str) -> Result<u32, String> {
    if let Some((_, time)) = NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
        return Ok(*time);
    }
    let parts: Vec<_> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return Err(SHAPE.into()),
    };
    if hour.len() > 2 || minute.len() != 2 || second.len() != 2 {
        return Err(SHAPE.into());
    }
    let time = part(hour, "hour", 24)? * 3_600 + part(minute, "minute", 59)? * 60 + part(second, "second", 59)?;
    if time > DAY { Err("the last time of a day is 24:00".into()) } else { Ok(time) }
}

fn part(text: &str, name: &str, last: u32) -> Result<u32, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number).ok_or(SHAPE)?;
    if number > last {
        return Err(format!("{name} must be between 0 and {last}, got `{text}`"));
    }
    Ok(number)
}

const SHAPE: &str = "expected HH:MM or HH:MM:SS";
const NAMES: [(&str, u32); 2] = [("midnight", 0), ("noon", 43_200)];
const DAY: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("00:00", 0),
            ("2:30", 9_000),
            ("02:30", 9_000),
            ("09:30", 34_200),
            ("23:59:59", 86_399),
            ("24:00", 86_400),
            ("24:00:00", 86_400),
            ("Noon", 43_200),
            (" midnight ", 0),
        ] {
            assert_eq!(time_of_day(text).unwrap(), seconds, "{text}");
        }
    }

    #[test]
    fn the_end_of_the_day_is_not_before_midnight() {
        assert_eq!(time_before_midnight("23:59:59").unwrap(), 86_399);
        let error = time_before_midnight("24:00").unwrap_err();
        assert_eq!(error.to_string(), "invalid time of day \"24:00\": use 00:00 of the next day");
    }

    #[test]
    fn a_wrong_time_of_day_is_reported_with_what_is_wrong() {
        for text in [
            "",
            "9",
            "12",
            "12:0",
            "012:00",
            "12:00:00:00",
            "+1:00",
            "+9:00",
            "09:0x",
            "12: 00",
            "1:2:3",
            ":30",
            "é:00",
        ] {
            let error = time_of_day(text).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid time of day {text:?}: {SHAPE}"));
            assert_eq!(error.kind(), ErrorKind::Config);
        }
        for (text, why) in [
            ("25:00", "hour must be between 0 and 24, got `25`"),
            ("09:60", "minute must be between 0 and 59, got `60`"),
            ("12:00:60", "second must be between 0 and 59, got `60`"),
            ("24:01", "the last time of a day is 24:00"),
        ] {
            assert_eq!(time_of_day(text).unwrap_err().to_string(), format!("invalid time of day {text:?}: {why}"));
        }
    }
}
