//! Logs the details of a request only if it was slow, in chronological order.

use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::ScopedBuffer;
use tracing_handlers::{Output, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "details-if-slow", about: "a request's DEBUG records, only if it was slow", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::clock()).target(false), memory.clone());
    let buffer = ScopedBuffer::new(output).slow(Duration::from_millis(500)).hold_all(true);
    // A clock that is advanced by hand, instead of the system's.
    let clock = Arc::new(Manual::new(Timestamp::EPOCH));
    let layer = tracing_handlers::layer(buffer).clock(clock.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for (id, millis) in [(1, 20), (2, 700)] {
            let _request = tracing::info_span!("request", id).entered();
            tracing::debug!("asking the database");
            clock.advance(Duration::from_millis(millis));
            tracing::info!("answered");
        }
    });
    memory.text()
}

const SHOWS: &str = "
00:00:00.020  INFO request{id=1}: answered
00:00:00.020 DEBUG request{id=2}: asking the database
00:00:00.720  INFO request{id=2}: answered
";
