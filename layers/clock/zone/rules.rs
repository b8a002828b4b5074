//! The rules of a zone: jiff's, with the last answer cached.

use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::civil::FOREVER;
use super::{Segment, config};
use crate::Error;

/// A time zone that caches its last answer. One word holds the second and its offset, so that a reader never sees
/// parts of two answers. A whole second cannot lie on both sides of a transition.
pub(super) struct Rules {
    zone: TimeZone,
    last: AtomicU64,
}

impl Rules {
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        time_zone(name).map(Self::new)
    }

    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, last: AtomicU64::new(u64::MAX) }
    }

    /// Returns the offset from UTC, in seconds.
    #[inline]
    pub(super) fn offset(&self, seconds: i64) -> i32 {
        let Ok(key) = u64::try_from(seconds.saturating_add(BEFORE_1970)) else { return self.look_up(seconds) };
        if key > LAST_KEY {
            return self.look_up(seconds);
        }
        let last = self.last.load(Ordering::Relaxed);
        if last >> OFFSET_BITS == key {
            return (last & OFFSET_MASK) as i32 - OFFSET_BIAS;
        }
        let offset = self.look_up(seconds);
        self.last.store(key << OFFSET_BITS | (offset + OFFSET_BIAS) as u64 & OFFSET_MASK, Ordering::Relaxed);
        offset
    }

    #[cold]
    fn look_up(&self, seconds: i64) -> i32 {
        self.zone.to_offset(nearest(seconds)).seconds()
    }

    pub(super) fn segment(&self, seconds: i64) -> Segment {
        let start = self.zone.preceding(nearest(seconds.saturating_add(1))).next().map(|change| change.timestamp());
        let end = self.zone.following(nearest(seconds)).next().map(|change| change.timestamp());
        let offset = i64::from(self.look_up(seconds));
        Segment {
            start: start.map_or(-FOREVER, Timestamp::as_second),
            end: end.map_or(FOREVER, Timestamp::as_second),
            offset,
            before: start.map_or(offset, |start| self.look_up(start.as_second() - 1).into()),
        }
    }

    pub(super) fn write_abbreviation(&self, seconds: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.zone.to_offset_info(nearest(seconds)).abbreviation().as_bytes());
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.zone.fmt(f)
    }
}

/// Returns the time zone with this name: from the database, by a POSIX rule, or from a file.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Error> {
    let name = name.strip_prefix(':').unwrap_or(name);
    let of_database = match name.rsplit_once("zoneinfo/") {
        Some((_, name)) => TimeZone::get(name),
        None => TimeZone::get(name),
    };
    let unknown = match of_database {
        Ok(zone) => return Ok(zone),
        Err(error) => config(format!("unknown time zone `{name}`")).with_source(error),
    };
    match name {
        _ if name.starts_with('/') => of_file(name),
        // Only rules contain a comma, so the error can say why the rule is not valid.
        _ if name.contains(',') => TimeZone::posix(name)
            .map_err(|error| config(format!("cannot read the time zone rule `{name}`")).with_source(error)),
        _ => TimeZone::posix(name).or_else(|_| TimeZone::posix(&format!("{name}{US_DATES}"))).map_err(|_| unknown),
    }
}

fn of_file(path: &str) -> Result<TimeZone, Error> {
    let data =
        fs::read(path).map_err(|error| config(format!("cannot read the time zone {path}")).with_source(error))?;
    TimeZone::tzif(path, &data).map_err(|error| config(format!("cannot read the time zone {path}")).with_source(error))
}

/// Clamps to the range of jiff's times.
fn nearest(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The GNU C library's default for a rule with daylight saving time that has no dates.
const US_DATES: &str = ",M3.2.0,M11.1.0";
/// Offsets are less than 26 hours either way: 93,600 seconds.
const OFFSET_BITS: u32 = 18;
const OFFSET_BIAS: i32 = 1 << 17;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
/// More seconds than from the year 0000 to 1970, so that keys are not negative.
const BEFORE_1970: i64 = 1 << 36;
/// The key after this one, the last that fits, marks an empty cache.
const LAST_KEY: u64 = (1 << (64 - OFFSET_BITS)) - 2;
