use super::{Cron, Days, EACH};
use crate::clock::Weekday;
use crate::{Error, ErrorKind};

/// Parses a line of a crontab without its command.
pub(super) fn line(text: &str) -> Result<Cron, Error> {
    read(text.trim()).map_err(|why| Error::new(ErrorKind::Config, format!("cron {text:?}: {why}")))
}

fn read(text: &str) -> Result<Cron, String> {
    let text = if text.starts_with('@') { nickname(text)? } else { text };
    let words: Vec<_> = text.split_whitespace().collect();
    let (second, rest) = match words.len() {
        5 => ("0", &words[..]),
        6 => (words[0], &words[1..]),
        many => return Err(format!("expected 5 fields, or 6 with the second in front, found {many}")),
    };
    let (seconds, minutes, hours) = (SECOND.set(second)?, MINUTE.set(rest[0])?, HOUR.set(rest[1])?);
    let (dates, last) = dates(rest[2])?;
    let months = MONTH.set(rest[3])?;
    let (weekdays, last_weekdays) = weekdays(rest[4])?;
    let is_any = |word: &str| word.starts_with('*') || word == "?";
    let either = !is_any(rest[2]) && !is_any(rest[4]);
    Ok(Cron {
        seconds,
        minutes,
        hours,
        days: Days { dates, last, shortens: false, months, weekdays, last_weekdays, either },
        counts_twice: rest[0].starts_with('*') || rest[1].starts_with('*'),
    })
}

fn nickname(text: &str) -> Result<&'static str, String> {
    let known = NICKNAMES.iter().find(|(names, _)| names.split(' ').any(|name| name.eq_ignore_ascii_case(text)));
    known.map(|(_, line)| *line).ok_or_else(|| {
        format!("expected one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, found `{text}`")
    })
}

/// Returns days of the month, and whether the last one is among them.
fn dates(field: &str) -> Result<(u64, bool), String> {
    if field == "?" {
        return Ok((EACH, false));
    }
    let (last, others): (Vec<_>, Vec<_>) = field.split(',').partition(|part| part.eq_ignore_ascii_case("L"));
    Ok((DATE.parts(&others)?, !last.is_empty()))
}

/// Returns days of the week, and those that mean the last one of a month.
fn weekdays(field: &str) -> Result<(u64, u64), String> {
    if field == "?" {
        return Ok((EACH, 0));
    }
    let is_last = |part: &&str| part.len() > 1 && part.ends_with(['L', 'l']);
    let (last, others): (Vec<_>, Vec<_>) = field.split(',').partition(is_last);
    let last: Vec<_> = last.iter().map(|part| &part[..part.len() - 1]).collect();
    // Both 7 and 0 are Sunday.
    let fold = |set: u64| (set | set >> 7) & 0x7f;
    Ok((fold(WEEKDAY.parts(&others)?), fold(WEEKDAY.parts(&last)?)))
}

/// A field of the line, with its range.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    named: fn(&str) -> Option<u32>,
}

impl Field {
    fn set(&self, text: &str) -> Result<u64, String> {
        self.parts(&text.split(',').collect::<Vec<_>>())
    }

    fn parts(&self, parts: &[&str]) -> Result<u64, String> {
        parts.iter().try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    /// Parses `*`, `5` or `1-5`, with or without a step.
    fn part(&self, text: &str) -> Result<u64, String> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step, text)?)),
            None => (text, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((from, to)) => (self.number(from)?, self.end(to)?),
            // A single value with a step means all values from there on.
            None => self.number(range).map(|from| (from, if step.is_some() { self.last } else { from }))?,
        };
        if from > to {
            return Err(format!("the range `{text}` is empty"));
        }
        Ok((from..=to).step_by(step.unwrap_or(1)).fold(0, |set, number| set | 1 << number))
    }

    fn step(&self, step: &str, text: &str) -> Result<usize, String> {
        let number = number(step).filter(|step| *step > 0);
        number
            .map(|step| step as usize)
            .ok_or_else(|| format!("step must be a number above 0, got `{step}` in `{text}`"))
    }

    /// Parses the end of a range, which may be a Sunday.
    fn end(&self, text: &str) -> Result<u32, String> {
        match self.number(text)? {
            0 if self.last == 7 => Ok(7),
            end => Ok(end),
        }
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let found = number(text).or_else(|| (self.named)(text));
        let found = found.ok_or_else(|| format!("invalid {} `{text}`", self.name))?;
        match (self.first..=self.last).contains(&found) {
            true => Ok(found),
            false => Err(format!("{} must be between {} and {}, got `{text}`", self.name, self.first, self.last)),
        }
    }
}

/// Parses a number without a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn month(name: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month))?;
    u32::try_from(at + 1).ok()
}

fn weekday(name: &str) -> Option<u32> {
    name.parse().ok().filter(|_| name.len() == 3).map(Weekday::days_since_sunday)
}

const SECOND: Field = Field { name: "second", first: 0, last: 59, named: |_| None };
const MINUTE: Field = Field { name: "minute", first: 0, last: 59, named: |_| None };
const HOUR: Field = Field { name: "hour", first: 0, last: 23, named: |_| None };
const DATE: Field = Field { name: "day of the month", first: 1, last: 31, named: |_| None };
const MONTH: Field = Field { name: "month", first: 1, last: 12, named: month };
const WEEKDAY: Field = Field { name: "day of the week", first: 0, last: 7, named: weekday };
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NICKNAMES: [(&str, &str); 5] = [
    ("@hourly", "0 * * * *"),
    ("@daily @midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly @annually", "0 0 1 1 *"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(numbers: impl IntoIterator<Item = u32>) -> u64 {
        numbers.into_iter().fold(0, |set, number| set | 1 << number)
    }

    #[test]
    fn fields_are_read_as_crontab_5_says() {
        let cron = line("*/15 0-4,22 1,15,L jan-mar Mon-Sun/2").unwrap();
        assert_eq!(cron.seconds, bits([0]));
        assert_eq!(cron.minutes, bits([0, 15, 30, 45]));
        assert_eq!(cron.hours, bits([0, 1, 2, 3, 4, 22]));
        assert_eq!((cron.days.dates, cron.days.last), (bits([1, 15]), true));
        assert_eq!(cron.days.months, bits([1, 2, 3]));
        assert_eq!(cron.days.weekdays, bits([1, 3, 5, 0]));
        assert!(cron.days.either && cron.counts_twice);
    }

    #[test]
    fn a_sixth_field_is_the_second() {
        let cron = line("5/20 30 2 ? * 7,5L").unwrap();
        assert_eq!((cron.seconds, cron.minutes, cron.hours), (bits([5, 25, 45]), bits([30]), bits([2])));
        assert_eq!((cron.days.weekdays, cron.days.last_weekdays), (bits([0]), bits([5])));
        assert!(!cron.days.either && !cron.counts_twice);
    }

    #[test]
    fn nicknames_are_lines() {
        for (name, same) in [("@daily", "0 0 * * *"), ("@Midnight", "0 0 * * *"), (" @annually ", "0 0 1 1 *")] {
            assert_eq!(line(name).unwrap(), line(same).unwrap());
        }
    }

    #[test]
    fn a_wrong_line_is_told_with_the_word_that_is_wrong() {
        for (text, why) in [
            ("", "expected 5 fields, or 6 with the second in front, found 0"),
            ("0 0 0 * * ? 2026", "expected 5 fields, or 6 with the second in front, found 7"),
            ("60 * * * *", "minute must be between 0 and 59, got `60`"),
            ("* 24 * * *", "hour must be between 0 and 23, got `24`"),
            ("* * 0 * *", "day of the month must be between 1 and 31, got `0`"),
            ("* * * 13 *", "month must be between 1 and 12, got `13`"),
            ("* * * JANUARY *", "invalid month `JANUARY`"),
            ("* * * * 8", "day of the week must be between 0 and 7, got `8`"),
            ("* * * * fri#2", "invalid day of the week `fri#2`"),
            ("* * 15W * *", "invalid day of the month `15W`"),
            ("* * * * L", "invalid day of the week `L`"),
            ("*/0 * * * *", "step must be a number above 0, got `0` in `*/0`"),
            ("*/-1 * * * *", "step must be a number above 0, got `-1` in `*/-1`"),
            ("* 22-2 * * *", "the range `22-2` is empty"),
            ("1,,2 * * * *", "invalid minute ``"),
            ("+1 * * * *", "invalid minute `+1`"),
            ("? * * * *", "invalid minute `?`"),
            (
                "@reboot",
                "expected one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, found `@reboot`",
            ),
        ] {
            assert_eq!(line(text).unwrap_err().to_string(), format!("cron {text:?}: {why}"));
        }
    }
}
