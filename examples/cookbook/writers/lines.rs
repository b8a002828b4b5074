//! A library that writes its log to a file-like object: its lines become records, with the levels it writes in front of them.
//! Python's recipes have a `LoggerWriter` for this, log4j2 an `IoBuilder`.

use std::io::Write;

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::receive::{self, Lines};
use tracing_handlers::sink::Memory;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "lines", about: "lines that a library writes, as records", make, shows: SHOWS };

/// A library that writes lines.
fn print(log: &mut impl Write) -> std::io::Result<()> {
    write!(log, "warming up\r\nWARNING: low on ")?;
    write!(log, "toner\n[error] paper jam\n")?;
    write!(log, "3 pages left")
}

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let mut lines = Lines::new(output).target("printer").severity_of(receive::prefix);
    print(&mut lines).expect("lines take everything");
    // The last line has no line end: it becomes a record when the writer is dropped.
    drop(lines);
    memory.text()
}

const SHOWS: &str = "
 INFO printer: warming up
 WARN printer: low on toner
ERROR printer: paper jam
 INFO printer: 3 pages left
";
