//! Colors of one or several parts of a line, fixed or by the level, if the sink shows colors. log4j2's `%highlight{…}` and
//! `%style{…}{bold}`.

use tracing_handlers::format::{Caps, Format, Out, Pattern};
use tracing_handlers::{RecordBuf, Severity};

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "pattern-color", about: "colors by level, and none in a file", make, shows: SHOWS };

fn make() -> String {
    let pattern = Pattern::new("{style color:{level:<5} {target:bold}} {message}").expect("a pattern");
    let mut lines = Vec::new();
    for (severity, color) in [(Severity::INFO, true), (Severity::ERROR, true), (Severity::ERROR, false)] {
        let record = RecordBuf::new(severity, "shop", "a message");
        let mut line = Vec::new();
        let caps = Caps::default().with_color(color);
        pattern.format(&record.as_record(), &mut Out::new(&mut line, caps)).expect("every record has a line");
        lines.push(String::from_utf8(line).expect("text"));
    }
    // Shows escape sequences instead of performing them.
    lines.join("\n").replace('\x1b', "␛")
}

const SHOWS: &str = "
␛[32mINFO  ␛[1mshop␛[0m␛[32m␛[0m a message
␛[31mERROR ␛[1mshop␛[0m␛[31m␛[0m a message
ERROR shop a message
";
