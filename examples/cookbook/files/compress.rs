//! Archives are compressed by a background thread. Python's cookbook does this with a `namer` and a `rotator`
//! ("Using a rotator and namer to customize log rotation processing"), log4j2 with `.gz` at the end of `filePattern`.

use std::time::Duration;

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::{self, Compression, Rotation};
use tracing_handlers::sink::File;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "compress", about: "compressed old files", make, shows: SHOWS };

fn make() -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let rotation = Rotation::size(100).keep(3).compression(Compression::gzip());
    let file = File::open(dir.path().join("app.log")).expect("it can be made").rotation(rotation);
    logged(Output::new(Text::new().time(Time::none()), file), || {
        (1..=10).for_each(|number| tracing::info!(number, "a sale that is worth a line of its own"));
    });
    // Only a program that processes the archives needs to wait for them.
    assert!(rotation::settle(Duration::from_secs(60)));
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.join("\n")
}

const SHOWS: &str = "
app.log
app.log.1.gz
app.log.2.gz
app.log.3.gz
";
