//! Reads a log back as one sequence of lines, from the oldest file to the live one, and reports gaps. loguru has
//! `logger.parse` for one file; Python and log4j2 have no equivalent.

use tracing_handlers::read::{Event, Reader};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "read-back", about: "all lines of a rotated log", make, shows: SHOWS };

fn make() -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("app.log");
    let files = [("app.log.4", "opened\n"), ("app.log.2", "sold 1\nsold 2\n"), ("app.log.1", "sold 3\n")];
    for (name, text) in files.into_iter().chain([("app.log", "sold 4\nsol")]) {
        std::fs::write(dir.path().join(name), text).expect("there is room");
    }
    let mut shown = String::new();
    for event in Reader::open(&path).expect("it is there") {
        match event {
            Event::Line(line) => shown += &format!("{}\n", line.text()),
            Event::Gap(gap) => shown += &format!("-- {gap}\n"),
            _ => {}
        }
    }
    shown.replace(&*format!("{}/", dir.path().display()), "")
}

const SHOWS: &str = "
opened
-- app.log.3: is missing
sold 1
sold 2
sold 3
sold 4
-- app.log: ends within line 2, after 3 bytes
";
