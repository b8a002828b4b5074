//! A queue: logging threads only hand over records; one thread formats and writes them for all handlers behind it.
//!
//! ```text
//! cargo run --example 04_queue
//! ```

use std::time::{Duration, Instant};

use tracing::{Level, error, info};
use tracing_handlers::format::{Json, Text};
use tracing_handlers::sink::{File, Memory};
use tracing_handlers::{Output, Queue};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("app.jsonl");
    let errors = Memory::new();
    let layer = tracing_handlers::layer(Queue::new((
        Output::new(Json::new(), File::open(&path)?).name("everything"),
        Output::new(Text::compact(), errors.clone()).level(Level::ERROR).name("errors"),
    )));
    let handle = layer.handle();
    tracing_subscriber::registry().with(layer).init();

    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                (0..25_000).for_each(|number| info!(thread, number, "working"));
                error!(thread, "done, alas");
            });
        }
    });
    println!("100,004 records handed over in {:?}", start.elapsed());

    // This happens automatically at exit; here the program reads the file before that.
    handle.flush(Duration::from_secs(10))?;
    println!("and written after {:?}", start.elapsed());
    handle.stats().iter().for_each(|report| println!("{report}"));

    assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 100_004);
    assert_eq!(errors.lines().len(), 4);
    assert!(handle.stats().iter().all(|report| report.stats.balances() && report.stats.lost() == 0));
    Ok(())
}
