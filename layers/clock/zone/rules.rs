//! The rules of a zone: jiff's, with the last answer cached.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::civil::FOREVER;
use super::{Segment, names};
use crate::Error;
use crate::clock::civil::{self, Civil, DAY};

/// A time zone that caches its last answer. One word holds the second and its offset, so that a reader never sees
/// parts of two answers. A whole second cannot lie on both sides of a transition.
pub(super) struct Rules {
    zone: TimeZone,
    last: AtomicU64,
}

impl Rules {
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        names::time_zone(name).map(Self::new)
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
        let seconds = seconds.clamp(-FOREVER, FOREVER - 1);
        let offset = self.look_up(seconds);
        let start = self.start(seconds, offset);
        Segment {
            start: start.unwrap_or(-FOREVER),
            end: self.end(seconds, offset).unwrap_or(FOREVER),
            offset: offset.into(),
            before: start.map_or(offset, |start| self.look_up(start - 1)).into(),
        }
    }

    /// Returns the first second of the segment, which is not later than `seconds`.
    fn start(&self, seconds: i64, offset: i32) -> Option<i64> {
        let mut changes = self.zone.preceding(nearest(seconds + 1)).map(|change| first_second(change.timestamp()));
        let start = changes.find(|start| *start <= seconds);
        let new_year = new_year(Civil::new(seconds).year);
        let is_inside = new_year <= seconds && start.is_none_or(|start| start < new_year);
        if is_inside && self.look_up(new_year - 1) != offset { Some(new_year) } else { start }
    }

    /// Returns the first second after the segment, which is later than `seconds`.
    fn end(&self, seconds: i64, offset: i32) -> Option<i64> {
        let mut changes = self.zone.following(nearest(seconds)).map(|change| first_second(change.timestamp()));
        let end = changes.find(|end| *end > seconds);
        let new_year = new_year(Civil::new(seconds).year + 1);
        let is_inside = new_year > seconds && end.is_none_or(|end| new_year < end);
        if is_inside && self.look_up(new_year) != offset { Some(new_year) } else { end }
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

/// Clamps to the range of jiff's times.
fn nearest(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Returns the first whole second at or after `time`. A change of the clocks that would be after the end of a year of UTC is in
/// its last nanosecond for jiff.
fn first_second(time: Timestamp) -> i64 {
    // Seconds are truncated, so those of negative times have been rounded up.
    time.as_second() + i64::from(time.subsec_nanosecond() > 0)
}

/// Returns the first second of a year of UTC. A POSIX rule applies to one year at a time, so the offset may be another one there
/// without a change of the clocks: daylight saving time ends with the year.
fn new_year(year: i32) -> i64 {
    civil::day_number(year, 1, 1) * DAY
}

/// Offsets are less than 26 hours either way: 93,600 seconds.
const OFFSET_BITS: u32 = 18;
const OFFSET_BIAS: i32 = 1 << 17;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
/// More seconds than from the year 0000 to 1970, so that keys are not negative.
const BEFORE_1970: i64 = 1 << 36;
/// The key after this one, the last that fits, marks an empty cache.
const LAST_KEY: u64 = (1 << (64 - OFFSET_BITS)) - 2;
