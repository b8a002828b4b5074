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
    /// Work in the background may begin much later than the process.
    created: Reading,
    seen: Arc<Mutex<Option<Seen>>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    trusted: Reading,
    doubt: Option<Doubt>,
}

/// A jump that is not followed yet.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The clock when it was first seen to have jumped.
    since: Reading,
    /// The time that was measured then.
    measured: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    monotonic: Duration,
}

impl Reading {
    fn of(clock: &TimeSource) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }

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
        Self { created: Reading::of(&clock), clock, seen }
    }

    /// Returns the time to measure ages by. `written` is when the files of the log were last written to, according to the file
    /// system, oldest first.
    pub(super) fn now(&self, written: &[Timestamp]) -> Timestamp {
        let now = Reading::of(&self.clock);
        if written.is_empty() {
            // Nothing has an age, and nothing says whether the clock is right.
            return now.wall;
        }
        let mut seen = lock(&self.seen);
        let before = seen.unwrap_or_else(|| Seen::first(self.created, now, last_known(written)));
        let next = before.at(now, written);
        *seen = Some(next);
        next.trusted.wall
    }
}

impl Seen {
    /// What is known before the first time is measured, now: a clock is doubted that was more than a year ahead when it was `created`.
    fn first(created: Reading, now: Reading, newest: Option<Timestamp>) -> Self {
        match newest.filter(|newest| created.wall > newest.saturating_add(YEAR)) {
            None => Self { trusted: created, doubt: None },
            // The newest file may have been written to since.
            Some(measured) => {
                Self { trusted: Reading { wall: measured, ..now }, doubt: Some(Doubt { since: created, measured }) }
            }
        }
    }

    /// What is known at `now`.
    fn at(self, now: Reading, written: &[Timestamp]) -> Self {
        let is_ahead = |of: &Timestamp, by| now.wall > of.saturating_add(by);
        let expected = self.trusted.expect(now.monotonic).filter(|expected| is_ahead(expected, STEP));
        let newest = last_known(written).filter(|newest| is_ahead(newest, YEAR));
        let Some(measured) = [expected, newest].into_iter().flatten().min() else {
            return Self { trusted: now, doubt: None };
        };
        let doubt = self.doubt.filter(|doubt| doubt.since.agrees(now) && !doubt.is_refuted(measured, written));
        let is_confirmed = doubt.is_some_and(|doubt| now.monotonic >= doubt.since.monotonic.saturating_add(HOUR));
        if is_confirmed {
            return Self { trusted: now, doubt: None };
        }
        let doubt = doubt.or(Some(Doubt { since: now, measured }));
        Self { trusted: Reading { wall: measured, ..now }, doubt }
    }
}

impl Doubt {
    /// Whether the clock was right in between: a file was written to after the jump, and before `measured`, the time now.
    fn is_refuted(self, measured: Timestamp, written: &[Timestamp]) -> bool {
        let jumped = self.measured.saturating_add(STEP);
        written.iter().any(|time| *time > jumped && *time <= measured)
    }
}

/// Returns when the newest file was written to, or the newest one before a jump: a file more than a year younger than the one before it,
/// after which the clock has not run for an hour, does not count.
fn last_known(written: &[Timestamp]) -> Option<Timestamp> {
    let newest = *written.last()?;
    let follows =
        |known: Timestamp, time: Timestamp| time <= known.saturating_add(YEAR) || newest >= time.saturating_add(HOUR);
    written.iter().copied().reduce(|known, time| if follows(known, time) { time } else { known })
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
        assert_eq!(ages.now(&[NOW]), NOW);
        clock.advance(10 * YEAR);
        assert_eq!(ages.now(&[NOW.saturating_add(10 * YEAR)]), NOW.saturating_add(10 * YEAR));
        clock.step(NOW.saturating_add(10 * YEAR + STEP));
        assert_eq!(ages.now(&[NOW.saturating_add(10 * YEAR)]), NOW.saturating_add(10 * YEAR + STEP));
        clock.step(NOW);
        assert_eq!(ages.now(&[NOW]), NOW, "back: everything is younger");
    }

    #[test]
    fn a_jump_forward_is_followed_after_an_hour() {
        let (clock, ages) = clock();
        ages.now(&[NOW]);
        clock.step(NOW.saturating_add(5 * HOUR));
        assert_eq!(ages.now(&[NOW]), NOW);
        clock.advance(HOUR - STEP);
        assert_eq!(ages.now(&[NOW]), NOW.saturating_add(HOUR - STEP));
        clock.advance(STEP);
        assert_eq!(ages.now(&[NOW]), NOW.saturating_add(6 * HOUR));
    }

    #[test]
    fn a_jump_that_is_taken_back_has_had_no_effect() {
        let (clock, ages) = clock();
        ages.now(&[NOW]);
        for _ in 0..3 {
            clock.step(IN_2036);
            assert_eq!(ages.now(&[NOW]), NOW);
            clock.step(NOW);
            assert_eq!(ages.now(&[NOW]), NOW);
        }
    }

    #[test]
    fn a_jump_that_is_followed_by_another_begins_again() {
        let (clock, ages) = clock();
        ages.now(&[NOW]);
        clock.step(IN_2036);
        ages.now(&[NOW]);
        clock.advance(HOUR);
        clock.step(IN_2036.saturating_add(YEAR));
        let last = NOW.saturating_add(HOUR);
        assert_eq!(ages.now(&[last]), last);
    }

    #[test]
    fn a_start_a_year_after_the_last_line_is_doubted_and_a_later_one_is_not() {
        let clock = Arc::new(Manual::new(IN_2036));
        let ages = AgeClock::new(TimeSource::new(clock.clone()));
        assert_eq!(ages.now(&[NOW]), NOW);
        clock.advance(HOUR);
        assert_eq!(ages.now(&[NOW]), IN_2036.saturating_add(HOUR));
        let ages = AgeClock::new(TimeSource::new(clock));
        let yesterday = Timestamp::new(IN_2036.seconds() - 86_400, 0);
        assert_eq!(ages.now(&[yesterday]), IN_2036.saturating_add(HOUR));
    }

    #[test]
    fn a_jump_before_the_first_work_in_the_background_is_a_jump() {
        let (clock, ages) = clock();
        clock.step(NOW.saturating_add(40 * 24 * HOUR));
        assert_eq!(ages.now(&[NOW]), NOW);
    }

    #[test]
    fn a_start_in_a_wrong_year_without_a_file_does_not_make_that_year_right() {
        let clock = Arc::new(Manual::new(IN_2036));
        let ages = AgeClock::new(TimeSource::new(clock.clone()));
        assert_eq!(ages.now(&[]), IN_2036);
        // Right while the first line is written, and wrong again.
        assert_eq!(ages.now(&[NOW, IN_2036]), NOW);
    }

    #[test]
    fn a_start_in_a_wrong_year_is_not_measured_by_lines_that_are_written_later() {
        let clock = Arc::new(Manual::new(IN_2036));
        let ages = AgeClock::new(TimeSource::new(clock.clone()));
        // Right for a day, in which a line is written, and wrong again before the first work in the background.
        let tomorrow = NOW.saturating_add(24 * HOUR);
        clock.advance(24 * HOUR);
        clock.step(IN_2036);
        assert_eq!(ages.now(&[NOW, tomorrow, IN_2036]), tomorrow);
    }

    #[test]
    fn the_same_jump_twice_is_not_an_hour_in_which_the_clock_agreed() {
        let (clock, ages) = clock();
        let ahead = 40 * 24 * HOUR;
        clock.step(NOW.saturating_add(ahead));
        assert_eq!(ages.now(&[NOW]), NOW);
        // Right for a day, in which a line is written, and ahead again.
        let tomorrow = NOW.saturating_add(24 * HOUR);
        clock.advance(24 * HOUR);
        let written = [NOW, NOW.saturating_add(23 * HOUR)];
        assert_eq!(ages.now(&written), tomorrow);
        clock.advance(HOUR);
        assert_eq!(ages.now(&written), tomorrow.saturating_add(HOUR + ahead), "this time it has run on");
    }

    #[test]
    fn a_start_in_a_year_in_which_one_file_was_written_before_is_doubted() {
        let ages = || AgeClock::new(TimeSource::new(Arc::new(Manual::new(IN_2036.saturating_add(HOUR)))));
        let yesterday = Timestamp::new(NOW.seconds() - 86_400, 0);
        assert_eq!(ages().now(&[yesterday, NOW, IN_2036.saturating_add(STEP)]), NOW);
        assert_eq!(ages().now(&[IN_2036, NOW, IN_2036]), NOW, "the first one is from an earlier jump");
        assert_eq!(ages().now(&[IN_2036, NOW]), NOW);
        let later = IN_2036.saturating_add(HOUR);
        assert_eq!(ages().now(&[yesterday, NOW, IN_2036, later]), later, "the clock has run on for an hour");
    }
}
