//! Waiting for a condition, by polling. Tests do not sleep for time to pass: `tests/main/waits.rs` refuses every other sleep.

#![allow(dead_code, reason = "each binary with tests uses some of this")]

use std::time::{Duration, Instant};

/// Enough for anything that is not stuck, even on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline for anything that is not stuck.
pub fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Waits until the condition holds. Another thread or process makes it true; if none does in time, this panics.
#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(within(PATIENCE, condition), "waited in vain: {what}");
}

/// Waits until the condition holds, at most for `time`; returns whether it does.
pub fn within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    poll(time, || condition().then_some(())).is_some()
}

/// Waits for a value, at most for `time`. The pauses between two looks grow to 5 ms.
pub fn poll<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(50);
    loop {
        let left = time.saturating_sub(start.elapsed());
        let found = look();
        if found.is_some() || left.is_zero() {
            return found;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}
