use std::time::Duration;

use super::deadlines::Calendar;
use crate::clock::civil::{DAY, FIRST_SECOND, LAST_SECOND};

/// Whole multiples of a period on the clock: from each midnight if it is shorter than a day, otherwise from a Monday.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aligned {
    /// In seconds, at least 1.
    period: i64,
}

impl Aligned {
    pub(super) fn new(period: Duration) -> Self {
        // The calendar has no room for two deadlines of a longer one.
        let longest = LAST_SECOND - FIRST_SECOND;
        Self { period: i64::try_from(period.as_secs()).unwrap_or(longest).clamp(1, longest) }
    }

    /// Returns the time that multiples are counted from, near `local`.
    fn origin(self, local: i64) -> i64 {
        if self.period < DAY { local - local.rem_euclid(DAY) } else { MONDAY }
    }
}

impl Calendar for Aligned {
    fn at_or_after(&self, local: i64) -> Option<i64> {
        let local = local.max(FIRST_SECOND);
        let origin = self.origin(local);
        let passed = (local - origin).rem_euclid(self.period);
        let found = if passed == 0 { local } else { local - passed + self.period };
        // Counting restarts at midnight.
        let found = if self.period < DAY { found.min(origin + DAY) } else { found };
        (found <= LAST_SECOND).then_some(found)
    }

    fn at_or_before(&self, local: i64) -> Option<i64> {
        let local = local.min(LAST_SECOND);
        let found = local - (local - self.origin(local)).rem_euclid(self.period);
        (found >= FIRST_SECOND).then_some(found)
    }

    fn counts_twice(&self) -> bool {
        self.period < DAY
    }
}

/// 1970-01-05T00:00:00
const MONDAY: i64 = 4 * DAY;
