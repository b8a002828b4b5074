//! The time by which the ages of archives are measured: a clock that jumps must not remove files.

use std::sync::Arc;
use std::time::Duration;

use super::plausible::YEAR;
use super::time_source::TimeSource;
use crate::clock::Timestamp;
use crate::process;
use crate::sync::{Mutex, lock};

/// Follows a clock. A jump forward, against the monotonic time or to a year after the log was last written to, is not followed
/// until the clock has agreed with it for an hour.
#[derive(Debug)]
pub(super) struct AgeClock {
    clock: TimeSource,
    seen: Arc<Mutex<Option<Seen>>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    trusted: Reading,
    /// The clock when it was first seen to have jumped.
    doubted: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    monotonic: Duration,
}

impl Reading {
    /// The wall time to be expected later; `None` if the monotonic time is another clock's.
    fn expect(self, monotonic: Duration) -> Option<Timestamp> {
        Some(self.wall.saturating_add(monotonic.checked_sub(self.monotonic)?))
    }

    /// Whether the clock shows what is to be expected after this reading.
    fn agrees(self, later: Self) -> bool {
        self.expect(later.monotonic)
            .is_some_and(|expected| expected.since(later.wall).max(later.wall.since(expected)) <= STEP)
    }
}

impl AgeClock {
    pub(super) fn new(clock: TimeSource) -> Self {
        let seen = Arc::default();
        process::hold_at_forks(&seen);
        Self { clock, seen }
    }

    /// Returns the time to measure ages by. `newest` is when the log was last written to, according to the file system.
    pub(super) fn now(&self, newest: Option<Timestamp>) -> Timestamp {
        let now = Reading { wall: self.clock.now(), monotonic: self.clock.monotonic() };
        let mut seen = lock(&self.seen);
        let before = *seen;
        let expected = before.and_then(|before| before.trusted.expect(now.monotonic));
        let is_ahead = |of: Option<Timestamp>, by| of.is_some_and(|of| now.wall > of.saturating_add(by));
        let doubted = before.and_then(|before| before.doubted).filter(|doubted| doubted.agrees(now));
        let is_confirmed = doubted.is_some_and(|since| now.monotonic >= since.monotonic.saturating_add(HOUR));
        if is_confirmed || !(is_ahead(expected, STEP) || is_ahead(newest, YEAR)) {
            *seen = Some(Seen { trusted: now, doubted: None });
            return now.wall;
        }
        let wall = expected.or(newest).map_or(now.wall, |known| known.min(now.wall));
        let trusted = Reading { wall, ..now };
        *seen = Some(Seen { trusted, doubted: doubted.or(Some(now)) });
        wall
    }
}

/// Clocks are set by less than this in daily use.
const STEP: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Manual;

    const NOW: Timestamp = Timestamp::new(1_795_219_200, 0); // 2026-11-21
    const IN_2036: Timestamp = Timestamp::new(2_100_000_000, 0);

    fn clock() -> (Arc<Manual>, AgeClock) {
        let clock = Arc::new(Manual::new(NOW));
        (clock.clone(), AgeClock::new(TimeSource::new(clock)))
    }

    #[test]
    fn a_clock_that_runs_is_followed_and_small_steps_too() {
        let (clock, ages) = clock();
        assert_eq!(ages.now(None), NOW);
        clock.advance(10 * YEAR);
        assert_eq!(ages.now(None), NOW.saturating_add(10 * YEAR));
        clock.step(NOW.saturating_add(10 * YEAR + STEP));
        assert_eq!(ages.now(None), NOW.saturating_add(10 * YEAR + STEP));
        clock.step(NOW);
        assert_eq!(ages.now(None), NOW, "back: everything is younger");
    }

    #[test]
    fn a_jump_forward_is_followed_after_an_hour() {
        let (clock, ages) = clock();
        ages.now(None);
        clock.step(NOW.saturating_add(5 * HOUR));
        assert_eq!(ages.now(None), NOW);
        clock.advance(HOUR - STEP);
        assert_eq!(ages.now(None), NOW.saturating_add(HOUR - STEP));
        clock.advance(STEP);
        assert_eq!(ages.now(None), NOW.saturating_add(6 * HOUR));
    }

    #[test]
    fn a_jump_that_is_taken_back_has_had_no_effect() {
        let (clock, ages) = clock();
        ages.now(None);
        for _ in 0..3 {
            clock.step(IN_2036);
            assert_eq!(ages.now(None), NOW);
            clock.step(NOW);
            assert_eq!(ages.now(None), NOW);
        }
    }

    #[test]
    fn a_jump_that_is_followed_by_another_begins_again() {
        let (clock, ages) = clock();
        ages.now(None);
        clock.step(IN_2036);
        ages.now(None);
        clock.advance(HOUR);
        clock.step(IN_2036.saturating_add(YEAR));
        assert_eq!(ages.now(None), NOW.saturating_add(HOUR));
    }

    #[test]
    fn a_start_a_year_after_the_last_line_is_doubted_and_a_later_one_is_not() {
        let (clock, ages) = clock();
        clock.set(IN_2036);
        assert_eq!(ages.now(Some(NOW)), NOW);
        clock.advance(HOUR);
        assert_eq!(ages.now(Some(NOW)), IN_2036.saturating_add(HOUR));
        let ages = AgeClock::new(TimeSource::new(clock));
        let yesterday = Timestamp::new(IN_2036.seconds() - 86_400, 0);
        assert_eq!(ages.now(Some(yesterday)), IN_2036.saturating_add(HOUR));
    }
}
