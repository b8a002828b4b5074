//! The rules of Python's `TimedRotatingFileHandler`: when it rolls, what the old file is called, and which old files are removed.

use std::fmt::Write as _;

use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Time;
use tracing_handlers::rotation::python::TimedRotating;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "python-timed", about: "the rules of TimedRotatingFileHandler", make, shows: SHOWS };

fn make() -> String {
    let begun = Timestamp::new(1_700_000_000, 0); // 2023-11-14T22:13:20Z, a Tuesday
    let mut shown = String::new();
    for when in ["S", "M", "H", "D", "midnight", "W0", "W6"] {
        let rule = TimedRotating::new(when).expect("one of Python's");
        let deadline = rule.deadline(begun);
        let time = Time::rfc3339().precision(0).text(deadline);
        writeln!(shown, "{when:<9}{time} app.log.{}", rule.suffix(deadline)).expect("a string takes all");
    }
    let noon = TimedRotating::new("midnight").and_then(|rule| rule.at_time("12:00")).expect("a time of day");
    let names = ["app.log", "app.log.2023-11-12", "app.log.2023-11-13", "app.log.2023-11-11", "app.log.old"];
    let surplus = noon.backup_count(1).surplus("app.log", names);
    shown + &format!("too many: {surplus:?}")
}

const SHOWS: &str = r#"
S        2023-11-14T22:13:21Z app.log.2023-11-14_22-13-20
M        2023-11-14T22:14:20Z app.log.2023-11-14_22-13
H        2023-11-14T23:13:20Z app.log.2023-11-14_22
D        2023-11-15T22:13:20Z app.log.2023-11-14
midnight 2023-11-15T00:00:00Z app.log.2023-11-14
W0       2023-11-21T00:00:00Z app.log.2023-11-14
W6       2023-11-20T00:00:00Z app.log.2023-11-13
too many: ["app.log.2023-11-11", "app.log.2023-11-12"]
"#;
