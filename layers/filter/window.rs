//! Event time in the state of a filter.

use std::time::Duration;

/// A duration in nanoseconds, at least 1.
pub(super) fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX).max(1)
}

/// A record may be so much older than the newest one: threads take turns, queues hold things up. What is older still
/// comes from a clock that was set back.
pub(super) const LATE: i64 = 10_000_000_000;

/// How many records came in the present interval. Intervals are counted from 1970; only the lower 32 bits of that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) interval: u32,
    pub(super) seen: u32,
}

impl Window {
    pub(super) fn unpack(state: u64) -> Self {
        Self { interval: (state >> 32) as u32, seen: state as u32 }
    }

    pub(super) fn pack(self) -> u64 {
        u64::from(self.interval) << 32 | u64::from(self.seen)
    }

    /// Counts a record of this time, where intervals are so long. One that is a little late counts as one of the present.
    pub(super) fn count(self, nanos: i64, length: i64) -> Self {
        let interval = nanos.div_euclid(length) as u32;
        let ahead = interval.wrapping_sub(self.interval) as i32;
        let late = i32::try_from(LATE / length + 1).unwrap_or(i32::MAX);
        match ahead {
            0 => Self { seen: self.seen.saturating_add(1), ..self },
            ahead if ahead < 0 && ahead >= -late => Self { seen: self.seen.saturating_add(1), ..self },
            _ => Self { interval, seen: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn each_interval_is_counted_anew_and_late_records_count_as_present() {
        let window = Window::unpack(0);
        let window = window.count(100 * SECOND, SECOND).count(100 * SECOND + SECOND - 1, SECOND);
        assert_eq!(window, Window { interval: 100, seen: 2 });
        assert_eq!(window.count(95 * SECOND, SECOND), Window { interval: 100, seen: 3 }, "five seconds late");
        assert_eq!(window.count(50 * SECOND, SECOND), Window { interval: 50, seen: 1 }, "the clock was set back");
        assert_eq!(window.count(101 * SECOND, SECOND), Window { interval: 101, seen: 1 });
        assert_eq!(Window::unpack(window.pack()), window);
    }

    #[test]
    fn times_far_away_are_times() {
        assert_eq!(length(Duration::MAX), i64::MAX);
        assert_eq!(length(Duration::ZERO), 1);
        let window = Window::unpack(0).count(i64::MIN, i64::MAX).count(i64::MAX, 1).count(i64::MIN, 1);
        assert_eq!(window.seen, 1);
    }
}
