//! A custom regular expression in addition to the built-in patterns: log4j2's `%replace{…}{regex}{…}`.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{Detector, Redact};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "redact-own-patterns", about: "a regular expression selects what is masked", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let redact =
        Redact::detectors([Detector::Email]).regex(r"\bEMP-\d{6}\b").expect("a good expression").mask("[gone]");
    logged(Rewriting::new(redact, output), || {
        tracing::info!(target: "door", badge = "EMP-123456", "ada@example.org let EMP-654321 in");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO door: [gone] let [gone] in badge=[gone]
";
