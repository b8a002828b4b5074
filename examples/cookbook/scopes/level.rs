//! A level that is changed at run time: for a closure, for a limited time, or permanently. Serilog's LoggingLevelSwitch; in Python
//! `logger.setLevel` and the cookbook's context manager.

use std::time::Duration;

use tracing::Level;
use tracing_handlers::filter::LevelSwitch;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Output, sink::Memory};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "level-for-a-while", about: "a level for a closure, or for a limited time", make, shows: SHOWS };

fn make() -> String {
    let (level, memory) = (LevelSwitch::new(Level::INFO), Memory::new());
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    logged(output.filter(level.clone()), || {
        tracing::debug!("before");
        level.with(Level::DEBUG, || tracing::debug!("in the closure, on this thread"));
        tracing::debug!("after");

        level.set_for(Level::DEBUG, Duration::from_millis(500)).expect("a thread can be started");
        tracing::debug!("for half a second");
        while level.level() != Level::INFO.into() {
            std::thread::sleep(Duration::from_millis(1));
        }
        tracing::debug!("afterwards");
    });
    memory.text()
}

const SHOWS: &str = "
DEBUG in the closure, on this thread
DEBUG for half a second
";
