use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::civil::{Civil, FIRST_SECOND, LAST_SECOND};
use super::rfc3339;
use crate::{Error, ErrorKind};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z (negative before it) and nanoseconds within that second.
///
/// As text it is RFC 3339 in UTC, with as many digits of the fraction as it needs. Any offset is read. Years outside 0000 to 9999
/// are written as the nearest year inside.
///
/// ```
/// use tracing_handlers::clock::Timestamp;
///
/// let time: Timestamp = "2026-11-21T03:19:03.5+02:00".parse()?;
/// assert_eq!(time, Timestamp::new(1_795_223_943, 500_000_000));
/// assert_eq!(time.to_string(), "2026-11-21T01:19:03.5Z");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The Unix epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    /// Creates the point in time `seconds` and `nanos` after 1970-01-01T00:00:00Z. `nanos` are clamped to 999,999,999.
    pub const fn new(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos: if nanos > 999_999_999 { 999_999_999 } else { nanos } }
    }

    /// Returns the current time of the system's wall clock.
    #[inline]
    pub fn now() -> Self {
        now()
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the nanoseconds within the second, 0 to 999,999,999.
    #[inline]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Returns the nanoseconds since 1970-01-01T00:00:00Z, clamped to the range of `i64`: the years 1677 to 2262.
    #[inline]
    pub(crate) const fn unix_nanos(self) -> i64 {
        self.seconds.saturating_mul(1_000_000_000).saturating_add(self.nanos as i64)
    }

    pub(crate) const fn from_unix_nanos(nanos: i64) -> Self {
        Self::new(nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000) as u32)
    }

    /// Returns the point in time `by` later, clamped to the range.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        let nanos = self.nanos + by.subsec_nanos();
        let (carry, nanos) = if nanos > 999_999_999 { (1, nanos - 1_000_000_000) } else { (0, nanos) };
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        Self { seconds: self.seconds.saturating_add(seconds).saturating_add(carry), nanos }
    }

    /// Returns the time shifted by an offset from UTC in seconds, clamped to the years 0000 to 9999.
    #[inline]
    pub(crate) fn to_local(self, offset: i64) -> Self {
        let local = self.seconds.saturating_add(offset);
        if (FIRST_SECOND..=LAST_SECOND).contains(&local) {
            return Self::new(local, self.nanos);
        }
        match local < 0 {
            true => Self::new(FIRST_SECOND, 0),
            false => Self::new(LAST_SECOND, 999_999_999),
        }
    }

    /// Returns how much later it is than `earlier`, or zero if it is not later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::clock::Timestamp;
    ///
    /// let (earlier, later) = (Timestamp::new(7, 900_000_000), Timestamp::new(9, 100_000_000));
    /// assert_eq!(later.since(earlier), Duration::from_millis(1_200));
    /// assert_eq!(earlier.since(later), Duration::ZERO);
    /// ```
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let seconds = self.seconds.abs_diff(earlier.seconds);
        match self.nanos.checked_sub(earlier.nanos) {
            Some(nanos) => Duration::new(seconds, nanos),
            // They are in different seconds, so one can be borrowed.
            None => Duration::new(seconds.saturating_sub(1), 1_000_000_000 + self.nanos - earlier.nanos),
        }
    }
}

impl From<SystemTime> for Timestamp {
    #[inline]
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self { seconds: after.as_secs() as i64, nanos: after.subsec_nanos() },
            Err(error) => {
                let before = error.duration();
                match before.subsec_nanos() {
                    0 => Self { seconds: -(before.as_secs() as i64), nanos: 0 },
                    nanos => Self { seconds: -(before.as_secs() as i64) - 1, nanos: 1_000_000_000 - nanos },
                }
            }
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_local(0);
        let Civil { year, month, day, hour, minute, second } = Civil::new(time.seconds);
        let fraction = match time.nanos {
            0 => String::new(),
            nanos => format!(".{nanos:09}"),
        };
        let fraction = fraction.trim_end_matches('0');
        f.pad(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads RFC 3339, with whitespace around it or without. A leap second is read as the second before it; digits below a nanosecond are cut off.
    fn from_str(text: &str) -> Result<Self, Error> {
        rfc3339::read(text.trim()).map(|(seconds, nanos)| Self::new(seconds, nanos)).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("expected a time like 2026-11-21T01:19:03Z, found {text:?}"))
        })
    }
}

/// Reads the clock directly: std's conversion through a `Duration` takes a tenth of a record's capture.
#[cfg(unix)]
#[inline]
fn now() -> Timestamp {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec. This clock always exists, so that there is no error to check.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
    Timestamp::new(time.tv_sec, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn now() -> Timestamp {
    SystemTime::now().into()
}
