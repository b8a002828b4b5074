//! A backtrace, as `process::log_panics` logs one for each panic: on one line for machines, on several for people. log4j2's `%ex`,
//! Python's `Formatter.formatException`.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "backtrace", about: "a backtrace on one line, or on several", make, shows: SHOWS };

fn make() -> String {
    // As `std::backtrace::Backtrace` is displayed, but shorter.
    let backtrace = "   0: shop::sell\n             at ./src/shop.rs:7\n   1: shop::main\n";
    let memory = Memory::new();
    let text = || Text::new().time(Time::none());
    let one_line = Output::new(text(), memory.clone());
    let many = Output::new(text().backtrace_below(true), memory.clone());
    logged((one_line, many), || {
        tracing::error!(target: "panic", thread = "till", %backtrace, "panicked: no more stock");
    });
    memory.text()
}

const SHOWS: &str = r#"
ERROR panic: panicked: no more stock thread=till backtrace=   0: shop::sell\n             at ./src/shop.rs:7\n   1: shop::main\n
ERROR panic: panicked: no more stock thread=till
    backtrace:
           0: shop::sell
                     at ./src/shop.rs:7
           1: shop::main
"#;
