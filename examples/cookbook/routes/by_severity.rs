//! Each severity goes to exactly one handler. Python's cookbook uses a filter that excludes higher levels ("Custom handling of
//! levels"); log4j2's `Routing` on `$${event:Level}`.

use tracing::Level;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Route;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, notice};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "route-by-severity", about: "a handler for each severity", make, shows: SHOWS };

fn make() -> String {
    let (errors, news) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let route = Route::by_severity().with(Level::WARN, output(&errors)).otherwise(output(&news));
    logged(route, || {
        tracing::info!(target: "shop", "sold");
        notice!(target: "shop", "sold out");
        tracing::warn!(target: "shop", "no paper");
        tracing::error!(target: "shop", "no till");
    });
    format!("errors:\n{}news:\n{}", errors.text(), news.text())
}

const SHOWS: &str = "
errors:
 WARN shop: no paper
ERROR shop: no till
news:
 INFO shop: sold
NOTICE shop: sold out
";
