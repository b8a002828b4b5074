//! A program's standard output and standard error as records. Python's `subprocess` with a thread that reads its pipes.

use std::process::Command;

use tracing::Level;
use tracing_handlers::receive::{self, Lines};
use tracing_handlers::testing::Captured;

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "child", about: "the output of a child process, as records", make, shows: SHOWS };

fn make() -> String {
    let captured = Captured::new();
    let lines = |level| Lines::new(captured.clone()).target("backup").severity(level);
    let mut command = Command::new("sh");
    command.args(["-c", "echo 3 files found; printf 'all of them saved'; echo disk nearly full >&2; exit 2"]);

    let mut child = receive::spawn(command, lines(Level::INFO), lines(Level::WARN)).expect("there is a shell");
    // When this returns, all of the child's output has been logged.
    let status = child.wait().expect("it ends");

    // Standard output and standard error are in no defined order.
    let mut shown: Vec<_> = captured.text().lines().map(str::to_owned).collect();
    shown.sort();
    format!("{}\n{status}", shown.join("\n"))
}

const SHOWS: &str = "
 INFO backup: 3 files found
 INFO backup: all of them saved
 WARN backup: disk nearly full
exit status: 2
";
