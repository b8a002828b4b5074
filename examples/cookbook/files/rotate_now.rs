//! Rotates all rotating files of the process on request, whatever their sizes: before a release, or at the start of a run. Python's
//! `doRollover()`, log4j2's `OnStartupTriggeringPolicy`.

use std::fs;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::{MIB, Rotation};
use tracing_handlers::{Error, Output, process, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "rotate-now", about: "files rotated on request", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("app.log");
    let file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB).keep(5));
    logged(Output::new(Text::new().time(Time::none()), file), || {
        tracing::info!(target: "shop", "version 1");
        process::rotate();
        tracing::info!(target: "shop", "version 2");
    });
    let old = fs::read_to_string(directory.path().join("app.log.1"))?;
    Ok(format!("app.log.1:{old}app.log:  {}", fs::read_to_string(path)?))
}

const SHOWS: &str = "
app.log.1: INFO shop: version 1
app.log:   INFO shop: version 2
";
