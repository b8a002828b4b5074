//! Schedules in words.

use std::time::Duration;

use super::{Cron, Schedule};
use crate::clock::Weekday;
use crate::file::rotation::words;
use crate::{Error, ErrorKind};

/// See [`Schedule::parse`].
pub(super) fn schedule(text: &str) -> Result<Schedule, Error> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    if lower.starts_with("cron ") {
        return Schedule::cron(&trimmed["cron ".len()..]);
    }
    if lower.starts_with('@') {
        return Schedule::cron(trimmed);
    }
    let words: Vec<_> = lower.split_whitespace().collect();
    read(&words).map_err(|why| Error::new(ErrorKind::Config, format!("schedule {text:?}: {why}")))
}

fn read(words: &[&str]) -> Result<Schedule, String> {
    match words {
        ["hourly"] => Ok(Schedule::hourly()),
        ["hourly", word, ..] => Err(format!("`{word}` stands behind the end")),
        ["daily", rest @ ..] | ["every", "day", rest @ ..] => day(rest),
        ["weekly", "on", name, rest @ ..] => week(weekday(name)?, rest),
        ["weekly", rest @ ..] => week(Weekday::Monday, rest),
        ["monthly", "on", rest @ ..] => month(rest),
        ["monthly", rest @ ..] => Ok(dates(at(rest)?, |cron| cron.on_day(1))),
        ["yearly", rest @ ..] => Ok(dates(at(rest)?, |cron| cron.on_day(1).in_january())),
        ["every", name, rest @ ..] if Weekday::named(name).is_some() => week(weekday(name)?, rest),
        ["every", rest @ ..] => period(rest),
        [name, rest @ ..] if Weekday::named(name).is_some() => week(weekday(name)?, rest),
        [word, ..] => Err(format!("`{word}` is not one of {FIRST}")),
        [] => Err(format!("it is empty: {FIRST}")),
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

/// `the 1st at 03:00`, `15`, `last day`
fn month(rest: &[&str]) -> Result<Schedule, String> {
    let rest = rest.strip_prefix(&["the"]).unwrap_or(rest);
    let (day, rest) = match rest {
        ["last", "day", rest @ ..] | ["last", rest @ ..] => (31, rest),
        [day, rest @ ..] => (day_of_month(day)?, rest),
        [] => return Err("a day of the month is missing behind `on`".into()),
    };
    Ok(dates(at(rest)?, |cron| cron.on_day(day)))
}

/// `15 minutes`, `hour`, `1h 30m aligned`
fn period(words: &[&str]) -> Result<Schedule, String> {
    let (words, is_aligned) = match words {
        [words @ .., "aligned"] => (words, true),
        words => (words, false),
    };
    let text = match words {
        [unit] if unit.chars().all(char::is_alphabetic) => format!("1 {unit}"),
        words => words.join(" "),
    };
    let period = words::duration(&text).map_err(|error| error.to_string())?;
    if period < Duration::from_secs(1) {
        return Err(format!("`{text}` is shorter than a second"));
    }
    let schedule = Schedule::every(period);
    Ok(if is_aligned { schedule.aligned() } else { schedule })
}

/// `at 02:30`; midnight where nothing is said.
fn at(rest: &[&str]) -> Result<u32, String> {
    match rest {
        [] => Ok(0),
        ["at", time] => words::time_of_day(time).map_err(|error| error.to_string()),
        ["at"] => Err("a time is missing behind `at`".into()),
        ["at", _, word, ..] => Err(format!("`{word}` stands behind the end")),
        [word, ..] => Err(format!("`{word}` stands where `at` should")),
    }
}

fn weekday(name: &str) -> Result<Weekday, String> {
    Weekday::named(name).ok_or_else(|| format!("`{name}` is no day of the week"))
}

/// `1st`, `2nd`, `15`
fn day_of_month(text: &str) -> Result<u8, String> {
    let number = ["st", "nd", "rd", "th"].iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let day = number.parse().ok().filter(|day| is_plain && (1..=31).contains(day));
    day.ok_or_else(|| format!("`{text}` is no day of the month: 1 to 31, last"))
}

fn dates(time: u32, on: impl FnOnce(Cron) -> Cron) -> Schedule {
    Schedule::dates(on(Cron::daily(time)))
}

const FIRST: &str = "hourly, daily, weekly, monthly, yearly, every, cron, a day of the week";
