mod parse;

use super::deadlines::Calendar;
use crate::Error;
use crate::clock::Weekday;
use crate::clock::civil::{self, Civil, DAY, FIRST_SECOND, LAST_SECOND};

/// Sets of seconds, minutes, hours and days: a bit for each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: Days,
    counts_twice: bool,
}

/// A set of days.
#[derive(Clone, Debug, PartialEq)]
struct Days {
    /// The days of the month, from 1.
    dates: u64,
    /// Whether the last day of the month is included.
    last: bool,
    /// Whether a date that a month does not have means its last day.
    shortens: bool,
    months: u64,
    /// 0 is Sunday.
    weekdays: u64,
    /// Weekdays of which only the last one of the month counts.
    last_weekdays: u64,
    /// Whether either the date or the weekday is enough.
    either: bool,
}

impl Cron {
    /// Parses a line of a crontab.
    pub(super) fn parse(line: &str) -> Result<Self, Error> {
        parse::line(line)
    }

    /// Returns every day at a time, in seconds since midnight.
    pub(super) fn daily(time: u32) -> Self {
        let days = Days {
            dates: EACH,
            last: false,
            shortens: false,
            months: EACH,
            weekdays: EACH,
            last_weekdays: 0,
            either: false,
        };
        Self {
            seconds: 1 << (time % 60),
            minutes: 1 << (time / 60 % 60),
            hours: 1_u64.checked_shl(time / 3_600).unwrap_or(0),
            days,
            counts_twice: false,
        }
    }

    /// Restricts it to that day of the week.
    pub(super) fn on_weekday(mut self, day: Weekday) -> Self {
        self.days.weekdays = 1 << day.days_since_sunday();
        self
    }

    /// Restricts it to that day of the month, or its last.
    pub(super) fn on_day(mut self, day: u8) -> Self {
        self.days.dates = 1 << day.min(31);
        self.days.shortens = true;
        self
    }

    /// Restricts it to January.
    pub(super) fn in_january(mut self) -> Self {
        self.days.months = 1 << 1;
        self
    }

    /// Returns the first time of the day at or after that hour, minute and second.
    fn first_time(&self, at: Civil) -> Option<i64> {
        let (hour, minute, second) = (u32::from(at.hour), u32::from(at.minute), u32::from(at.second));
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = up(self.seconds, second, 60)
            {
                return Some(time(hour, minute, second));
            }
            if let Some(minute) = up(self.minutes, minute + 1, 60) {
                return Some(time(hour, minute, up(self.seconds, 0, 60)?));
            }
        }
        Some(time(up(self.hours, hour + 1, 24)?, up(self.minutes, 0, 60)?, up(self.seconds, 0, 60)?))
    }

    /// Returns the last time of the day at or before that hour, minute and second.
    fn last_time(&self, at: Civil) -> Option<i64> {
        let (hour, minute, second) = (u32::from(at.hour), u32::from(at.minute), u32::from(at.second));
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = down(self.seconds, second + 1)
            {
                return Some(time(hour, minute, second));
            }
            if let Some(minute) = down(self.minutes, minute) {
                return Some(time(hour, minute, down(self.seconds, 60)?));
            }
        }
        Some(time(down(self.hours, hour)?, down(self.minutes, 60)?, down(self.seconds, 60)?))
    }
}

impl Calendar for Cron {
    fn at_or_after(&self, local: i64) -> Option<i64> {
        let mut local = local.max(FIRST_SECOND);
        let last = local.saturating_add(CYCLE).min(LAST_SECOND);
        while local <= last {
            let at = Civil::new(local);
            let midnight = local - local.rem_euclid(DAY);
            if !self.days.has_month(at.month) {
                local = midnight + i64::from(civil::days_in(at.year, at.month) - at.day + 1) * DAY;
                continue;
            }
            if self.days.has(at)
                && let Some(time) = self.first_time(at)
            {
                return Some(midnight + time);
            }
            local = midnight + DAY;
        }
        None
    }

    fn at_or_before(&self, local: i64) -> Option<i64> {
        let mut local = local.min(LAST_SECOND);
        let first = local.saturating_sub(CYCLE).max(FIRST_SECOND);
        while local >= first {
            let at = Civil::new(local);
            let midnight = local - local.rem_euclid(DAY);
            if !self.days.has_month(at.month) {
                local = midnight - i64::from(at.day - 1) * DAY - 1;
                continue;
            }
            if self.days.has(at)
                && let Some(time) = self.last_time(at)
            {
                return Some(midnight + time);
            }
            local = midnight - 1;
        }
        None
    }

    fn counts_twice(&self) -> bool {
        self.counts_twice
    }
}

impl Days {
    fn has_month(&self, month: u8) -> bool {
        has(self.months, month.into())
    }

    fn has(&self, at: Civil) -> bool {
        let length = civil::days_in(at.year, at.month);
        let weekday = civil::weekday(civil::day_number(at.year, at.month, at.day)).days_since_sunday();
        let is_last = at.day == length;
        let date = has(self.dates, at.day.into())
            || is_last && self.last
            || is_last && self.shortens && self.dates >> length > 1;
        let day = has(self.weekdays, weekday) || has(self.last_weekdays, weekday) && at.day + 7 > length;
        if self.either { date || day } else { date && day }
    }
}

fn time(hour: u32, minute: u32, second: u32) -> i64 {
    i64::from(hour * 3_600 + minute * 60 + second)
}

fn has(set: u64, number: u32) -> bool {
    set >> number & 1 == 1
}

/// Returns the first member of the set from `from` on, below `end`.
fn up(set: u64, from: u32, end: u32) -> Option<u32> {
    let found = from + (set >> from).trailing_zeros();
    (found < end).then_some(found)
}

/// Returns the last member of the set below `end`, which is at most 63.
fn down(set: u64, end: u32) -> Option<u32> {
    (set & ((1 << end) - 1)).checked_ilog2()
}

/// The set of all values of a field.
const EACH: u64 = u64::MAX;
/// After 400 years the calendar repeats, including the days of the week.
const CYCLE: i64 = 146_097 * DAY;
