//! A program that must not continue without its log, as rules or contracts may demand: it stops at the first record that cannot be
//! delivered. Python's handlers and log4j2's appenders do not offer this.
//!
//! The recipe starts itself as a child process, which is the program that stops.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Audit, Queue, from_fn};
use tracing_handlers::sink::Console;
use tracing_handlers::{Error, ErrorKind, Output};
use tracing_subscriber::prelude::*;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "or-stop", about: "no record, no program", make, shows: SHOWS };

fn make() -> String {
    if std::env::var_os(CHILD).is_some() {
        program();
    }
    let me = std::env::current_exe().expect("this program");
    let ended = std::process::Command::new(me).arg(RECIPE.name).env(CHILD, "1").output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    format!("the other handler:\n{out}{err}exit code {}", ended.status.code().unwrap_or_default())
}

fn program() {
    let full = from_fn(|record| match record.message() {
        "signed in" => Ok(()),
        _ => Err(Error::new(ErrorKind::Full, "no space left")),
    });
    // Queued records are delivered before the end.
    let others = Queue::new(Output::new(Text::new().time(Time::none()), Console::stdout()));
    let handlers = (others, Audit::new(full).or_stop().exit_code(3));
    tracing_subscriber::registry().with(tracing_handlers::layer(handlers)).init();
    tracing::info!(target: "audit", "signed in");
    tracing::info!(target: "audit", "transfer");
    unreachable!("the program has stopped");
}

const CHILD: &str = "COOKBOOK_OR_STOP";

const SHOWS: &str = "
the other handler:
 INFO audit: signed in
 INFO audit: transfer
tracing-handlers: or stop: the program stops: no space left
exit code 3
";
