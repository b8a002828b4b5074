//! Dates and times of the proleptic Gregorian calendar, and their text.

mod text;

pub(crate) use text::{DATE_TIME, date_time, put_fraction, two_digits};

use super::Weekday;

/// A civil date and time, in the years 0000 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Civil {
    pub(crate) year: i32,
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

impl Civil {
    /// Returns the civil time `local_seconds` seconds after 1970-01-01T00:00:00 on the same clock, clamped to the calendar's range.
    pub(crate) fn new(local_seconds: i64) -> Self {
        let local = local_seconds.clamp(FIRST_SECOND, LAST_SECOND);
        let (year, month, day) = date(local.div_euclid(DAY));
        let second = local.rem_euclid(DAY);
        Self {
            year: year as i32,
            month: month as u8,
            day: day as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }

    /// Returns the seconds since 1970-01-01T00:00:00 on the same clock: the inverse of [`new`](Self::new).
    pub(crate) fn seconds(self) -> i64 {
        let time = i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second);
        day_number(self.year, self.month, self.day) * DAY + time
    }
}

/// Returns year, month and day of a day counted from 1970-01-01. Years are counted from March, so that the leap day is their
/// last (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
#[inline]
pub(crate) fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day = day.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Returns the number of a day, counted from 1970-01-01 (`days_from_civil` of the same).
pub(crate) fn day_number(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

/// Returns the number of days of a month.
pub(crate) fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year.into())),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns the weekday of a day counted from 1970-01-01, which was a Thursday.
pub(crate) fn weekday(day: i64) -> Weekday {
    Weekday::ALL[(day + 3).rem_euclid(7) as usize]
}

pub(crate) const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00
pub(crate) const FIRST_SECOND: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59
pub(crate) const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let mut day = FIRST_SECOND / DAY;
        for year in 0..=9_999 {
            for month in 1..=12 {
                for of_month in 1..=days_in(year, month) {
                    let civil = Civil::new(day * DAY + 86_399);
                    assert_eq!((civil.year, civil.month, civil.day), (year, month, of_month));
                    assert_eq!(civil.seconds(), day * DAY + 86_399);
                    day += 1;
                }
            }
        }
        assert_eq!(day * DAY - 1, LAST_SECOND);
    }

    #[test]
    fn times_out_of_range_are_clamped() {
        assert_eq!(Civil::new(i64::MIN).seconds(), FIRST_SECOND);
        assert_eq!(Civil::new(i64::MAX).seconds(), LAST_SECOND);
    }

    #[test]
    fn days_of_the_week_repeat() {
        assert_eq!(weekday(0), Weekday::Thursday);
        assert_eq!(weekday(20_777), Weekday::Friday, "2026-11-20");
        assert_eq!(weekday(-4), Weekday::Sunday);
    }
}
