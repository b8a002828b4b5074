//! The time of a model: it stands still until the clock, a thread of the model, moves it on to the next time-out.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::condvar::Waiter;

/// Time-outs further away than this never come, so that a thread that depends on one is reported as a deadlock.
const HORIZON: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Clock {
    elapsed: Duration,
    timers: Vec<(Duration, Arc<Waiter>)>,
    /// The clock's own thread, while it has nothing to wait for.
    idle: Option<Arc<Waiter>>,
    is_over: bool,
    is_running: bool,
}

// All threads of a model run on one thread of the system.
thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub fn now() -> Instant {
    CLOCK.with_borrow(|clock| if clock.is_running { *START + clock.elapsed } else { Instant::now() })
}

pub fn sleep(time: Duration) {
    let waiter = Waiter::new();
    wake_in(time, &waiter);
    waiter.wait();
}

pub(super) fn wake_in(time: Duration, waiter: &Arc<Waiter>) {
    let idle = CLOCK.with_borrow_mut(|clock| {
        let due = clock.elapsed.saturating_add(time);
        if due > HORIZON {
            return None;
        }
        clock.timers.push((due, waiter.clone()));
        clock.idle.take()
    });
    if let Some(idle) = idle {
        idle.wake();
    }
}

/// Called when something else has woken the waiter.
pub(super) fn forget(waiter: &Arc<Waiter>) {
    CLOCK.with_borrow_mut(|clock| clock.timers.retain(|(_, other)| !Arc::ptr_eq(other, waiter)));
}

pub(super) fn start() {
    CLOCK.set(Clock { is_running: true, ..Clock::default() });
}

pub(super) fn end() {
    let idle = CLOCK.with_borrow_mut(|clock| {
        clock.is_over = true;
        clock.idle.take()
    });
    if let Some(idle) = idle {
        idle.wake();
    }
}

/// Runs the clock's thread.
pub(super) fn run() {
    loop {
        let due = CLOCK.with_borrow_mut(Clock::advance);
        if due.is_empty() {
            let idle = Waiter::new();
            let is_over = CLOCK.with_borrow_mut(|clock| {
                clock.idle = Some(idle.clone());
                clock.is_over
            });
            if is_over {
                return;
            }
            idle.wait();
        }
        due.iter().for_each(|waiter| waiter.wake_along());
        shuttle::thread::yield_now();
    }
}

impl Clock {
    /// Moves on to the next time-out, and returns all that are due then.
    fn advance(&mut self) -> Vec<Arc<Waiter>> {
        let Some(next) = self.timers.iter().map(|(due, _)| *due).min() else { return Vec::new() };
        self.elapsed = self.elapsed.max(next);
        let elapsed = self.elapsed;
        self.timers.extract_if(.., |(due, _)| *due <= elapsed).map(|(_, waiter)| waiter).collect()
    }
}
