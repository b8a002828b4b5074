//! Severities between tracing's levels, set by macros and by the field `severity`, including a custom one. The field remains.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Severity, critical, notice};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "severity", about: "notice!, critical!, custom severities", make, shows: SHOWS };

fn make() -> String {
    Severity::define("audit", 11).expect("a free name");
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone()).level(Severity::NOTICE);
    logged(output, || {
        tracing::info!(target: "shop", "sold");
        notice!(target: "shop", left = 0, "sold out");
        tracing::info!(target: "shop", severity = "audit", user = "ada", "price changed");
        critical!(target: "shop", "the till is open");
    });
    memory.text()
}

const SHOWS: &str = "
NOTICE shop: sold out left=0
AUDIT shop: price changed severity=audit user=ada
CRITICAL shop: the till is open
";
