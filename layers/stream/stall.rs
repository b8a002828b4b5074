use std::io;
use std::time::{Duration, Instant};

use crate::sync::now;

/// Whether a stream is being read from, and how long a write to it may wait.
///
/// A write that waits in vain for as long as the patience makes the stream *stalled*: further ones fail at once, except for one after
/// each pause, which does not wait. When one of these succeeds, the patience grows back slowly, so that a reader that stalls again and
/// again holds up its writers for no more than about a tenth of the time.
#[derive(Debug)]
pub(super) struct Stall {
    patience: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Works,
    /// Fails at once until `next`, the end of a `pause`.
    Stalled {
        next: Instant,
        pause: Duration,
    },
    /// Works again, since then.
    Recovers(Instant),
}

impl Stall {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { patience, state: State::Works }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Returns how long a write may wait, or the error with which it fails at once. The patience of a caller `in_background` is
    /// always whole, once the stream works.
    #[inline]
    pub(super) fn admit(&mut self, in_background: bool) -> io::Result<Duration> {
        match self.state {
            State::Works => Ok(self.patience),
            _ => self.admit_with_care(in_background),
        }
    }

    #[cold]
    fn admit_with_care(&mut self, in_background: bool) -> io::Result<Duration> {
        match self.state {
            State::Stalled { next, .. } if now() < next => Err(stalled()),
            State::Stalled { .. } => Ok(Duration::ZERO),
            State::Recovers(since) => {
                let regained = now().duration_since(since) / REGAINED_IN;
                if regained >= self.patience {
                    self.state = State::Works;
                }
                let least = self.patience / LEAST;
                Ok(if in_background { self.patience } else { regained.clamp(least, self.patience) })
            }
            State::Works => Ok(self.patience),
        }
    }

    /// Called when a write has waited in vain. After some progress, the next attempt is made early.
    #[cold]
    pub(super) fn timed_out(&mut self, progressed: bool) {
        let pause = match self.state {
            State::Stalled { pause, .. } if !progressed => (2 * pause).min(LONGEST_PAUSE),
            _ => FIRST_PAUSE,
        };
        self.state = State::Stalled { next: now() + pause, pause };
    }

    /// Called when a write has returned in time.
    #[inline]
    pub(super) fn works(&mut self) {
        if let State::Stalled { .. } = self.state {
            self.state = State::Recovers(now());
        }
    }
}

pub(super) fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it is stalled: nothing is being read from it")
}

/// The pause before the first attempt, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After a stall the patience is whole again after this many times its length,
const REGAINED_IN: u32 = 10;
/// and at least this fraction of it.
const LEAST: u32 = 100;

#[cfg(all(test, not(tracing_handlers_models)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Lets time pass.
    fn pass(stall: &mut Stall, time: Duration) {
        let earlier = |at: Instant| at.checked_sub(time).expect("the clock has run for some time");
        stall.state = match stall.state {
            State::Works => State::Works,
            State::Stalled { next, pause } => State::Stalled { next: earlier(next), pause },
            State::Recovers(since) => State::Recovers(earlier(since)),
        };
    }

    #[test]
    fn after_a_time_out_writes_fail_at_once_and_attempts_become_rarer() {
        let mut stall = Stall::new(SECOND);
        assert_eq!(stall.admit(false).unwrap(), SECOND);
        stall.timed_out(false);
        for pause in [50, 100, 200, 400, 800, 1_000, 1_000] {
            let error = stall.admit(false).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            pass(&mut stall, Duration::from_millis(pause / 2));
            assert!(stall.admit(false).is_err(), "too early: {pause}");
            pass(&mut stall, Duration::from_millis(pause / 2));
            assert_eq!(stall.admit(false).unwrap(), Duration::ZERO);
            stall.timed_out(false);
        }
        stall.timed_out(true);
        pass(&mut stall, FIRST_PAUSE);
        assert_eq!(stall.admit(false).unwrap(), Duration::ZERO, "some progress is reason to try again soon");
    }

    #[test]
    fn a_caller_in_the_background_fails_at_once_too() {
        let mut stall = Stall::new(SECOND);
        stall.timed_out(false);
        assert!(stall.admit(true).is_err());
    }

    #[test]
    fn after_a_stall_the_patience_grows_back() {
        let mut stall = Stall::new(SECOND);
        stall.timed_out(false);
        pass(&mut stall, FIRST_PAUSE);
        stall.works();
        assert!(stall.admit(false).unwrap() < SECOND / 50);
        assert_eq!(stall.admit(true).unwrap(), SECOND);
        pass(&mut stall, 5 * SECOND);
        assert!((SECOND / 2..SECOND).contains(&stall.admit(false).unwrap()));
        pass(&mut stall, 5 * SECOND);
        assert_eq!(stall.admit(false).unwrap(), SECOND);
    }
}
