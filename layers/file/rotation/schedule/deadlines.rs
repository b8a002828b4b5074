//! From times on the wall to points in time.

use crate::clock::civil::{DAY, FIRST_SECOND, LAST_SECOND};
use crate::file::rotation::zone::{Segment, Zone};

/// A set of times that a calendar and a clock on the wall can show: in seconds after 1970-01-01T00:00:00, from
/// [`FIRST_SECOND`] to [`LAST_SECOND`]. What lies outside is not in it.
pub(super) trait Calendar {
    /// The first one that is not earlier.
    fn at_or_after(&self, local: i64) -> Option<i64>;

    /// The last one that is not later.
    fn at_or_before(&self, local: i64) -> Option<i64>;

    /// A time that the clock shows twice counts twice.
    fn counts_twice(&self) -> bool;
}

/// The first deadline later than `seconds`.
///
/// It goes from one change of the clocks to the next, of which there are few: the next time of the calendar is found without
/// looking at the ones between, and where there is none it ends.
pub(super) fn after(calendar: &dyn Calendar, zone: &Zone, seconds: i64) -> Option<i64> {
    let mut from = seconds.saturating_add(1).max(FIRST_SECOND - MARGIN);
    while from <= LAST_SECOND + MARGIN {
        let segment = zone.segment(from);
        let first = first_local(calendar, &segment);
        let local = if from == segment.start { first } else { first.max(from + segment.offset) };
        // What the clock has left out comes when it goes on.
        let found = (calendar.at_or_after(local)? - segment.offset).max(from);
        if found < segment.end {
            return Some(found);
        }
        from = segment.end;
    }
    None
}

/// The last deadline not later than `seconds`.
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

/// The first time on the wall that belongs to a segment: with those that are left out where it begins, and without those that
/// have been shown before, unless they count twice.
fn first_local(calendar: &dyn Calendar, segment: &Segment) -> i64 {
    match calendar.counts_twice() {
        true => segment.start + segment.before.min(segment.offset),
        false => segment.start + segment.before,
    }
}

/// More than any zone is ahead of UTC or behind it.
const MARGIN: i64 = 2 * DAY;
