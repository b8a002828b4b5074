//! A line by a pattern, such as a configuration file may contain: log4j2's PatternLayout
//! (`%d{HH:mm:ss} %-5p %c{1} %X{request_id} - %m%n`). Columns are padded, and truncated on either side.

use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Pattern;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Output, RecordBuf, Severity};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "pattern", about: "lines by a pattern, in columns", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let pattern = "{time:%H:%M:%S%.3f} {level:<5} {target:>8.-8} {span.request_id|-} {message} {fields}";
    let output = Output::new(Pattern::new(pattern).expect("a pattern"), memory.clone());
    // Records with a fixed time, so that the output is always the same.
    let time = Timestamp::new(1_795_223_943, 123_456_789);
    let sold = RecordBuf::new(Severity::INFO, "shop::stock", "sold")
        .with_time(time)
        .with_span("request", [("request_id", "r-17".into())])
        .with_field("pieces", 3);
    let stopped = RecordBuf::new(Severity::ERROR, "shop", "the till does not open").with_time(time);
    for record in [sold, stopped] {
        output.handle(&record.as_record()).expect("memory has room");
    }
    memory.text()
}

const SHOWS: &str = "
01:19:03.123 INFO  p::stock r-17 sold pieces=3
01:19:03.123 ERROR     shop - the till does not open";
