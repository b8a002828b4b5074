//! An error with its causes: in the line as one text, or below it on one line each. Python's `logging.exception` with its
//! `During handling of the above exception`, log4j2's `%xEx` and `%xEx{separator(|)}`.

use std::error::Error;
use std::fmt;

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "errors", about: "causes in the line, or below it", make, shows: SHOWS };

#[derive(Debug)]
struct Failed(&'static str, Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

fn make() -> String {
    let error =
        Failed("no order", Some(Box::new(Failed("the database is down", Some(Box::new(Failed("refused", None)))))));
    let memory = Memory::new();
    let text = || Text::new().time(Time::none());
    let in_the_line = Output::new(text(), memory.clone());
    let below_it = Output::new(text().errors_below(true), memory.clone());
    logged((in_the_line, below_it), || {
        tracing::error!(target: "shop", error = &error as &dyn Error, pieces = 3, "not sold");
    });
    memory.text()
}

const SHOWS: &str = r#"
ERROR shop: not sold error="no order: the database is down: refused" pieces=3
ERROR shop: not sold pieces=3
    error: no order
    caused by: the database is down
    caused by: refused
"#;
