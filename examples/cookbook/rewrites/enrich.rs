//! Adds fields to every record: Python's `LoggerAdapter` and filters that add, log4j2's `KeyValuePair` and `MapRewritePolicy`.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::Add;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "enrich", about: "a service's name and a number added to every record", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let number = AtomicU64::new(1);
    // There are also .host(), .pid() and .env("environment", "APP_ENV"), whose values differ between runs.
    let add = Add::new()
        .constant("service", "shop")
        .with(move |_record, fields| fields.push("number", number.fetch_add(1, Ordering::Relaxed)));
    logged(Rewriting::new(add, output), || {
        tracing::info!(target: "shop", pieces = 3, "sold");
        tracing::info!(target: "shop", service = "till", "closed");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop: sold pieces=3 service=shop number=1
 INFO shop: closed service=till number=2
";
