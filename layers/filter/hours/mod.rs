#[cfg(feature = "time-zone")]
mod zone;

use super::Filter;
use crate::Error;
use crate::clock::civil::{self, DAY};
use crate::clock::{Weekday, Zone, words};
use crate::record::Record;

/// Passes records between two times of day: log4j2's `TimeFilter`.
///
/// Times are `HH:MM` or `HH:MM:SS`, `midnight` or `noon`; `24:00` is the end of the day. `from` is included, `to` is not. If `to` is
/// not later than `from`, the interval continues past midnight; if they are equal, it is a whole day.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::filter::{self, Filter, Weekday};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let night = filter::hours("22:00", "06:00")?.on([Weekday::Friday]);
/// let record = |seconds| RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::new(seconds, 0));
/// let passes = |seconds| night.passes(&record(seconds).as_record());
/// let friday = 1_795_132_800; // 2026-11-20T00:00:00Z
/// assert!(!passes(friday + 5 * 3_600), "that is Thursday's night");
/// assert!(passes(friday + 22 * 3_600));
/// assert!(passes(friday + 29 * 3_600), "05:00 on Saturday still belongs to Friday's");
/// assert!(!passes(friday + 30 * 3_600));
/// assert!(filter::hours("25:00", "06:00").is_err());
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config): `from` or `to` is not a time of day.
pub fn hours(from: &str, to: &str) -> Result<Hours, Error> {
    Ok(Hours { from: words::time_of_day(from)?, to: words::time_of_day(to)?, days: ALL_DAYS, zone: Zone::UTC })
}

/// A filter by time of day and day of the week. See [`hours`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`on`](Self::on) | every day | the days on which the interval begins |
/// | `zone`, `local` (feature `time-zone`) | UTC | the time zone |
///
/// It tests each record's own time, as the clocks of the time zone show it: an hour that is repeated in autumn passes twice, one
/// that is skipped in spring never.
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Hours {
    /// In seconds since midnight.
    from: u32,
    to: u32,
    /// A bit per day.
    days: u8,
    zone: Zone,
}

impl Hours {
    /// Sets the days on which the interval begins. What continues past midnight belongs to the day before.
    pub fn on(mut self, days: impl IntoIterator<Item = Weekday>) -> Self {
        self.days = days.into_iter().fold(0, |all, day| all | 1 << day as u8);
        self
    }

    /// Whether the local time, in seconds since 1970-01-01T00:00:00, is inside.
    fn contains(&self, local: i64) -> bool {
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY) as u32);
        let is_over_midnight = self.to <= self.from;
        let began = match second >= self.from {
            true if is_over_midnight || second < self.to => day,
            false if is_over_midnight && second < self.to => day - 1,
            _ => return false,
        };
        self.days & 1 << civil::weekday(began) as u8 != 0
    }
}

impl Filter for Hours {
    fn accepts(&self, record: &Record<'_>) -> bool {
        let seconds = record.time().seconds();
        self.contains(seconds.saturating_add(self.zone.offset(seconds)))
    }
}

const ALL_DAYS: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_those_of_schedules() {
        let seconds = |from, to| hours(from, to).map(|hours| (hours.from, hours.to));
        assert_eq!(seconds("9:30", "24:00").unwrap(), (34_200, 86_400));
        assert_eq!(seconds("midnight", "Noon").unwrap(), (0, 43_200));
        assert_eq!(
            hours("9", "10:00").unwrap_err().to_string(),
            "invalid time of day \"9\": expected HH:MM or HH:MM:SS"
        );
    }

    #[test]
    fn every_second_of_three_weeks_is_inside_or_not_as_its_day_and_time_say() {
        let times = ["00:00", "06:00", "12:00", "22:00", "24:00"];
        for (from, to) in times.iter().flat_map(|from| times.map(|to| (*from, to))) {
            let hours = hours(from, to).unwrap().on([Weekday::Thursday, Weekday::Sunday]);
            let (start, end) = (i64::from(hours.from), i64::from(hours.to));
            let length = if end > start { end - start } else { end - start + DAY };
            for half_hour in -7 * 48..14 * 48 {
                let at = half_hour * 1_800;
                // By enumeration: 1970-01-01 was a Thursday, the 4th a Sunday.
                let inside = (-15..=15).any(|week: i64| {
                    [0, 3].iter().any(|day| {
                        let begin = (week * 7 + day) * DAY + start;
                        (begin..begin + length).contains(&at)
                    })
                });
                assert_eq!(hours.contains(at), inside, "{from} to {to} at {at}");
            }
        }
    }
}
