use std::fmt;
use std::sync::Arc;

use super::Filter;
use crate::clock::Weekday;
use crate::record::Record;
use crate::{Error, ErrorKind};

#[cfg(feature = "time-zone")]
mod zone;

/// Passes records from one time of day to another: log4j2's `TimeFilter`.
///
/// Times are `HH:MM` or `HH:MM:SS`, `24:00` is the end of the day. The first is included, the second is not. Where it is not
/// later than the first the time goes on over midnight; twice the same is a whole day.
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
/// [`Config`](ErrorKind::Config): one of the two is no time of day.
pub fn hours(from: &str, to: &str) -> Result<Hours, Error> {
    Ok(Hours { from: time_of_day(from)?, to: time_of_day(to)?, days: ALL_DAYS, zone: None })
}

/// Times of day, and days of the week. See [`hours`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`on`](Self::on) | every day | the days on which the time begins |
/// | `zone`, `local` (feature `time-zone`) | UTC | whose clock it goes by |
///
/// It goes by each record's own time, and in a time zone by what a clock on the wall there shows: an hour that comes twice in
/// autumn is inside twice, one that is left out in spring never.
#[derive(Clone, Debug)]
pub struct Hours {
    /// In seconds since midnight.
    from: u32,
    to: u32,
    /// A bit per day.
    days: u8,
    /// `None`: UTC.
    zone: Option<Arc<dyn Zone>>,
}

impl Hours {
    /// The days on which the time begins; what goes on over midnight belongs to the day before.
    pub fn on(mut self, days: impl IntoIterator<Item = Weekday>) -> Self {
        self.days = days.into_iter().fold(0, |all, day| all | 1 << day as u8);
        self
    }

    /// Whether it is inside, `local` seconds after 1970 by the clock on the wall.
    fn contains(&self, local: i64) -> bool {
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY) as u32);
        let is_over_midnight = self.to <= self.from;
        let began = match second >= self.from {
            true if is_over_midnight || second < self.to => day,
            false if is_over_midnight && second < self.to => day - 1,
            _ => return false,
        };
        self.days & 1 << (began + THURSDAY).rem_euclid(7) != 0
    }
}

impl Filter for Hours {
    fn accepts(&self, record: &Record<'_>) -> bool {
        let seconds = record.time().seconds();
        let offset = self.zone.as_ref().map_or(0, |zone| zone.offset(seconds));
        self.contains(seconds.saturating_add(offset))
    }
}

/// What is added to UTC, in seconds.
trait Zone: fmt::Debug + Send + Sync {
    fn offset(&self, seconds: i64) -> i64;
}

fn time_of_day(text: &str) -> Result<u32, Error> {
    read_time(text).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("{text:?} is no time of day: HH:MM or HH:MM:SS, 00:00 to 24:00"))
    })
}

fn read_time(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| {
        let is_plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { part.parse::<u32>().ok() } else { None }
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let seconds = hour * 3_600 + minute * 60 + second;
    (parts.next().is_none() && minute < 60 && second < 60 && i64::from(seconds) <= DAY).then_some(seconds)
}

const DAY: i64 = 86_400;
const ALL_DAYS: u8 = 0x7f;
/// What 1970-01-01 was, from Monday.
const THURSDAY: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_strictly() {
        for (text, seconds) in [("00:00", 0), ("09:30", 34_200), ("23:59:59", 86_399), ("24:00", 86_400)] {
            assert_eq!(read_time(text), Some(seconds), "{text}");
        }
        for text in ["", "9:30", "09", "09:60", "09:00:60", "24:01", "+9:00", "09:00:00:00", "09:0x", "09:00 "] {
            assert_eq!(read_time(text), None, "{text:?}");
        }
        assert_eq!(
            hours("9", "10:00").unwrap_err().to_string(),
            "\"9\" is no time of day: HH:MM or HH:MM:SS, 00:00 to 24:00"
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
                // Walked, not reckoned: 1970-01-01 was a Thursday, the 4th a Sunday.
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
