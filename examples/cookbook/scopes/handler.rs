//! A handler that is installed while a closure runs. Python's cookbook: "Using a context manager for selective logging".

use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Output, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "handler-for-a-while", about: "a handler while a closure runs", make, shows: SHOWS };

fn make() -> String {
    let (usual, extra) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    let layer = tracing_handlers::layer(output(&usual).level(tracing::Level::INFO));
    let handle = layer.handle();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::debug!("before");
        // `handle.add(…)` instead returns a guard, and applies to all threads.
        handle.with(output(&extra), || {
            tracing::debug!("in it");
            tracing::info!("in it, for both");
        });
        tracing::debug!("after");
    });
    format!("usual:\n{}extra:\n{}", usual.text(), extra.text())
}

const SHOWS: &str = "
usual:
 INFO in it, for both
extra:
DEBUG in it
 INFO in it, for both
";
