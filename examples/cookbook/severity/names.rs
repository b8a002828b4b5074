//! The names of levels, and their numbers in other systems: Python's `logging.addLevelName` and `levelno`, syslog's severities.

use tracing_handlers::format::{LevelNames, Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Severity, alert};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "level-names", about: "WARN or WARNING; numbers of syslog and Python", make, shows: SHOWS };

fn make() -> String {
    let [python, syslog] = [LevelNames::Python, LevelNames::Syslog].map(|names| (names, Memory::new()));
    let output = |(names, memory): &(LevelNames, Memory)| {
        Output::new(Text::new().time(Time::none()).target(false).level_names(*names), memory.clone())
    };
    logged((output(&python), output(&syslog)), || {
        tracing::warn!("running out");
        alert!("the till is open");
    });
    let numbers = [Severity::WARN, Severity::ALERT].map(|severity| {
        format!(
            "{severity}: {} here, {} in syslog, {} in Python\n",
            severity.number(),
            severity.syslog(),
            severity.python()
        )
    });
    python.1.text() + &syslog.1.text() + &numbers.concat()
}

const SHOWS: &str = "
WARNING running out
ALERT the till is open
warning running out
alert the till is open
WARN: 13 here, 4 in syslog, 30 in Python
ALERT: 19 here, 1 in syslog, 51 in Python
";
