//! Pauses between attempts.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Computes the pauses between attempts, which become longer with each failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) initial: Duration,
    pub(crate) factor: f64,
    pub(crate) max: Duration,
    /// The pause is randomly shortened by up to this fraction, so that parties that failed together do not retry together.
    pub(crate) jitter: f64,
}

impl Backoff {
    /// Returns the pause after `failed` failed attempts, counted from 1.
    pub(crate) fn pause(&self, failed: u32) -> Duration {
        let growth = self.factor.max(1.0).powi(i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX));
        let full = Duration::try_from_secs_f64(self.initial.as_secs_f64() * growth).unwrap_or(self.max).min(self.max);
        match self.jitter.clamp(0.0, 1.0) {
            0.0 => full,
            jitter => Duration::try_from_secs_f64(full.as_secs_f64() * (1.0 - jitter * chance())).unwrap_or(full),
        }
    }
}

/// A random number from 0 to 1. The seeds of std's hash maps are random enough for this.
fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_maximum_and_jitter_only_shortens_them() {
        let backoff =
            Backoff { initial: Duration::from_millis(100), factor: 3.0, max: Duration::from_secs(1), jitter: 0.0 };
        let pauses: Vec<_> = [1, 2, 3, 4, u32::MAX].map(|failed| backoff.pause(failed).as_millis()).into();
        assert_eq!(pauses, [100, 300, 900, 1_000, 1_000]);
        let backoff = Backoff { jitter: 0.5, ..backoff };
        let pauses: Vec<_> = (0..100).map(|_| backoff.pause(3)).collect();
        assert!(pauses.iter().all(|pause| (450..=900).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn settings_out_of_range_are_clamped() {
        let backoff = Backoff { initial: Duration::MAX, factor: f64::NAN, max: Duration::MAX, jitter: 9.0 };
        assert!(backoff.pause(7) <= Duration::MAX);
        let none = Backoff { initial: Duration::ZERO, factor: f64::INFINITY, max: Duration::ZERO, jitter: 0.0 };
        assert_eq!(none.pause(7), Duration::ZERO);
        let longest = Backoff { factor: 1.0, jitter: f64::MIN_POSITIVE, ..backoff };
        assert_eq!(longest.pause(7), Duration::MAX);
        let second = Duration::from_secs(1);
        assert_eq!(Backoff { max: second, jitter: f64::NAN, ..backoff }.pause(7), second);
    }
}
