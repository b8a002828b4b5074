//! When a file is turned by time.

mod aligned;
mod cron;
mod deadlines;
mod parse;
#[cfg(feature = "time-zone")]
mod zoned;

use std::time::Duration;

use self::aligned::Aligned;
use self::cron::Cron;
use self::deadlines::Calendar;
use super::date_pattern::{DatePattern, Unit};
use super::python::TimedRotating;
use super::words;
use super::zone::Zone;
use crate::clock::civil::DAY;
use crate::clock::{Timestamp, Weekday};
use crate::{Error, ErrorKind};

/// The times at which a file is turned: log4j2's `TimeBasedTriggeringPolicy` and `CronTriggeringPolicy`.
///
/// | constructor | a new file begins |
/// |---|---|
/// | [`every`](Self::every) | when the old one is so old |
/// | [`every`](Self::every)`(…)`[`.aligned()`](Self::aligned) | at whole multiples on the wall clock: at :00, :15, :30, :45 |
/// | [`hourly`](Self::hourly), [`daily`](Self::daily) | at every whole hour, at midnight |
/// | [`daily_at`](Self::daily_at) | at one time of the day |
/// | [`weekly`](Self::weekly), [`monthly`](Self::monthly) | on one day of the week, of the month |
/// | [`cron`](Self::cron) | as a line of a crontab says |
/// | [`parse`](Self::parse) | as words say: `"daily at 02:30"` |
///
/// | setting | default | effect |
/// |---|---|---|
/// | `zone`, `local` (feature `time-zone`) | UTC | whose calendar and clock it goes by |
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::rotation::Schedule;
///
/// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
/// let schedule = Schedule::daily_at("02:30")?;
/// assert_eq!(schedule.next(now, now), Some(Timestamp::new(1_795_228_200, 0)), "2026-11-21T02:30:00Z");
/// assert_eq!(schedule.period_start(now, now), Timestamp::new(1_795_141_800, 0), "2026-11-20T02:30:00Z");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # When the clocks change
///
/// A time that is left out in spring comes at the first instant after the gap: `02:30` at `03:00`. A time that comes twice in
/// autumn counts once, the first time. Periods shorter than a day that are aligned, and `cron` with a `*` for the minute or for the hour,
/// go on through the hour that comes twice: hours stay hours. What counts from the beginning of the file knows nothing of clocks.
///
/// It is a function of the time that is asked about and of nothing else: a clock that is set back or forward makes it
/// neither miss a time nor hold on to one. The calendar has the years 0000 to 9999, outside of which there are no deadlines.
#[derive(Clone, Debug)]
pub struct Schedule {
    times: Times,
    zone: Zone,
}

#[derive(Clone, Debug)]
enum Times {
    /// From the beginning of the file.
    Elapsed(Duration),
    Aligned(Aligned),
    Cron(Box<Cron>),
    /// Python's rules count from the beginning of the file too, with a clock on the wall.
    Python(Box<TimedRotating>),
}

impl Schedule {
    /// When the file is so old; less than a second is taken as one second.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let schedule = Schedule::every(Duration::from_secs(3_600));
    /// let (begun, now) = (Timestamp::new(100, 0), Timestamp::new(4_000, 0));
    /// assert_eq!(schedule.next(begun, now), Some(Timestamp::new(7_300, 0)));
    /// ```
    pub fn every(period: Duration) -> Self {
        Self::new(Times::Elapsed(period.max(Duration::from_secs(1))))
    }

    /// At whole multiples of the [period](Self::every) on the clock of the zone, instead of from the file's beginning: log4j2's
    /// `modulate`. It changes nothing with other schedules.
    ///
    /// Periods shorter than a day are counted from midnight, every day anew, so that the last one of a day is cut short where they do not
    /// divide it: 7 hours are 00:00, 07:00, 14:00, 21:00, and 00:00. Longer ones are counted from a Monday, 1970-01-05,
    /// without end: 7 days begin on Mondays, and 36 hours by turns at noon and at midnight. Parts of a second are cut off.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let schedule = Schedule::every(Duration::from_secs(900)).aligned();
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
    /// assert_eq!(schedule.next(now, now), Some(Timestamp::new(1_795_224_600, 0)), "01:30:00");
    /// ```
    pub fn aligned(self) -> Self {
        match self.times {
            Times::Elapsed(period) => Self { times: Times::Aligned(Aligned::new(period)), ..self },
            _ => self,
        }
    }

    /// At every whole hour.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
    /// assert_eq!(Schedule::hourly().next(now, now), Some(Timestamp::new(1_795_226_400, 0)), "02:00:00");
    /// ```
    pub fn hourly() -> Self {
        Self::every(Duration::from_secs(3_600)).aligned()
    }

    /// At midnight.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
    /// assert_eq!(Schedule::daily().next(now, now), Some(Timestamp::new(1_795_305_600, 0)), "2026-11-22T00:00:00Z");
    /// ```
    pub fn daily() -> Self {
        Self::new(Times::Aligned(Aligned::new(Duration::from_secs(DAY.unsigned_abs()))))
    }

    /// Every day at a time: `HH:MM` or `HH:MM:SS`, `midnight`, `noon`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
    /// assert_eq!(Schedule::daily_at("01:19")?.next(now, now), Some(Timestamp::new(1_795_310_340, 0)), "tomorrow");
    /// assert!(Schedule::daily_at("25:00").is_err());
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): it is no time of day.
    pub fn daily_at(time: &str) -> Result<Self, Error> {
        Ok(Self::dates(Cron::daily(words::time_of_day(time)?)))
    }

    /// On one day of the week, at a time as for [`daily_at`](Self::daily_at).
    ///
    /// ```
    /// use tracing_handlers::clock::{Timestamp, Weekday};
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21, a Saturday
    /// let monday = Schedule::weekly(Weekday::Monday, "00:00")?;
    /// assert_eq!(monday.next(now, now), Some(Timestamp::new(1_795_392_000, 0)), "2026-11-23T00:00:00Z");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): it is no time of day.
    pub fn weekly(day: Weekday, time: &str) -> Result<Self, Error> {
        Ok(Self::dates(Cron::daily(words::time_of_day(time)?).on_weekday(day)))
    }

    /// On one day of the month, 1 to 31, at a time as for [`daily_at`](Self::daily_at). In a month that is shorter it is the last
    /// day: 31 is the last day of every month.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z
    /// let last = Schedule::monthly(31, "00:00")?;
    /// assert_eq!(last.next(now, now), Some(Timestamp::new(1_795_996_800, 0)), "2026-11-30T00:00:00Z");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): no month has that day, or it is no time of day.
    pub fn monthly(day: u8, time: &str) -> Result<Self, Error> {
        if !(1..=31).contains(&day) {
            return Err(Error::new(ErrorKind::Config, format!("no month has a day {day}: 1 to 31")));
        }
        Ok(Self::dates(Cron::daily(words::time_of_day(time)?).on_day(day)))
    }

    /// As a line of a crontab says: minute, hour, day of the month, month, day of the week; with six fields the first one is
    /// the second. The meaning is that of Vixie's cron, `crontab(5)`.
    ///
    /// | in a field | is |
    /// |---|---|
    /// | `*`, and `?` for a day | each |
    /// | `5`, `1,3,5`, `1-5` | one, several, a range |
    /// | `*/15`, `10-40/10`, `5/15` | every so many: of all, of a range, from one on |
    /// | `JAN` to `DEC`, `MON` to `SUN` | months and days, in any case |
    /// | `0` and `7` as a day of the week | Sunday |
    /// | `L` as a day of the month | its last |
    /// | `5L` as a day of the week | the last Friday of the month |
    ///
    /// Where both days are given (neither begins with `*` or is `?`), one of them is enough. `@hourly`, `@daily`, `@midnight`,
    /// `@weekly`, `@monthly`, `@yearly` and `@annually` are understood too. Quartz, and so log4j2, count the days of the week from 1 for
    /// Sunday: write names. Their seventh field (the year), `W` and `#` are refused.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21T01:19:03Z, a Saturday
    /// let schedule = Schedule::cron("30 2 * * 1-5")?;
    /// assert_eq!(schedule.next(now, now), Some(Timestamp::new(1_795_401_000, 0)), "2026-11-23T02:30:00Z");
    ///
    /// let error = Schedule::cron("30 2 * * FOO").unwrap_err();
    /// assert_eq!(error.to_string(), "cron \"30 2 * * FOO\": `FOO` is no day of the week");
    /// assert_eq!(Schedule::cron("0 0 30 2 *")?.next(now, now), None, "the 30th of February never comes");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): the message names the word that is wrong.
    pub fn cron(line: &str) -> Result<Self, Error> {
        Cron::parse(line).map(Self::dates)
    }

    /// As words say, in upper or lower case.
    ///
    /// | words | are |
    /// |---|---|
    /// | `hourly`, `daily`, `weekly`, `monthly`, `yearly` | the whole hour; midnight; of Monday; of the 1st; of January 1st |
    /// | `daily at 02:30`, `every day at noon` | [`daily_at`](Self::daily_at) |
    /// | `monday`, `mon at 00:00`, `every monday at 03:00`, `weekly on sunday at 03:00` | [`weekly`](Self::weekly) |
    /// | `monthly on the 1st at 03:00`, `monthly on the last day`, `monthly at noon` | [`monthly`](Self::monthly) |
    /// | `every 15 minutes`, `every hour`, `every 1h 30m` | [`every`](Self::every), from the file's beginning |
    /// | `every 15 minutes aligned` | the same, [`aligned`](Self::aligned) |
    /// | `cron 0 3 * * *`, `@daily` | [`cron`](Self::cron) |
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let now = Timestamp::new(1_795_223_943, 0); // 2026-11-21, a Saturday
    /// let sunday = Schedule::parse("Weekly on Sunday at 03:00")?;
    /// assert_eq!(sunday.next(now, now), Some(Timestamp::new(1_795_316_400, 0)), "2026-11-22T03:00:00Z");
    ///
    /// let error = Schedule::parse("daily around 02:30").unwrap_err();
    /// assert_eq!(error.to_string(), "schedule \"daily around 02:30\": `around` stands where `at` should");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): the message names the word that is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::schedule(text)
    }

    /// The first deadline after `after`, for a file that was begun at `begun` (which [`every`](Self::every) counts from, and
    /// nothing else does). `None`: there is none any more.
    pub fn next(&self, begun: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let of_calendar = |calendar: &dyn Calendar| deadlines::after(calendar, &self.zone, after.seconds()).map(whole);
        match &self.times {
            Times::Elapsed(period) => elapsed(begun, *period, periods(begun, *period, after).checked_add(1)?),
            Times::Aligned(aligned) => of_calendar(aligned),
            Times::Cron(cron) => of_calendar(&**cron),
            Times::Python(rule) => {
                [begun, after].map(|from| rule.deadline(from)).into_iter().find(|deadline| *deadline > after)
            }
        }
    }

    /// The last deadline at or before `at`, which is when the period began that `at` lies in. Where there is none before, it is
    /// when the file was `begun`.
    pub fn period_start(&self, begun: Timestamp, at: Timestamp) -> Timestamp {
        let of_calendar =
            |calendar: &dyn Calendar| deadlines::until(calendar, &self.zone, at.seconds()).map_or(begun, whole);
        match &self.times {
            Times::Elapsed(period) => elapsed(begun, *period, periods(begun, *period, at)).unwrap_or(begun),
            Times::Aligned(aligned) => of_calendar(aligned),
            Times::Cron(cron) => of_calendar(&**cron),
            Times::Python(rule) => rule.period_start(at),
        }
    }

    /// As Python's handler has it.
    pub(super) fn python(rule: TimedRotating) -> Self {
        let zone = rule.in_use().clone();
        Self { times: Times::Python(Box::new(rule)), zone }
    }

    /// Whose calendar and clock it goes by.
    pub(super) fn in_use(&self) -> &Zone {
        &self.zone
    }

    /// What names are dated by: as fine as its deadlines differ, by the first of them.
    pub(super) fn pattern(&self) -> DatePattern {
        let by_utc = Self { zone: Zone::default(), ..self.clone() };
        let deadlines = std::iter::successors(by_utc.next(Timestamp::EPOCH, Timestamp::EPOCH), |deadline| {
            by_utc.next(Timestamp::EPOCH, *deadline)
        });
        let clocks: Vec<_> = deadlines.take(100).map(|deadline| deadline.seconds().rem_euclid(DAY)).collect();
        let differ = |unit: i64| clocks.iter().any(|clock| clock % unit != clocks[0] % unit);
        DatePattern::down_to(match () {
            () if differ(60) => Unit::Second,
            () if differ(3_600) => Unit::Minute,
            () if differ(DAY) => Unit::Hour,
            () => Unit::Day,
        })
    }

    fn dates(cron: Cron) -> Self {
        Self::new(Times::Cron(Box::new(cron)))
    }

    fn new(times: Times) -> Self {
        Self { times, zone: Zone::default() }
    }
}

/// How many whole periods lie between them; none where `at` is not later.
fn periods(begun: Timestamp, period: Duration, at: Timestamp) -> u128 {
    at.since(begun).as_nanos() / period.as_nanos().max(1)
}

fn elapsed(begun: Timestamp, period: Duration, times: u128) -> Option<Timestamp> {
    let nanos = period.as_nanos().checked_mul(times)?.checked_add(u128::from(begun.nanos()))?;
    let seconds = i64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Timestamp::new(begun.seconds().checked_add(seconds)?, (nanos % 1_000_000_000) as u32))
}

fn whole(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0)
}

#[cfg(test)]
mod tests;
