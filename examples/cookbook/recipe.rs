use std::panic::catch_unwind;

use tracing_handlers::handler::Handler;
use tracing_subscriber::prelude::*;

/// Something that one may want of a log, and how it is done.
pub struct Recipe {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// Does it, and returns what there is to see.
    pub make: fn() -> String,
    /// What there should be to see.
    pub shows: &'static str,
}

impl Recipe {
    /// Runs it, prints a line (and what it shows, if that is wanted), and tells whether that is what it should.
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

/// Runs `log` with `handler` in a subscriber of its own, and flushes and drops that.
pub fn logged(handler: impl Handler, log: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
    tracing::subscriber::with_default(subscriber, log);
}
