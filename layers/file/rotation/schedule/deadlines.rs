//! Converts local times to points in time.

use crate::clock::civil::{DAY, FIRST_SECOND, LAST_SECOND};
use crate::clock::{Segment, Zone};

/// A set of local times, in seconds since 1970-01-01T00:00:00, from [`FIRST_SECOND`] to [`LAST_SECOND`].
pub(super) trait Calendar {
    /// Returns the first one that is not earlier.
    fn at_or_after(&self, local: i64) -> Option<i64>;

    /// Returns the last one that is not later.
    fn at_or_before(&self, local: i64) -> Option<i64>;

    /// Whether a time that the clock shows twice counts twice.
    fn counts_twice(&self) -> bool;
}

/// Returns the first deadline later than `seconds`.
///
/// It proceeds from one change of the clocks to the next, of which there are few: the calendar finds its next time directly.
pub(super) fn after(calendar: &dyn Calendar, zone: &Zone, seconds: i64) -> Option<i64> {
    let mut from = seconds.saturating_add(1).max(FIRST_SECOND - MARGIN);
    while from <= LAST_SECOND + MARGIN {
        let segment = zone.segment(from);
        let first = first_local(calendar, &segment);
        let local = if from == segment.start { first } else { first.max(from + segment.offset) };
        // A skipped time is due when the clock resumes.
        let found = (calendar.at_or_after(local)? - segment.offset).max(from);
        if found < segment.end {
            return Some(found);
        }
        from = segment.end;
    }
    None
}

/// Returns the last deadline not later than `seconds`.
pub(super) fn until(calendar: &dyn Calendar, zone: &Zone, seconds: i64) -> Option<i64> {
    let mut at = seconds.min(LAST_SECOND + MARGIN);
    while at >= FIRST_SECOND - MARGIN {
        let segment = zone.segment(at);
        let local = calendar.at_or_before(at + segment.offset)?;
        if local >= first_local(calendar, &segment) {
            return Some((local - segment.offset).max(segment.start));
        }
        at = segment.start - 1;
    }
    None
}

/// Returns the first local time that belongs to a segment: with the times that are skipped where it begins, and without those
/// that have been shown before, unless they count twice.
fn first_local(calendar: &dyn Calendar, segment: &Segment) -> i64 {
    match calendar.counts_twice() {
        true => segment.start + segment.before.min(segment.offset),
        false => segment.start + segment.before,
    }
}

/// More than any offset from UTC.
const MARGIN: i64 = 2 * DAY;
