//! Lines of other code go through the layer's handle to all of its handlers, in order with tracing's events.

use std::io::Write;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::receive::Lines;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Severity};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "pipeline", about: "lines among the events of tracing", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let layer = tracing_handlers::layer(Output::new(Text::new().time(Time::none()), memory.clone()));
    let mut lines = Lines::new(layer.handle()).target("legacy").severity(Severity::NOTICE);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(target: "shop", "opened");
        writeln!(lines, "the old till is ready").expect("lines take everything");
        tracing::info!(target: "shop", "sold");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop: opened
NOTICE legacy: the old till is ready
 INFO shop: sold
";
