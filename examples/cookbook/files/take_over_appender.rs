//! From tracing-appender: the files that `rolling::daily` left, and a rotation that continues today's, counts old and new ones
//! together, and limits their size as well.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tracing_handlers::Output;
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::{MIB, Rotation, Schedule};
use tracing_handlers::sink::File;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "take-over-appender", about: "a directory that tracing-appender left", make, shows: SHOWS };

fn make() -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // As `tracing_appender::rolling::daily(dir, "app.log")` names its files.
    for day in 26..=30 {
        let name = dir.path().join(format!("app.log.2026-11-{day}"));
        std::fs::File::create(name).and_then(|mut file| writeln!(file, " INFO shop: old, {day}")).expect("a new file");
    }
    let clock = Arc::new(Manual::new(Timestamp::new(1_796_072_700, 0))); // 2026-11-30T21:05:00Z
    let rotation = Rotation::tracing_appender(Schedule::daily(), "app.log", "").expect("a plain name");
    let rotation = rotation.or_size(100 * MIB).keep(3).clock(clock.clone());
    let path = dir.path().join("app.log");
    let file = File::options().rotation(rotation).open(&path).expect("the directory can be written to");
    logged(Output::new(Text::new().time(Time::none()), file), || {
        tracing::info!(target: "shop", "today");
        clock.advance(Duration::from_secs(24 * 60 * 60));
        tracing::info!(target: "shop", "tomorrow");
    });
    let mut names: Vec<_> = std::fs::read_dir(dir.path()).expect("it is there").flatten().collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    let mut shown = String::new();
    for entry in names {
        let text = std::fs::read_to_string(entry.path()).expect("a text file");
        let link = std::fs::read_link(entry.path()).map_or(String::new(), |to| format!(" -> {}", to.display()));
        shown += &format!("{}{link}\n{text}", entry.file_name().display());
    }
    shown
}

const SHOWS: &str = "
app.log -> app.log.2026-12-01
 INFO shop: tomorrow
app.log.2026-11-28
 INFO shop: old, 28
app.log.2026-11-29
 INFO shop: old, 29
app.log.2026-11-30
 INFO shop: old, 30
 INFO shop: today
app.log.2026-12-01
 INFO shop: tomorrow
";
