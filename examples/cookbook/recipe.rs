use std::panic::catch_unwind;

use tracing_handlers::handler::Handler;
use tracing_subscriber::prelude::*;

/// A task in logging, and its solution.
pub struct Recipe {
    /// The name on the command line.
    pub name: &'static str,
    /// The purpose, in a few words.
    pub about: &'static str,
    /// Runs the recipe and returns its output.
    pub make: fn() -> String,
    /// The expected output.
    pub shows: &'static str,
}

impl Recipe {
    /// Runs the recipe, and prints a line and, if requested, its output. Returns whether the output is as expected.
    pub fn run(&self, verbose: bool) -> bool {
        let shown = catch_unwind(self.make).unwrap_or_else(|_| "it panicked".to_owned());
        let expected = self.shows.trim_start_matches('\n').trim_end();
        let is_right = shown.trim_end() == expected;
        println!("{:<8}{:<24}{}", if is_right { "ok" } else { "WRONG" }, self.name, self.about);
        if verbose || !is_right {
            println!("{}", shown.trim_end());
        }
        if !is_right {
            println!("-- it should have been:\n{expected}");
        }
        is_right
    }
}

/// Runs `log` with `handler` in a separate subscriber, which is then flushed and dropped.
pub fn logged(handler: impl Handler, log: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
    tracing::subscriber::with_default(subscriber, log);
}
