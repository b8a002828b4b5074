use crate::clock::civil::{self, is_leap};
use crate::clock::{Timestamp, Zone};

/// A point in time, with its local date and time in a zone.
pub(super) struct Moment<'z> {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: usize,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: u32,
    /// 0 is Sunday.
    pub(super) weekday: usize,
    /// From 0.
    pub(super) day_of_year: i64,
    /// Since 1970-01-01T00:00:00Z.
    pub(super) seconds: i64,
    pub(super) offset_minutes: i32,
    zone: &'z Zone,
}

impl<'z> Moment<'z> {
    pub(super) fn new(time: Timestamp, zone: &'z Zone) -> Self {
        let offset_minutes = zone.offset_minutes(time.seconds());
        let local = time.to_local(i64::from(offset_minutes) * 60);
        // Cached per thread: most records share their second with the one before.
        let text = civil::date_time(local.seconds());
        let number =
            |from: usize, to: usize| text[from..to].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let (year, month, day) = (number(0, 4), number(5, 7) as usize, number(8, 10));
        Self {
            year,
            month,
            day,
            hour: number(11, 13),
            minute: number(14, 16),
            second: number(17, 19),
            nanos: local.nanos(),
            // 1970-01-01 was a Thursday.
            weekday: (local.seconds().div_euclid(86_400) + 4).rem_euclid(7) as usize,
            day_of_year: BEFORE[month - 1] + day - 1 + i64::from(month > 2 && is_leap(year)),
            seconds: time.seconds(),
            offset_minutes,
            zone,
        }
    }

    /// Returns the hour on a 12-hour clock: 12, then 1 to 11.
    pub(super) fn hour_of_12(&self) -> i64 {
        (self.hour + 11) % 12 + 1
    }

    /// Returns the week of the year, where week 1 begins with the first day `first` (0 is Sunday).
    pub(super) fn week_from(&self, first: usize) -> i64 {
        (self.day_of_year + 7 - ((self.weekday + 7 - first) % 7) as i64) / 7
    }

    /// Returns the year of the week: the one that contains its Thursday (ISO 8601).
    pub(super) fn iso_year(&self) -> i64 {
        match self.thursday() {
            day if day < 0 => self.year - 1,
            day if day >= days_of(self.year) => self.year + 1,
            _ => self.year,
        }
    }

    /// Returns the week of that year, 1 to 53.
    pub(super) fn iso_week(&self) -> i64 {
        let thursday = match self.thursday() {
            day if day < 0 => day + days_of(self.year - 1),
            day if day >= days_of(self.year) => day - days_of(self.year),
            day => day,
        };
        thursday / 7 + 1
    }

    /// Appends the zone's abbreviation.
    pub(super) fn write_zone(&self, out: &mut Vec<u8>) {
        self.zone.write_abbreviation(self.seconds, out);
    }

    /// Returns the Thursday of this week, as a day of this year.
    fn thursday(&self) -> i64 {
        self.day_of_year + 3 - ((self.weekday + 6) % 7) as i64
    }
}

fn days_of(year: i64) -> i64 {
    365 + i64::from(is_leap(year))
}

/// Days of the year before each month, without leap days.
const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
