//! Rotation by time.

mod aligned;
mod cron;
mod deadlines;
mod parse;

use std::time::Duration;

use self::aligned::Aligned;
use self::cron::Cron;
use self::deadlines::Calendar;
use super::date_pattern::{DatePattern, Unit};
use super::python::TimedRotating;
use crate::clock::civil::DAY;
use crate::clock::{Timestamp, Weekday, Zone, words};
use crate::{Error, ErrorKind};

/// The times at which a file is rotated: log4j2's `TimeBasedTriggeringPolicy` and `CronTriggeringPolicy`.
///
/// | constructor | a new file begins |
/// |---|---|
/// | [`every`](Self::every) | when the old one has reached an age |
/// | [`every`](Self::every)`(…)`[`.aligned()`](Self::aligned) | at whole multiples on the wall clock: at :00, :15, :30, :45 |
/// | [`hourly`](Self::hourly), [`daily`](Self::daily) | at every whole hour, at midnight |
/// | [`daily_at`](Self::daily_at) | at one time of the day |
/// | [`weekly`](Self::weekly), [`monthly`](Self::monthly) | on one day of the week, of the month |
/// | [`cron`](Self::cron) | as in a crontab |
/// | [`str::parse`](#impl-FromStr-for-Schedule) | as described in words: `"daily at 02:30"` |
///
/// | setting | default | effect |
/// |---|---|---|
/// | `zone`, `local` (feature `time-zone`) | UTC | the time zone |
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
/// A time that is skipped in spring is due at the first instant after the gap: `02:30` at `03:00`. A time that is repeated in
/// autumn counts once, the first time. Aligned periods shorter than a day, and `cron` with a `*` for the minute or the hour,
/// continue through the repeated hour: hours stay hours. Periods from the beginning of the file do not depend on clocks.
///
/// Deadlines depend only on the given time, so that setting the clock neither skips nor repeats any.
/// There are no deadlines outside the years 0000 to 9999.
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Debug)]
pub struct Schedule {
    times: Times,
    pub(super) zone: Zone,
}

#[derive(Clone, Debug)]
enum Times {
    /// Counted from the beginning of the file.
    Elapsed(Duration),
    Aligned(Aligned),
    Cron(Box<Cron>),
    /// Python's rules also count from the beginning of the file, in local time.
    Python(Box<TimedRotating>),
}

impl Schedule {
    /// Rotates a file when it is as old as `period`, but at least a second.
    ///
    /// So that restarts do not begin the period again, the time at which a file began is kept with the file: in its attribute
    /// `user.log_began` on Linux; elsewhere, and where the file system has none, it is the time of the file's creation.
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

    /// Counts the [period](Self::every) on the clock of the time zone instead of from the file's beginning: log4j2's `modulate`. No
    /// effect on other schedules.
    ///
    /// Periods shorter than a day are counted from each midnight, so that the last one of a day is shorter if they do not divide
    /// it: 7 hours are 00:00, 07:00, 14:00, 21:00, and 00:00. Longer ones are counted from Monday, 1970-01-05: 7 days begin on
    /// Mondays, and 36 hours alternately at midnight and at noon. Fractions of a second are cut off.
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

    /// Rotates the file at every whole hour.
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

    /// Rotates the file at midnight.
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

    /// Rotates the file every day at a time: `HH:MM` or `HH:MM:SS`, `midnight`, `noon`.
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
    /// [`Config`](ErrorKind::Config) if `time` is not a time of day before 24:00.
    pub fn daily_at(time: &str) -> Result<Self, Error> {
        Ok(Self::dates(Cron::daily(words::time_before_midnight(time)?)))
    }

    /// Rotates the file on one day of the week, at a time as for [`daily_at`](Self::daily_at).
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
    /// [`Config`](ErrorKind::Config) if `time` is not a time of day before 24:00.
    pub fn weekly(day: Weekday, time: &str) -> Result<Self, Error> {
        Ok(Self::dates(Cron::daily(words::time_before_midnight(time)?).on_weekday(day)))
    }

    /// Rotates the file on one day of the month, 1 to 31, at a time as for [`daily_at`](Self::daily_at). In a shorter month it is the
    /// last day: 31 is the last day of every month.
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
    /// [`Config`](ErrorKind::Config) if `day` is out of range, or `time` is not a time of day before 24:00.
    pub fn monthly(day: u8, time: &str) -> Result<Self, Error> {
        if !(1..=31).contains(&day) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("day of the month must be between 1 and 31, got `{day}`"),
            ));
        }
        Ok(Self::dates(Cron::daily(words::time_before_midnight(time)?).on_day(day)))
    }

    /// Rotates the file at the times of a crontab line: minute, hour, day of the month, month, day of the week. If there are six fields, the
    /// first one is the second. The meaning is that of Vixie's cron, `crontab(5)`.
    ///
    /// | in a field | meaning |
    /// |---|---|
    /// | `*`, and `?` for a day | each |
    /// | `5`, `1,3,5`, `1-5` | one, several, a range |
    /// | `*/15`, `10-40/10`, `5/15` | every nth: of all, of a range, from one on |
    /// | `JAN` to `DEC`, `MON` to `SUN` | months and days, in any case |
    /// | `0` and `7` as a day of the week | Sunday |
    /// | `L` as a day of the month | its last |
    /// | `5L` as a day of the week | the last Friday of the month |
    ///
    /// If both days are given (neither begins with `*` or is `?`), one of them is enough. `@hourly`, `@daily`, `@midnight`,
    /// `@weekly`, `@monthly`, `@yearly` and `@annually` are accepted too. Quartz, and so log4j2, count the days of the week from 1 for
    /// Sunday: use names. Their seventh field (the year), `W` and `#` are rejected.
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
    /// assert_eq!(error.to_string(), "cron \"30 2 * * FOO\": invalid day of the week `FOO`");
    /// assert_eq!(Schedule::cron("0 0 30 2 *")?.next(now, now), None, "the 30th of February never comes");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the line is not valid; the message names the field.
    pub fn cron(line: &str) -> Result<Self, Error> {
        Cron::parse(line).map(Self::dates)
    }

    /// Returns the first deadline after `after`, for a file that was begun at `begun` (which only [`every`](Self::every) counts
    /// from); `None` if there are no more.
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

    /// Returns the last deadline at or before `at`: the beginning of the period that `at` lies in. If there is none, it is
    /// `begun`.
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

    /// Whether deadlines depend on when the file began. Python's do too, by rules of its own.
    pub(super) fn counts_from_begin(&self) -> bool {
        matches!(self.times, Times::Elapsed(_))
    }

    /// Creates the schedule of Python's handler.
    pub(super) fn python(rule: TimedRotating) -> Self {
        let zone = rule.in_use().clone();
        Self { times: Times::Python(Box::new(rule)), zone }
    }

    /// Returns the time zone.
    pub(super) fn in_use(&self) -> &Zone {
        &self.zone
    }

    /// Returns the pattern for dates in names.
    pub(super) fn pattern(&self) -> DatePattern {
        DatePattern::down_to(self.finest())
    }

    /// Returns the unit in which the first deadlines differ.
    pub(super) fn finest(&self) -> Unit {
        let by_utc = Self { zone: Zone::UTC, ..self.clone() };
        let deadlines = std::iter::successors(by_utc.next(Timestamp::EPOCH, Timestamp::EPOCH), |deadline| {
            by_utc.next(Timestamp::EPOCH, *deadline)
        });
        let clocks: Vec<_> = deadlines.take(100).map(|deadline| deadline.seconds().rem_euclid(DAY)).collect();
        let differ = |unit: i64| clocks.iter().any(|clock| clock % unit != clocks[0] % unit);
        match () {
            () if differ(60) => Unit::Second,
            () if differ(3_600) => Unit::Minute,
            () if differ(DAY) => Unit::Hour,
            () => Unit::Day,
        }
    }

    fn dates(cron: Cron) -> Self {
        Self::new(Times::Cron(Box::new(cron)))
    }

    fn new(times: Times) -> Self {
        Self { times, zone: Zone::UTC }
    }
}

/// Returns the number of whole periods between them; 0 if `at` is not later.
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
