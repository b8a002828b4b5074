//! Points in time, clocks, time zones and weekdays.
//!
//! The wall clock may be set forward or back while a program runs. The effect depends on how a time is measured:
//!
//! | measured by | used for | when the wall clock is set |
//! |---|---|---|
//! | monotonic time ([`Clock::monotonic`], `Instant`) | deadlines and timeouts of flushes, exits and forks; time limits of buffers; `Queue`, `Retry`, `Fallback`, idleness and back-off of `Route`; back-off of a failed rotation; the quiet interval of selflog; span timings | nothing |
//! | the records' own times | `filter::rate`, `Dedup`, `Alert`, the reports of `Filtered`: they work for yesterday's records too | forward: an interval ends early, once. Back, by more than records are usually late: it starts again at the new time |
//! | the calendar | times in lines, `filter::hours` | they follow the new time |
//!
//! A [`Clock`] that only implements [`now`](Clock::now) uses the system's monotonic time.
//!
//! # Time zones
//!
//! The default time zone is UTC everywhere. All settings that name a time zone ([`format::Time`](crate::format::Time),
//! [`format::Python`](crate::format::Python), patterns, [`filter::Hours`](crate::filter::Hours),
//! [`rotation::Schedule`](crate::rotation::Schedule), [`TimedRotating`](crate::rotation::python::TimedRotating)) accept the same
//! names, in this order:
//!
//! | name | time zone |
//! |---|---|
//! | `utc`, `UTC` | UTC; the only one without the feature `time-zone` |
//! | `local` | the system's: the variable `TZ`, then the system's setting |
//! | `Europe/Berlin` | that of the IANA time zone database, in upper or lower case |
//! | `CET-1CEST,M3.5.0,M10.5.0/3`, `<+0330>-3:30` | a POSIX `TZ` rule |
//! | `CET-1CEST` | the same without dates: those of the USA since 2007, `M3.2.0,M11.1.0`, the default of the GNU C library |
//! | `/etc/localtime` | a TZif file, by its absolute path; of a path with `zoneinfo/` in it, the rest is tried as a name first |
//!
//! A leading colon is ignored, as in POSIX's `TZ`. An unknown name is an error of the kind
//! [`Config`](crate::ErrorKind::Config), and so is a zone with an offset from UTC beyond ±23:59, which POSIX rules can have and
//! RFC 3339 cannot express.
//!
//! The local time zone is looked up when `local` is set (`Time::local()`, `Schedule::local`), and kept: a line costs no look at the
//! environment, which another thread may be changing. Like C's `localtime_r`, which need not read `TZ` before the next `tzset`, what has
//! been set up does not see a later change of `TZ`; what is set up after the change sees it at once. So a program that changes its zone
//! while it runs sets up its outputs again, for instance with [`Handle::swap`](crate::Handle::swap). A change of the system's setting,
//! without `TZ`, is seen by what is set up some minutes later. An empty `TZ` is UTC. If `TZ` has none of the values above (`local` and
//! itself excluded) or such an offset, or the system has no setting, local times are in UTC, which is reported to [`selflog`](crate::selflog)
//! once per process.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

mod backoff;
pub(crate) mod civil;
mod manual;
mod rfc3339;
mod strftime;
mod timestamp;
mod weekday;
pub(crate) mod words;
mod zone;

pub use manual::Manual;
pub use timestamp::Timestamp;
pub use weekday::Weekday;

pub(crate) use backoff::Backoff;
pub(crate) use strftime::Strftime;
pub(crate) use zone::{Segment, Zone};

/// A source of time, for records, schedules and intervals.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns a time that never goes back, counted from an arbitrary point. Durations are measured by it.
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

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// Returns a time that never goes back, to a few milliseconds, at a fraction of the cost of [`Instant::now`].
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
