//! A service that reacts to signals. SIGTERM and Ctrl-C deliver pending records before they end the process. SIGHUP, which
//! logrotate's `postrotate` script sends after it has moved the log file away, reopens the file. Python's `WatchedFileHandler`
//! checks the file before each line instead; `logging` does nothing on a signal.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Error, Output, process, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "signals", about: "signals that flush and reopen", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    process::flush_on_termination()?;
    process::reopen_on_hangup()?;

    let directory = tempfile::tempdir()?;
    let (path, moved) = (directory.path().join("app.log"), directory.path().join("app.log.1"));
    // By default the file checks once a second whether it has been moved.
    let output = Output::new(Text::new().time(Time::none()), sink::File::options().watch(None).open(&path)?);
    logged(output, || {
        tracing::info!(target: "shop", "opened");
        // As logrotate does.
        fs::rename(&path, &moved).unwrap();
        let hangup = Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status();
        assert!(hangup.is_ok_and(|status| status.success()));
        // A thread also reopens files that are not being written to.
        while !path.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        tracing::info!(target: "shop", "sold");
    });
    Ok(format!("app.log.1:{}app.log:  {}", fs::read_to_string(moved)?, fs::read_to_string(path)?))
}

const SHOWS: &str = "
app.log.1: INFO shop: opened
app.log:   INFO shop: sold
";
