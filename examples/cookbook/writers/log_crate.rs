//! A library that logs through the `log` crate. Its records become events, with their target, their place in the source, and their
//! key-values, which keep their types. `tracing_handlers::init` does that by itself (`examples/07_log_crate.rs`); here, the
//! program has a registry, and one line more. `tracing_log::LogTracer` would lose the key-values.

use tracing_handlers::Output;
use tracing_handlers::format::{Json, Time};
use tracing_handlers::sink::Memory;
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "log-crate", about: "records of the log crate, with key-values", make, shows: SHOWS };

/// A library that does not know tracing.
fn sell(pieces: u32) {
    log::info!(target: "shop", pieces = pieces, price = 9.5; "sold");
    if pieces > 2 {
        log::warn!(target: "shop", "few are left");
    }
}

fn make() -> String {
    // The line. It comes before the subscriber.
    tracing_handlers::bridge_log().expect("no other logger is installed");

    let memory = Memory::new();
    let output = Output::new(Json::new().time(Time::none()), memory.clone());
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
    // For a whole program: `tracing::subscriber::set_global_default(subscriber)`. Tracing-subscriber's `init` would
    // install a LogTracer too, which fails.
    tracing::subscriber::with_default(subscriber, || {
        let _request = tracing::info_span!("request", id = 7).entered();
        sell(3);
    });
    memory.text()
}

const SHOWS: &str = r#"
{"level":"INFO","target":"shop","message":"sold","pieces":3,"price":9.5,"spans":[{"name":"request","id":7}]}
{"level":"WARN","target":"shop","message":"few are left","spans":[{"name":"request","id":7}]}
"#;
