//! What the loggers behind the `log` crate have in common: its macros, with key-values.

use std::hint::black_box;
use std::ops::Range;

use super::Running;
use crate::event::{Call, Level, Logger, TARGET, Values};
use crate::scenario::{Scenario, Spans, Task};

/// The logger is installed; `drain` empties it.
pub fn running(scenario: &Scenario, drain: impl FnOnce() + 'static) -> Running {
    log::set_max_level(if scenario.writes() { log::LevelFilter::Trace } else { log::LevelFilter::Info });
    Running { logger: Box::new(Log), drain: Box::new(drain) }
}

/// They have no spans and no other layers.
pub fn serves(scenario: &Scenario) -> bool {
    scenario.spans == Spans::None && matches!(scenario.task, Task::Events | Task::Off)
}

struct Log;

impl Logger for Log {
    fn log(&self, call: Call, numbers: Range<u64>) {
        match call {
            Call::Event | Call::Span => numbers.for_each(event),
            Call::Mixed => numbers.for_each(mixed),
            Call::Off => numbers.for_each(off),
        }
    }

    fn in_spans(&self, _: u64, work: &mut dyn FnMut()) {
        work();
    }
}

macro_rules! log_at {
    ($level:expr, $number:expr) => {{
        let Values { number, bytes, price, article, paid } = Values::of($number);
        log::log!(
            target: TARGET, $level, bytes, price, article, paid;
            "the customer took article number {number} from the second shelf"
        );
    }};
}

#[inline(never)]
fn event(number: u64) {
    log_at!(log::Level::Info, number);
}

#[inline]
fn mixed(number: u64) {
    match Level::of(number) {
        Level::Debug => log_at!(log::Level::Debug, number),
        Level::Info => log_at!(log::Level::Info, number),
        Level::Warn => log_at!(log::Level::Warn, number),
        Level::Error => log_at!(log::Level::Error, number),
    }
}

#[inline(never)]
fn off(number: u64) {
    log::debug!(target: TARGET, number = black_box(number); "counted");
}
