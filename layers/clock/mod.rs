//! Time: points in time, and where they come from.
//!
//! The wall clock may be set, back and forward, while a program runs. What that does:
//!
//! | measured by | where | when the wall clock is set |
//! |---|---|---|
//! | time that runs ([`Clock::monotonic`], `Instant`) | deadlines and time-outs of flushes, exits and forks; `Queue`, `Retry`, `Fallback`, idleness and back-off of `Route`; back-off of a rotation that failed; how long selflog is quiet; times of spans | nothing |
//! | the records' own times | `filter::rate`, `Dedup`, `Alert`, when `Filtered` tells of what it dropped: they serve for records of yesterday too | forward: an interval ends early, once. Back, by more than records come late: it begins anew, and nobody waits for the old time to come again |
//! | the calendar | times in lines, `filter::hours` | they show the new time |
//!
//! A clock of one's own that has only [`now`](Clock::now) has the system's running time.

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

mod backoff;
pub(crate) mod civil;
mod weekday;

pub use weekday::Weekday;

pub(crate) use backoff::Backoff;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z (negative before it) and nanoseconds within that second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    /// `nanos` above 999,999,999 are taken as 999,999,999.
    pub const fn new(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos: if nanos > 999_999_999 { 999_999_999 } else { nanos } }
    }

    /// The system's wall clock, now.
    #[inline]
    pub fn now() -> Self {
        now()
    }

    /// Whole seconds since the epoch, rounded down.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second, 0 to 999,999,999.
    #[inline]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Nanoseconds since the epoch; the years 1677 to 2262 fit, others are taken as the nearer end.
    #[inline]
    pub(crate) const fn unix_nanos(self) -> i64 {
        self.seconds.saturating_mul(1_000_000_000).saturating_add(self.nanos as i64)
    }

    pub(crate) const fn from_unix_nanos(nanos: i64) -> Self {
        Self::new(nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000) as u32)
    }

    /// The same point moved forward; stays at the far end of the range instead of wrapping.
    pub fn saturating_add(self, by: Duration) -> Self {
        let nanos = self.nanos + by.subsec_nanos();
        let (carry, nanos) = if nanos > 999_999_999 { (1, nanos - 1_000_000_000) } else { (0, nanos) };
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        Self { seconds: self.seconds.saturating_add(seconds).saturating_add(carry), nanos }
    }

    /// How much later it is than `earlier`; zero where it is not.
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
            // There is a second to take from: the later one is not in the same.
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

/// What the system says, without the detour of std over a duration and back: a tenth of a record's capture.
#[cfg(unix)]
#[inline]
fn now() -> Timestamp {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to be written to. This clock always exists, so that there is no error to look at.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
    Timestamp::new(time.tv_sec, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A time that never goes back, in steps of some milliseconds, for a fraction of what [`Instant::now`] costs.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn coarse() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to be written to. This clock exists since Linux 2.6.32.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn coarse() -> Duration {
    System.monotonic()
}

/// Where the time of a record comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time, now.
    fn now(&self) -> Timestamp;

    /// A time that never goes back, counted from any point: what durations are measured by.
    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved: for tests.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::clock::{Clock, Manual, Timestamp};
///
/// let clock = Manual::new(Timestamp::new(100, 0));
/// clock.advance(Duration::from_millis(1_500));
/// assert_eq!(clock.now(), Timestamp::new(101, 500_000_000));
/// ```
#[derive(Debug, Default)]
pub struct Manual(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    wall: Timestamp,
    /// What durations are measured by: the wall clock, were it not for its steps.
    running: Timestamp,
}

impl Manual {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Hands { wall: now, running: now }))
    }

    /// Moves the clock to `now`, backwards too, and with it what durations are measured by.
    pub fn set(&self, now: Timestamp) {
        *crate::sync::lock(&self.0) = Hands { wall: now, running: now };
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = crate::sync::lock(&self.0);
        hands.wall = hands.wall.saturating_add(by);
        hands.running = hands.running.saturating_add(by);
    }

    /// Has the clock show `now` from one moment to the next, as when somebody sets the system's: no time has passed.
    ///
    /// ```
    /// use tracing_handlers::clock::{Clock, Manual, Timestamp};
    ///
    /// let clock = Manual::new(Timestamp::new(100, 0));
    /// let before = clock.monotonic();
    /// clock.step(Timestamp::new(7_300, 0));
    /// assert_eq!((clock.now().seconds(), clock.monotonic()), (7_300, before));
    /// ```
    pub fn step(&self, now: Timestamp) {
        crate::sync::lock(&self.0).wall = now;
    }
}

/// Durations are those between the times that it shows, [steps](Manual::step) left out.
impl Clock for Manual {
    fn now(&self) -> Timestamp {
        crate::sync::lock(&self.0).wall
    }

    fn monotonic(&self) -> Duration {
        let running = crate::sync::lock(&self.0).running;
        Duration::new(running.seconds().try_into().unwrap_or(0), running.nanos())
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}
