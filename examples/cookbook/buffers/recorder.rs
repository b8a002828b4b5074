//! A flight recorder: the last records before an ERROR, however long the program has run without one. Python's `MemoryHandler`
//! writes all of its records when it is full; `ring` drops the oldest instead.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Buffer, Handler};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Severity};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "recorder", about: "the last records before a failure", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let buffer = Buffer::new(output).ring(true).capacity(3).flush_at(Severity::CRITICAL).flush_on_close(false);
    let buffer = std::sync::Arc::new(buffer);
    logged(buffer.clone(), || {
        (1..=1_000).for_each(|step| tracing::trace!(target: "engine", step));
        tracing_handlers::critical!(target: "engine", "no oil");
        tracing::trace!(target: "engine", "cooling down");
    });
    format!("{}{}\n", memory.text(), buffer.stats()[0])
}

const SHOWS: &str = "
TRACE engine: step=998
TRACE engine: step=999
TRACE engine: step=1000
CRITICAL engine: no oil
buffer: accepted 1002, delivered 4, dropped 997 (oldest, to make room 997), failed 0, pending 1
";
