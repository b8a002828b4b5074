//! A separate handler for each part of the program: Python's handlers of loggers with `propagate = False`, log4j2's loggers with
//! `additivity="false"`.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Route;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "route-by-target", about: "a handler for each part of the program", make, shows: SHOWS };

fn make() -> String {
    let (sql, all) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let route = Route::by_target().with("shop::sql", output(&sql)).with("shop", output(&all));
    logged(route, || {
        tracing::info!(target: "shop::till", "sold");
        tracing::debug!(target: "shop::sql::pool", "one more connection");
        tracing::info!(target: "hyper", "nobody's");
    });
    format!("sql:\n{}all:\n{}", sql.text(), all.text())
}

const SHOWS: &str = "
sql:
DEBUG shop::sql::pool: one more connection
all:
 INFO shop::till: sold
";
