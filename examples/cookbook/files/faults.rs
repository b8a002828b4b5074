//! A file that cannot be written for a while: the disk is full, or the directory is gone. Python's `FileHandler` prints the
//! traceback of each record that it loses (`handleError`); log4j2's `ignoreExceptions="false"` throws to the caller.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::Output;
use tracing_handlers::clock::Manual;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::File;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "faults", about: "a file that cannot be written for a while", make, shows: SHOWS };

fn make() -> String {
    // The fault is reported once, to standard error by default.
    tracing_handlers::selflog::set(|_| ());
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("app.log");
    // Programs do not set a clock.
    let clock = Arc::new(Manual::default());
    // At most 60 bytes of lines wait in memory; a program would allow more.
    let file = File::options().hold(60).delay(true).retry_clock(clock.clone()).open(&path).expect("a file");
    logged(Output::new(Text::new().time(Time::none()), file), || {
        fs::create_dir(&path).expect("something in the way");
        tracing::info!(target: "shop", "one: held");
        tracing::info!(target: "shop", "two: held");
        tracing::info!(target: "shop", "three: no room to hold it");
        fs::remove_dir(&path).expect("out of the way");
        // Attempts are 50 ms apart at first, and at most a second.
        clock.advance(Duration::from_secs(1));
        tracing::info!(target: "shop", "four");
    });
    tracing_handlers::selflog::reset();
    fs::read_to_string(&path).expect("the log")
}

const SHOWS: &str = r#"
 INFO shop: one: held
 INFO shop: two: held
 WARN tracing_handlers: 1 record missing here: Is a directory lost=1 reason="Is a directory"
 INFO shop: four
"#;
