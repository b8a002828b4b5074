//! Limits old files by number, age, and bytes of one or several logs, and shows which would be removed now. log4j2's `Delete` action
//! with `IfLastModified`, `IfAccumulatedFileSize` and `testMode`.

use std::fs;
use std::time::{Duration, SystemTime};

use tracing_handlers::Error;
use tracing_handlers::rotation::Rotation;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "retention", about: "which old files are removed", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    for (name, days) in [("app.log", 0), ("app.log.1", 1), ("app.log.2", 2), ("app.log.3", 40), ("app.log.3.notes", 40)]
    {
        let path = directory.path().join(name);
        fs::write(&path, [b'x'; 1_000])?;
        let changed = SystemTime::now() - Duration::from_secs(days * 86_400);
        fs::File::options().write(true).open(path)?.set_modified(changed)?;
    }
    let rotation: Rotation = "daily or 100 MB, keep 30, max age 30 days, max total 2 kB".parse()?;
    let plan =
        rotation.naming(tracing_handlers::rotation::Naming::numbered()).plan(directory.path().join("app.log"))?;
    let line = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(plan.iter().map(|removal| format!("{}: {}\n", line(&removal.path), removal.reason)).collect())
}

const SHOWS: &str = "
app.log.3: age
app.log.2: total bytes
";
