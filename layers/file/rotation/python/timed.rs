use std::ffi::OsStr;

use crate::clock::civil::{self, Civil, DAY};
use crate::clock::{Timestamp, Zone, words};
use crate::file::rotation::date_pattern::{DatePattern, Unit};
use crate::{Error, ErrorKind};

/// The rules of Python's `TimedRotatingFileHandler(when, interval, backupCount, utc, atTime)`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`interval`](Self::interval) | 1 | the number of units of `when` |
/// | [`backup_count`](Self::backup_count) | 0 | the number of old files to keep; 0 for all |
/// | [`at_time`](Self::at_time) | the end of the day | the time of day, for `midnight` and `W0` to `W6` |
/// | `local`, `zone` (feature `time-zone`) | UTC | the time zone |
///
/// ```
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::rotation::python::TimedRotating;
///
/// let rule = TimedRotating::new("midnight")?.backup_count(7);
/// let begun = Timestamp::new(1_700_000_000, 0); // 2023-11-14T22:13:20Z
/// let deadline = rule.deadline(begun);
/// assert_eq!(deadline, Timestamp::new(1_700_006_400, 0), "2023-11-15T00:00:00Z");
/// assert_eq!(rule.suffix(deadline), "2023-11-14");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Deliberate differences
///
/// - The default time zone is UTC, as everywhere in this crate; Python's default, the system's time zone, is `local`.
/// - When the clocks change, Python adds or subtracts an hour, by the `tm_isdst` flag. Here the local time is the requested one
///   also where they change by another amount (half an hour on Lord Howe Island), and where a zone changes its standard time.
/// - The old file is named after the beginning of its interval. Python compares the flag at the time of rolling with the flag
///   then, and moves the name by an hour if they differ: with `H` the first name after each change is already taken or will be,
///   whereupon it stops rolling; and a `midnight` that a change of the clocks delays may be named after the day before.
/// - An interval of 0 is taken as 1, where Python rolls with every record. A negative one cannot be given.
/// - The year of a name is at most 9999, and there is no deadline after it.
///
/// Python 3.11 differs further: it ignores the interval in the first deadline of `midnight` and `W`, is off by an hour in some
/// deadlines around a change of the clocks, rolls at once if a file begins exactly at the deadline's time of day, overwrites an
/// old file of the same name, and regards more names as old files (`app.log.2023-11-14.gz`).
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Debug)]
pub struct TimedRotating {
    when: When,
    interval: u32,
    backup_count: usize,
    /// In seconds since midnight, up to the end of the day.
    at_time: u32,
    pub(in crate::file::rotation) zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Multiples of `unit` seconds from the beginning of the file.
    Elapsed {
        unit: i64,
    },
    Midnight,
    /// Days since Monday.
    Weekday(i64),
}

impl TimedRotating {
    /// Creates the rule for `when`, in any case: `S`, `M`, `H`, `D`: seconds, minutes, hours, days (of 24 hours) from the beginning of the file; `midnight`: a time of day;
    /// `W0` (Monday) to `W6`: at the end of that day of the week, or on it at a [time](Self::at_time). In upper or lower case.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if `when` is none of these.
    pub fn new(when: &str) -> Result<Self, Error> {
        let kind = kind(&when.to_ascii_uppercase()).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("expected one of S, M, H, D, midnight, W0 (Monday) to W6, found {when:?}"),
            )
        })?;
        Ok(Self { when: kind, interval: 1, backup_count: 0, at_time: END_OF_DAY, zone: Zone::UTC })
    }

    /// Sets the number of units: with 3, `midnight` is the third one, and `W0` that of the third week.
    pub fn interval(mut self, interval: u32) -> Self {
        self.interval = interval.max(1);
        self
    }

    /// Sets the number of old files to keep; 0 for all.
    pub fn backup_count(mut self, files: usize) -> Self {
        self.backup_count = files;
        self
    }

    /// Sets the time of day, `HH:MM` or `HH:MM:SS`, for `midnight` and `W0` to `W6`. No effect on others.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::python::TimedRotating;
    ///
    /// let begun = Timestamp::new(1_700_000_000, 0); // 2023-11-14T22:13:20Z, a Tuesday
    /// let deadline = |rule: TimedRotating| rule.deadline(begun).seconds();
    /// assert_eq!(deadline(TimedRotating::new("W1")?.at_time("23:00")?), 1_700_002_800, "23:00");
    /// assert_eq!(deadline(TimedRotating::new("W1")?), 1_700_006_400, "the end of the day");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if `time` is not a time of day before 24:00.
    pub fn at_time(mut self, time: &str) -> Result<Self, Error> {
        self.at_time = words::time_before_midnight(time)?;
        Ok(self)
    }

    /// Returns when a file that was begun or rolled at `from` is rolled: Python's `computeRollover`. A file that exists when it is
    /// opened counts as begun when it was last written to.
    pub fn deadline(&self, from: Timestamp) -> Timestamp {
        let interval = i64::from(self.interval);
        match self.when {
            When::Elapsed { unit, .. } => Timestamp::new(from.seconds().saturating_add(interval * unit), 0),
            When::Midnight => self.on_wall(from, |_| interval - 1),
            When::Weekday(day) => self.on_wall(from, |first| (day - weekday(first)).rem_euclid(7) + 7 * (interval - 1)),
        }
    }

    /// Returns what is appended, after a dot, to the name of the file that is rolled at `deadline`: the beginning of its interval.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::python::TimedRotating;
    ///
    /// let rule = TimedRotating::new("H")?;
    /// assert_eq!(rule.suffix(Timestamp::new(1_700_003_600, 0)), "2023-11-14_22");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn suffix(&self, deadline: Timestamp) -> String {
        let mut text = String::new();
        self.pattern().write(self.begun(deadline), &mut text);
        text
    }

    /// Returns the pattern for dates in names.
    pub(in crate::file::rotation) fn pattern(&self) -> DatePattern {
        DatePattern::down_to(self.finest())
    }

    /// Returns the time zone.
    pub(in crate::file::rotation) fn in_use(&self) -> &Zone {
        &self.zone
    }

    /// Returns the number of old files to keep; `None` for all.
    pub(in crate::file::rotation) fn kept(&self) -> Option<usize> {
        Some(self.backup_count).filter(|files| *files > 0)
    }

    /// Returns the beginning of the interval of a file that was begun or rolled at `from`, which it is named after.
    pub(in crate::file::rotation) fn period_start(&self, from: Timestamp) -> Timestamp {
        match self.when {
            When::Elapsed { .. } => Timestamp::new(from.seconds(), 0),
            _ => self.zone.instant(self.begun(self.deadline(from))),
        }
    }

    /// Returns the local time at the beginning of the interval that ends at `deadline`.
    fn begun(&self, deadline: Timestamp) -> Civil {
        let interval = i64::from(self.interval);
        let days_before = |days: i64| Civil::new(self.zone.civil(deadline).seconds() - days * DAY);
        match self.when {
            When::Elapsed { unit } => {
                self.zone.civil(Timestamp::new(deadline.seconds().saturating_sub(interval * unit), 0))
            }
            When::Midnight => days_before(interval),
            When::Weekday(_) => days_before(7 * interval),
        }
    }

    fn finest(&self) -> Unit {
        match self.when {
            When::Elapsed { unit: 1 } => Unit::Second,
            When::Elapsed { unit: 60 } => Unit::Minute,
            When::Elapsed { unit: 3_600 } => Unit::Hour,
            _ => Unit::Day,
        }
    }

    /// Returns which of the names in the directory of the file `base` are surplus old files, oldest first: Python's
    /// `getFilesToDelete`.
    ///
    /// ```
    /// use tracing_handlers::rotation::python::TimedRotating;
    ///
    /// let rule = TimedRotating::new("midnight")?.backup_count(1);
    /// let names = ["app.log", "app.log.2023-11-14", "app.log.2023-11-13", "app.log.2023-11-13.gz", "other.log.2023-11-12"];
    /// assert_eq!(rule.surplus("app.log", names), ["app.log.2023-11-13"]);
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn surplus<N: AsRef<OsStr> + Ord>(
        &self,
        base: impl AsRef<OsStr>,
        names: impl IntoIterator<Item = N>,
    ) -> Vec<N> {
        if self.backup_count == 0 {
            return Vec::new();
        }
        let base = base.as_ref().as_encoded_bytes();
        let is_old = |name: &N| {
            let rest = name.as_ref().as_encoded_bytes().strip_prefix(base);
            rest.and_then(|rest| rest.strip_prefix(b".")).is_some_and(|suffix| self.is_suffix(suffix))
        };
        let mut old: Vec<N> = names.into_iter().filter(is_old).collect();
        old.sort();
        old.truncate(old.len().saturating_sub(self.backup_count));
        old
    }

    /// Only digits are checked: `2023-99-99` is a suffix for Python too.
    fn is_suffix(&self, text: &[u8]) -> bool {
        let shape: &[u8] = match self.finest() {
            Unit::Second => b"0000-00-00_00-00-00",
            Unit::Minute => b"0000-00-00_00-00",
            Unit::Hour => b"0000-00-00_00",
            _ => b"0000-00-00",
        };
        let is_fit = |(shape, byte): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { shape == byte };
        shape.len() == text.len() && shape.iter().zip(text).all(is_fit)
    }

    /// Returns the next time that the clock shows the time of day, moved on by the days that `wait` returns for the day it falls
    /// on.
    fn on_wall(&self, from: Timestamp, wait: impl FnOnce(i64) -> i64) -> Timestamp {
        let offset = self.zone.offset(from.seconds());
        let now = Civil::new(from.seconds().saturating_add(offset)).seconds();
        let (today, passed) = (now.div_euclid(DAY), now.rem_euclid(DAY));
        let at_time = i64::from(self.at_time);
        let first = today + i64::from(at_time <= passed);
        let local = (first + wait(first)) * DAY + at_time;
        if local > civil::LAST_SECOND {
            return NEVER;
        }
        // Of a time that is shown twice, the one with the current offset: the other one may have passed.
        let same = Timestamp::new(local - offset, 0);
        if self.zone.offset(same.seconds()) == offset { same } else { self.zone.instant(Civil::new(local)) }
    }
}

fn kind(when: &str) -> Option<When> {
    match when {
        "S" => Some(When::Elapsed { unit: 1 }),
        "M" => Some(When::Elapsed { unit: 60 }),
        "H" => Some(When::Elapsed { unit: 3_600 }),
        "D" => Some(When::Elapsed { unit: DAY }),
        "MIDNIGHT" => Some(When::Midnight),
        _ => {
            let day = when.strip_prefix('W').filter(|day| day.len() == 1)?.parse().ok()?;
            (day < 7).then_some(When::Weekday(day))
        }
    }
}

/// Days since Monday.
fn weekday(day: i64) -> i64 {
    civil::weekday(day) as i64
}

/// Python's default for `atTime`.
const END_OF_DAY: u32 = 86_400;
const NEVER: Timestamp = Timestamp::new(i64::MAX, 0);
