//! Many records share a sync: each line is on the disk within a delay, together with its neighbors (5 to 20 ms are reasonable; here
//! it is an hour, so that nothing happens on its own). Errors are on the disk when the call returns, and all lines when a flush
//! returns. Databases call it group commit; neither log4j2 nor Python has it.

use std::time::{Duration, Instant};

use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::{Durability, File};
use tracing_handlers::{Handler, Output, RecordBuf, Severity};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "group-commit", about: "one sync for many records", make, shows: SHOWS };

fn make() -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let file = File::options()
        .durability(Durability::Grouped(Duration::from_secs(3600)))
        .sync_after(Severity::ERROR)
        .open(dir.path().join("app.log"))
        .expect("it can be made");
    let output = Output::new(Text::new().time(Time::none()), file);
    let log = |severity, message: &str| {
        output.handle(&RecordBuf::new(severity, "shop", message).as_record()).expect("the disk works");
        let stats = output.stats()[0].stats;
        format!("{message}: {} on the disk, {} on the way\n", stats.delivered, stats.pending)
    };
    let mut shown = log(Severity::INFO, "sold");
    shown += &log(Severity::INFO, "sold again");
    shown += &log(Severity::ERROR, "out of stock");
    shown += &log(Severity::INFO, "closing");
    output.flush(Instant::now() + Duration::from_secs(5)).expect("in time");
    let stats = output.stats()[0].stats;
    format!("{shown}flushed: {} on the disk, {} on the way\n", stats.delivered, stats.pending)
}

const SHOWS: &str = "
sold: 0 on the disk, 1 on the way
sold again: 0 on the disk, 2 on the way
out of stock: 3 on the disk, 0 on the way
closing: 3 on the disk, 1 on the way
flushed: 4 on the disk, 0 on the way
";
