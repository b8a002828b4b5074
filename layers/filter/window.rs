//! Counts per interval of event time, packed into 64 bits.

use std::time::Duration;

/// A duration in nanoseconds, at least 1.
pub(super) fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX).max(1)
}

/// The age up to which a record counts as late, because threads interleave and queues delay records. If it is older, the clock was
/// set back.
pub(super) const LATE: i64 = 10_000_000_000;

/// The number of records in the current interval. Intervals are counted from 1970; only the lower 32 bits are stored.
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

    /// Counts a record of this time in intervals of this length. A slightly late record counts in the current interval.
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
    fn each_interval_starts_at_zero_and_late_records_count_in_the_current_one() {
        let window = Window::unpack(0);
        let window = window.count(100 * SECOND, SECOND).count(100 * SECOND + SECOND - 1, SECOND);
        assert_eq!(window, Window { interval: 100, seen: 2 });
        assert_eq!(window.count(95 * SECOND, SECOND), Window { interval: 100, seen: 3 }, "five seconds late");
        assert_eq!(window.count(50 * SECOND, SECOND), Window { interval: 50, seen: 1 }, "the clock was set back");
        assert_eq!(window.count(101 * SECOND, SECOND), Window { interval: 101, seen: 1 });
        assert_eq!(Window::unpack(window.pack()), window);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        assert_eq!(length(Duration::MAX), i64::MAX);
        assert_eq!(length(Duration::ZERO), 1);
        let window = Window::unpack(0).count(i64::MIN, i64::MAX).count(i64::MAX, 1).count(i64::MIN, 1);
        assert_eq!(window.seen, 1);
    }
}
