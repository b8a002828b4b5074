use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Time, Zone};
use crate::{Error, ErrorKind};

/// With the feature `time-zone`.
impl Time {
    /// RFC 3339 in the system's time zone, with its offset: `2026-11-21T03:19:03.123456+02:00`.
    ///
    /// The zone is looked up now (`TZ`, then the system's setting; UTC where neither is usable) and kept.
    pub fn local() -> Self {
        Self::in_zone(TimeZone::system())
    }

    /// RFC 3339 in the time zone with this IANA name.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// let time = Time::zone("Asia/Kathmandu")?.precision(0);
    /// assert_eq!(time.text(Timestamp::new(1_795_223_943, 0)), "2026-11-21T07:04:03+05:45");
    /// assert!(Time::zone("Atlantis/Centre").is_err());
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the time zone database has no such name.
    pub fn zone(name: &str) -> Result<Self, Error> {
        match TimeZone::get(name) {
            Ok(zone) => Ok(Self::in_zone(zone)),
            Err(error) => {
                Err(Error::new(ErrorKind::Config, format!("no time zone is called `{name}`")).with_source(error))
            }
        }
    }

    /// By a name in a text: `utc`, `local`, or one of IANA's.
    pub(in crate::format) fn named(zone: &str) -> Result<Self, Error> {
        match zone {
            "utc" | "UTC" => Ok(Self::rfc3339()),
            "local" => Ok(Self::local()),
            name => Self::zone(name),
        }
    }

    fn in_zone(zone: TimeZone) -> Self {
        Self { zone: Some(Arc::new(Cached::new(zone))), ..Self::rfc3339() }
    }
}

/// A zone that remembers its last answer: one word holds the second that was asked for and the offset then, so that no
/// reader sees half of each. A whole second cannot lie on both sides of a transition, wherever that is.
struct Cached {
    zone: TimeZone,
    last: AtomicU64,
}

impl Cached {
    fn new(zone: TimeZone) -> Self {
        Self { zone, last: AtomicU64::new(u64::MAX) }
    }

    #[cold]
    fn look_up(&self, seconds: i64) -> i32 {
        let time = nearest(seconds);
        // Local mean times of long ago have seconds. They are rounded here, and the date follows the rounded offset, so
        // that what is written is the right point in time.
        (self.zone.to_offset(time).seconds() + 30).div_euclid(60)
    }
}

impl Zone for Cached {
    #[inline]
    fn offset_minutes(&self, seconds: i64) -> i32 {
        let Ok(key) = u64::try_from(seconds.saturating_add(BEFORE_EPOCH)) else { return self.look_up(seconds) };
        if key > LAST_KEY {
            return self.look_up(seconds);
        }
        let last = self.last.load(Ordering::Relaxed);
        if last >> OFFSET_BITS == key {
            return (last & OFFSET_MASK) as i32 - OFFSET_BIAS;
        }
        let minutes = self.look_up(seconds);
        let offset = (minutes + OFFSET_BIAS) as u64 & OFFSET_MASK;
        self.last.store(key << OFFSET_BITS | offset, Ordering::Relaxed);
        minutes
    }

    fn put_abbreviation(&self, seconds: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.zone.to_offset_info(nearest(seconds)).abbreviation().as_bytes());
    }
}

/// What comes nearest to it among the times that jiff knows.
fn nearest(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.zone.fmt(f)
    }
}

/// Offsets are less than 26 hours either way: 1,560 minutes.
const OFFSET_BITS: u32 = 12;
const OFFSET_BIAS: i32 = 2_048;
const OFFSET_MASK: u64 = 0xfff;
/// More seconds than from the year 0000 to the epoch, so that keys are not negative.
const BEFORE_EPOCH: i64 = 1 << 36;
/// The last key of all is the mark of an empty cache.
const LAST_KEY: u64 = (1 << 52) - 2;
