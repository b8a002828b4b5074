//! Lowers the severity of a noisy library and raises that of slow requests: log4j2's `LoggerNameLevelRewritePolicy`.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{SetSeverity, only};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Severity, Value, filter};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "relevel", about: "other severities for a library", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone()).level(Severity::INFO);
    let rewrite = (
        only(filter::targets(["chatty"]), SetSeverity::to(Severity::DEBUG)),
        SetSeverity::with(|record| match record.field("ms") {
            Some(Value::I64(500..) | Value::U64(500..)) => Some(Severity::WARN),
            _ => None,
        }),
    );
    logged(Rewriting::new(rewrite, output), || {
        tracing::info!(target: "chatty::pool", "connection reused");
        tracing::info!(target: "shop", ms = 12, "answered");
        tracing::info!(target: "shop", ms = 731, "answered");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop: answered ms=12
 WARN shop: answered ms=731
";
