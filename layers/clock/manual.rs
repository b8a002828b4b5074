use std::sync::Mutex;
use std::time::Duration;

use super::{Clock, Timestamp};

/// A clock for tests. Its time changes only by calls of its methods.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::clock::{Clock, Manual, Timestamp};
///
/// let clock = Manual::new(Timestamp::new(100, 0));
/// clock.advance(Duration::from_millis(1_500));
/// assert_eq!(clock.now(), Timestamp::new(101, 500_000_000));
/// ```
#[derive(Debug, Default)]
pub struct Manual(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    wall: Timestamp,
    /// The monotonic time: the wall clock without its steps.
    running: Timestamp,
}

impl Manual {
    /// Creates a clock with the time `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Hands { wall: now, running: now }))
    }

    /// Sets the wall clock and the monotonic time to `now`, which may be earlier.
    pub fn set(&self, now: Timestamp) {
        *crate::sync::lock(&self.0) = Hands { wall: now, running: now };
    }

    /// Moves the wall clock and the monotonic time forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = crate::sync::lock(&self.0);
        hands.wall = hands.wall.saturating_add(by);
        hands.running = hands.running.saturating_add(by);
    }

    /// Sets the wall clock to `now` without changing the monotonic time, as when the system's clock is set.
    ///
    /// ```
    /// use tracing_handlers::clock::{Clock, Manual, Timestamp};
    ///
    /// let clock = Manual::new(Timestamp::new(100, 0));
    /// let before = clock.monotonic();
    /// clock.step(Timestamp::new(7_300, 0));
    /// assert_eq!((clock.now().seconds(), clock.monotonic()), (7_300, before));
    /// ```
    pub fn step(&self, now: Timestamp) {
        crate::sync::lock(&self.0).wall = now;
    }
}

/// [`step`](Manual::step) does not affect the monotonic time.
impl Clock for Manual {
    fn now(&self) -> Timestamp {
        crate::sync::lock(&self.0).wall
    }

    fn monotonic(&self) -> Duration {
        let running = crate::sync::lock(&self.0).running;
        Duration::new(running.seconds().try_into().unwrap_or(0), running.nanos())
    }
}
