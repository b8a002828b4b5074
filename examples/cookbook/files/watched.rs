//! A file that logrotate moves away: Python's `WatchedFileHandler`. By default the file checks its path once a second.

use std::fs;
use std::time::Duration;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Error, Output, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "watched-file", about: "a file that another program moves away", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    let [path, moved] = ["app.log", "app.log.moved"].map(|name| directory.path().join(name));
    // Checks before each line, as Python does.
    let file = sink::File::options().watch(Duration::ZERO).open(&path)?;
    logged(Output::new(Text::new().time(Time::none()), file), || {
        tracing::info!(target: "shop", "before");
        fs::rename(&path, &moved).unwrap_or_default();
        tracing::info!(target: "shop", "after");
    });
    Ok(format!("app.log.moved:{}app.log:      {}", fs::read_to_string(moved)?, fs::read_to_string(path)?))
}

const SHOWS: &str = "
app.log.moved: INFO shop: before
app.log:       INFO shop: after
";
