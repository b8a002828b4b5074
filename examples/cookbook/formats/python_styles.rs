//! Python's formats as written in a program or a `logging.conf`: `logging.Formatter(fmt, datefmt, style)` in its three styles, with
//! Python's level names and all attributes of its records.

use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Python;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Handler, Output, RecordBuf, Severity};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "python-styles", about: "logging.Formatter: %, { and $", make, shows: SHOWS };

fn make() -> String {
    formats().expect("formats that Python takes").into_iter().map(line).collect()
}

fn formats() -> Result<[Python; 3], Error> {
    Ok([
        Python::new('%', "%(asctime)s %(levelname)-8s %(name)s:%(lineno)d %(message)s")?,
        Python::new('{', "{asctime} {levelname:>8} {filename} {message!r}")?.datefmt("%d/%b/%Y %I:%M %p"),
        Python::new('$', "$asctime [${threadName}] $levelno $message")?.datefmt("%j"),
    ])
}

fn line(format: Python) -> String {
    let memory = Memory::new();
    // A record with a fixed time and position, so that the output is always the same.
    let record = RecordBuf::new(Severity::WARN, "shop.stock", "running out")
        .with_time(Timestamp::new(1_700_000_000, 999_900_000))
        .with_location("shop::stock", "src/stock.rs", 41)
        .with_thread("main", 1);
    Output::new(format, memory.clone()).handle(&record.as_record()).expect("memory has room");
    memory.text()
}

const SHOWS: &str = "
2023-11-14 22:13:20,999 WARNING  shop.stock:41 running out
14/Nov/2023 10:13 PM  WARNING stock.rs 'running out'
318 [main] 30 running out
";
