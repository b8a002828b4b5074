//! Filters.

mod chain;
mod directives;
mod env_filter;
mod fields;
mod first;
mod hours;
mod level_by;
mod name;
mod patterns;
mod rate;
mod sample;
mod switched;
mod told;

use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Handler;
use tracing_handlers::{Output, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    name::RECIPE,
    fields::RECIPE,
    patterns::RECIPE,
    level_by::RECIPE,
    directives::RECIPE,
    env_filter::RECIPE,
    switched::RECIPE,
    chain::RECIPE,
    sample::RECIPE,
    first::RECIPE,
    rate::RECIPE,
    hours::RECIPE,
    told::RECIPE,
];

/// Returns an output of short lines, and the memory it writes to.
fn lines() -> (Memory, Output<Text, Memory>) {
    let memory = Memory::new();
    (memory.clone(), Output::new(Text::new().time(Time::none()), memory))
}

/// Runs `log` with a clock that is at 2026-11-20 (a Friday), 12:00 UTC, until `log` advances it.
fn logged_by(handler: impl Handler, log: impl FnOnce(&dyn Fn(Duration))) {
    let clock = Arc::new(Manual::new(Timestamp::new(1_795_176_000, 0)));
    let layer = tracing_handlers::layer(handler).clock(clock.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || log(&|by| clock.advance(by)));
}
