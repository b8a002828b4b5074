//! Which times can be right. A device without a battery starts in 1970, and a clock that is set wrongly shows 2036.

use std::time::Duration;

use crate::clock::Timestamp;

/// Returns `time`, which is past, or now if it seems to come. If the clock itself cannot be right, `time` is believed.
pub(super) fn past(time: Timestamp, now: Timestamp) -> Timestamp {
    if now >= WRITTEN { time.min(now) } else { time }
}

/// The latest time at which anything can have happened. `None` if the clock itself cannot be right.
pub(super) fn latest(now: Timestamp) -> Option<Timestamp> {
    (now >= WRITTEN).then(|| now.saturating_add(YEAR))
}

/// This was written later than 2026-01-01.
const WRITTEN: Timestamp = Timestamp::new(1_767_225_600, 0);
pub(super) const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_not_set_yet_is_not_believed() {
        let (now, later) = (Timestamp::new(1_795_223_943, 0), Timestamp::new(1_795_223_944, 0));
        assert_eq!((past(now, later), past(later, now), past(now, Timestamp::EPOCH)), (now, now, now));
        assert_eq!((latest(now), latest(Timestamp::EPOCH)), (Some(now.saturating_add(YEAR)), None));
    }
}
