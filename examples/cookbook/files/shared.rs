//! Several processes write one rotating file: "Logging to a single file from multiple processes" in Python's cookbook, without a
//! listener. Here, two files represent two processes.

use std::fs;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Handler;
use tracing_handlers::rotation::Rotation;
use tracing_handlers::{Error, Output, RecordBuf, Severity, sink};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "shared-file", about: "one file for several processes", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("app.log");
    let output = || -> Result<_, Error> {
        let file = sink::File::options().shared(true).rotation(Rotation::size(40).keep(5)).open(&path)?;
        Ok(Output::new(Text::new().time(Time::none()), file))
    };
    let (one, other) = (output()?, output()?);
    for number in 0..2 {
        one.handle(&RecordBuf::new(Severity::INFO, "one", &format!("line {number}")).as_record())?;
        other.handle(&RecordBuf::new(Severity::INFO, "other", &format!("line {number}")).as_record())?;
    }
    let old = fs::read_to_string(directory.path().join("app.log.1"))?;
    Ok(format!("{old}--\n{}", fs::read_to_string(path)?))
}

const SHOWS: &str = "
 INFO one: line 0
 INFO other: line 0
--
 INFO one: line 1
 INFO other: line 1
";
