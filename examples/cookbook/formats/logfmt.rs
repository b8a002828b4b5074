//! Pairs of `key=value`, which people read and Loki and Vector parse. Python has structlog's `LogfmtRenderer`; in log4j2 a
//! PatternLayout can write them.

use tracing_handlers::format::{Logfmt, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Part, Severity};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "logfmt", about: "key=value, for people and for Loki", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let logfmt = Logfmt::new().time(Time::none()).rename(Part::Message, "msg");
    logged(Output::new(logfmt, memory.clone()).level(Severity::INFO), || {
        let _request = tracing::info_span!("request", id = 7).entered();
        tracing::info!(target: "shop", pieces = 3, customer = "Ada L.", "sold");
        // The line's own `level` does not change.
        tracing::warn!(target: "shop", level = "low", comment = "", "running out");
    });
    memory.text()
}

const SHOWS: &str = r#"
level=info target=shop msg=sold pieces=3 customer="Ada L." request.id=7
level=warn target=shop msg="running out" level_2=low comment= request.id=7
"#;
