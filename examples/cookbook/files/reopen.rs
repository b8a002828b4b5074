//! Another program has moved the log file away and notifies this one by a request or a command: all files open their paths again.
//! Python's `WatchedFileHandler.reopenIfNeeded`, on request.

use std::fs;
use std::time::Duration;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Error, Output, process, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "reopen", about: "files opened again on request", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    let (path, moved) = (directory.path().join("app.log"), directory.path().join("moved.log"));
    // By default the file checks once a second whether it has been moved.
    let output = Output::new(Text::new().time(Time::none()), sink::File::options().watch(None).open(&path)?);
    logged(output, || {
        tracing::info!(target: "shop", "one");
        fs::rename(&path, &moved).unwrap();
        tracing::info!(target: "shop", "two, before the request");
        process::reopen();
        // Not needed if lines follow: the flush reopens files that are not being written to.
        process::flush(Duration::from_secs(5)).unwrap();
        tracing::info!(target: "shop", "three");
    });
    Ok(format!("moved.log:\n{}app.log:\n{}", fs::read_to_string(moved)?, fs::read_to_string(path)?))
}

const SHOWS: &str = "
moved.log:
 INFO shop: one
 INFO shop: two, before the request
app.log:
 INFO shop: three
";
