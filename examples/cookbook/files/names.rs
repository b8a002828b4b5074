//! The names of rotated files: numbered, dated, and with the live file under its final name. log4j2's `filePattern`, `fileIndex` and
//! `DirectWriteRolloverStrategy`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::{Naming, Rotation, Schedule};
use tracing_handlers::{Error, sink};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "rotation-names", about: "what old files are called", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let daily = || Rotation::schedule(Schedule::daily()).or_size(8);
    let namings = [
        ("numbered", daily().naming(Naming::numbered())),
        ("oldest first", daily().naming(Naming::numbered_oldest_first())),
        ("dated", daily()),
        ("live", daily().naming(Naming::dated("%Y%m%d")?.before_extension(true).live(true))),
    ];
    namings.into_iter().map(|(name, rotation)| Ok(format!("{name}: {}\n", files(rotation)?))).collect()
}

/// Two lines on one day, one on the next.
fn files(rotation: Rotation) -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    let clock = Arc::new(Manual::new(Timestamp::new(1_795_255_200, 0))); // 2026-11-21T10:00:00Z
    let mut file = sink::File::open(directory.path().join("app.log"))?.rotation(rotation.clock(clock.clone()));
    file.write_all(b"line 1\n")?;
    file.write_all(b"line 2\n")?;
    clock.advance(Duration::from_secs(86_400));
    file.write_all(b"line 3\n")?;
    Ok(list(directory.path())?.join(", "))
}

fn list(directory: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

const SHOWS: &str = "
numbered: app.log, app.log.1, app.log.2
oldest first: app.log, app.log.1, app.log.2
dated: app.log, app.log.2026-11-21, app.log.2026-11-21.1
live: app.20261121.1.log, app.20261121.log, app.20261122.log, app.log
";
