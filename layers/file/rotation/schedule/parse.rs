//! Parses schedules in words.

use std::str::FromStr;
use std::time::Duration;

use super::{Cron, Schedule};
use crate::clock::{Weekday, words};
use crate::{Error, ErrorKind};

/// Reads a schedule from words, in upper or lower case.
///
/// | words | meaning |
/// |---|---|
/// | `hourly`, `daily`, `weekly`, `monthly`, `yearly` | every whole hour; every midnight; that of Monday; of the 1st; of January 1st |
/// | `daily at 02:30`, `every day at noon` | [`daily_at`](Schedule::daily_at) |
/// | `monday`, `mon at 00:00`, `every monday at 03:00`, `weekly on sunday at 03:00` | [`weekly`](Schedule::weekly) |
/// | `monthly on the 1st at 03:00`, `monthly on the last day`, `monthly at noon` | [`monthly`](Schedule::monthly) |
/// | `every 15 minutes`, `every hour`, `every 1h 30m` | [`every`](Schedule::every), from the beginning of the file |
/// | `every 15 minutes aligned` | the same, [`aligned`](Schedule::aligned) |
/// | `cron 0 3 * * *`, `@daily` | [`cron`](Schedule::cron) |
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::rotation::Schedule;
///
/// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21, a Saturday
/// let sunday: Schedule = "Weekly on Sunday at 03:00".parse()?;
/// assert_eq!(sunday.next(now, now), Some(Timestamp::new(1_795_316_400, 0)), "2026-11-22T03:00:00Z");
///
/// let error = "daily around 02:30".parse::<Schedule>().unwrap_err();
/// assert_eq!(error.to_string(), "schedule \"daily around 02:30\": expected `at`, found `around`");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if the text is not valid; the message names the word that is not.
impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        if lower.starts_with("cron ") {
            return Self::cron(&trimmed["cron ".len()..]);
        }
        if lower.starts_with('@') {
            return Self::cron(trimmed);
        }
        let words: Vec<_> = lower.split_whitespace().collect();
        read(&words).map_err(|why| Error::new(ErrorKind::Config, format!("schedule {text:?}: {why}")))
    }
}

fn read(words: &[&str]) -> Result<Schedule, String> {
    match words {
        ["hourly"] => Ok(Schedule::hourly()),
        ["hourly", word, ..] => Err(format!("unexpected `{word}` at the end")),
        ["daily", rest @ ..] | ["every", "day", rest @ ..] => day(rest),
        ["weekly", "on", name, rest @ ..] => week(weekday(name)?, rest),
        ["weekly", rest @ ..] => week(Weekday::Monday, rest),
        ["monthly", "on", rest @ ..] => month(rest),
        ["monthly", rest @ ..] => Ok(dates(at(rest)?, |cron| cron.on_day(1))),
        ["yearly", rest @ ..] => Ok(dates(at(rest)?, |cron| cron.on_day(1).in_january())),
        ["every", name, rest @ ..] if weekday(name).is_ok() => week(weekday(name)?, rest),
        ["every", rest @ ..] => period(rest),
        [name, rest @ ..] if weekday(name).is_ok() => week(weekday(name)?, rest),
        [word, ..] => Err(format!("expected one of {FIRST}, found `{word}`")),
        [] => Err(format!("expected one of {FIRST}")),
    }
}

fn day(rest: &[&str]) -> Result<Schedule, String> {
    match rest {
        [] => Ok(Schedule::daily()),
        _ => Ok(dates(at(rest)?, |cron| cron)),
    }
}

fn week(day: Weekday, rest: &[&str]) -> Result<Schedule, String> {
    Ok(dates(at(rest)?, |cron| cron.on_weekday(day)))
}

/// Parses what follows `monthly on`: `the 1st at 03:00`, `15`, `last day`.
fn month(rest: &[&str]) -> Result<Schedule, String> {
    let rest = rest.strip_prefix(&["the"]).unwrap_or(rest);
    let (day, rest) = match rest {
        ["last", "day", rest @ ..] | ["last", rest @ ..] => (31, rest),
        [day, rest @ ..] => (day_of_month(day)?, rest),
        [] => return Err("expected a day of the month after `on`".into()),
    };
    Ok(dates(at(rest)?, |cron| cron.on_day(day)))
}

/// Parses what follows `every`: `15 minutes`, `hour`, `1h 30m aligned`.
fn period(words: &[&str]) -> Result<Schedule, String> {
    let (words, is_aligned) = match words {
        [words @ .., "aligned"] => (words, true),
        words => (words, false),
    };
    let text = match words {
        [unit] if unit.chars().all(char::is_alphabetic) => format!("1 {unit}"),
        words => words.join(" "),
    };
    let period = words::duration(&text).map_err(|error| format!("{error:#}"))?;
    if period < Duration::from_secs(1) {
        return Err(format!("the period `{text}` is shorter than a second"));
    }
    let schedule = Schedule::every(period);
    Ok(if is_aligned { schedule.aligned() } else { schedule })
}

/// Parses `at 02:30`; the default is midnight.
fn at(rest: &[&str]) -> Result<u32, String> {
    match rest {
        [] => Ok(0),
        ["at", time] => words::time_before_midnight(time).map_err(|error| format!("{error:#}")),
        ["at"] => Err("expected a time after `at`".into()),
        ["at", _, word, ..] => Err(format!("unexpected `{word}` at the end")),
        [word, ..] => Err(format!("expected `at`, found `{word}`")),
    }
}

fn weekday(name: &str) -> Result<Weekday, String> {
    name.parse().map_err(|error: Error| format!("{error:#}"))
}

/// Parses `1st`, `2nd`, `15`.
fn day_of_month(text: &str) -> Result<u8, String> {
    let number = ["st", "nd", "rd", "th"].iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let day = number.parse().ok().filter(|day| is_plain && (1..=31).contains(day));
    day.ok_or_else(|| format!("day of the month must be between 1 and 31, or `last`, got `{text}`"))
}

fn dates(time: u32, on: impl FnOnce(Cron) -> Cron) -> Schedule {
    Schedule::dates(on(Cron::daily(time)))
}

const FIRST: &str = "hourly, daily, weekly, monthly, yearly, every, cron, a day of the week";
