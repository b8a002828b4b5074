//! A custom format is checked against the contract of all formats. `check_sink` and `check_handler` do the same for sinks and
//! handlers.

use tracing_handlers::format::{self, Format};
use tracing_handlers::testing::check_format;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "contracts", about: "custom parts, checked", make, shows: SHOWS };

/// A first attempt, in which a message with a line feed becomes two lines.
fn naive() -> impl Format {
    format::from_fn(|record, out| {
        out.push_str(record.message());
        Ok(())
    })
}

/// A correct format.
fn careful() -> impl Format {
    format::from_fn(|record, out| {
        // Characters that change the direction of text, and line separators.
        let is_mark = |char| matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let is_harmless = |char: &char| !char.is_control() && !is_mark(*char);
        out.push_str(&record.message().chars().filter(is_harmless).collect::<String>());
        Ok(())
    })
}

fn make() -> String {
    let failures = check_format(naive).expect_err("it breaks some");
    check_format(careful).expect("it keeps all");
    format!("naive breaks: {}\ncareful breaks none", failures.contracts().join(", "))
}

const SHOWS: &str = "
naive breaks: one line, no controls
careful breaks none
";
