//! Human-readable lines: colored on a terminal, plain in a pipe or a file.
//!
//! ```text
//! cargo run --example 01_console
//! ```

use tracing::{Level, error, info, info_span};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::{Console, Memory};
use tracing_handlers::{Output, Severity};
use tracing_subscriber::prelude::*;

fn main() {
    let memory = Memory::new();
    let layer = tracing_handlers::layer((
        // Errors to standard error, the rest to standard output.
        Output::new(Text::compact(), Console::split(Severity::ERROR)).level(Level::INFO),
        // The same records in memory, for the assertion below.
        Output::new(Text::new().time(Time::none()), memory.clone()).level(Level::INFO),
    ));
    tracing_subscriber::registry().with(layer).init();

    let _request = info_span!("request", user = "mia").entered();
    info!(pieces = 3, "sold");
    error!(name = "one\ntwo \x1b[31mred", "what a user typed stays on its line and colors nothing");

    assert_eq!(
        memory.lines(),
        [
            " INFO request{user=mia}: 01_console: sold pieces=3",
            concat!(
                "ERROR request{user=mia}: 01_console: what a user typed stays on its line and colors nothing ",
                r#"name="one\ntwo \x1b[31mred""#
            ),
        ]
    );
}
