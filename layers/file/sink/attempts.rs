use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::clock::Backoff;
use crate::clock::{Clock, System};

/// Delays attempts on a file that could not be written: on a full disk, or in a missing directory, an attempt for each record
/// would cost several system calls.
#[derive(Debug)]
pub(super) struct Attempts {
    timer: Timer,
    /// How many attempts have failed in a row.
    failed: u32,
    not_before: Duration,
    /// The last error.
    error: Option<Error>,
}

impl Attempts {
    pub(super) fn new(timer: Timer) -> Self {
        Self { timer, failed: 0, not_before: Duration::ZERO, error: None }
    }

    /// Whether the last attempt failed.
    #[inline]
    pub(super) fn are_failing(&self) -> bool {
        self.error.is_some()
    }

    /// Returns the last error while it is too early for another attempt.
    #[inline]
    pub(super) fn put_off(&self) -> Option<Error> {
        let error = self.error.as_ref()?;
        (self.timer.0.monotonic() < self.not_before).then(|| error.again())
    }

    /// Lets the next attempt be made at once.
    pub(super) fn hurry(&mut self) {
        self.not_before = Duration::ZERO;
    }

    #[cold]
    pub(super) fn failed(&mut self, error: &Error) {
        self.failed = self.failed.saturating_add(1);
        self.not_before = self.timer.0.monotonic().saturating_add(PAUSES.pause(self.failed));
        self.error = Some(error.again());
    }

    #[inline]
    pub(super) fn succeeded(&mut self) {
        if self.are_failing() {
            (self.failed, self.error) = (0, None);
        }
    }
}

/// The time source for the pauses.
#[derive(Clone)]
pub(super) struct Timer(Arc<dyn Clock>);

impl Timer {
    pub(super) fn new(clock: impl Clock) -> Self {
        Self(Arc::new(clock))
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self::new(System)
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}

/// Without jitter: a file is not a server that many clients could return to at once.
const PAUSES: Backoff =
    Backoff { initial: Duration::from_millis(50), factor: 2.0, max: Duration::from_secs(1), jitter: 0.0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::clock::Manual;

    #[test]
    fn pauses_double_from_50_ms_to_a_second_and_start_over_after_a_success() {
        let clock = Arc::new(Manual::default());
        let mut attempts = Attempts::new(Timer::new(clock.clone()));
        let error = Error::new(ErrorKind::Io, "on purpose");
        let pause_after_failure = |attempts: &mut Attempts| {
            attempts.failed(&error);
            let mut pause = 0;
            while attempts.put_off().is_some() {
                clock.advance(Duration::from_millis(1));
                pause += 1;
            }
            pause
        };
        let pauses: Vec<_> = (0..7).map(|_| pause_after_failure(&mut attempts)).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_000, 1_000]);
        attempts.succeeded();
        assert!(!attempts.are_failing());
        assert_eq!(pause_after_failure(&mut attempts), 50);
        attempts.failed(&error);
        attempts.hurry();
        assert!(attempts.are_failing() && attempts.put_off().is_none());
    }
}
