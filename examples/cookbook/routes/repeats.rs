//! Suppresses duplicates and reports their number: syslog's `last message repeated 41 times`, logback's `DuplicateMessageFilter`.

use std::time::Duration;

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Dedup;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "dedup", about: "repeated messages, logged once", make, shows: SHOWS };

fn make() -> String {
    let log = || {
        (0..42).for_each(|_| tracing::warn!(target: "printer", "no paper"));
        (0..2).for_each(|_| tracing::info!(target: "shop", "sold"));
        tracing::warn!(target: "printer", "no paper");
    };
    let (neighbours, remembered) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    logged(Dedup::new(output(&neighbours)), log);
    // Remembers the last hundred different messages, for five minutes each.
    logged(Dedup::new(output(&remembered)).distinct(100).window(Duration::from_secs(300)), log);
    format!("neighbours:\n{}remembered:\n{}", neighbours.text(), remembered.text())
}

const SHOWS: &str = "
neighbours:
 WARN printer: no paper
 WARN printer: last message repeated 41 times repeated=41
 INFO shop: sold
 INFO shop: last message repeated 1 time repeated=1
 WARN printer: no paper
remembered:
 WARN printer: no paper
 INFO shop: sold
 WARN printer: message repeated 42 times: no paper repeated=42
 INFO shop: message repeated 1 time: sold repeated=1
";
