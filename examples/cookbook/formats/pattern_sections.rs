//! Sections of a line that are written only if a record has a value for them: no empty brackets. log4j2 has `%notEmpty{…}` and
//! `%replace` for this, and `%X{name}` for the fields of a thread, which correspond to those of spans here.

use tracing_handlers::Output;
use tracing_handlers::format::Pattern;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "pattern-sections", about: "brackets only if there is something in them", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let pattern = "{level}{?span.user: [{span.user}]} {message}{?fields: ({fields})}{!spans: outside of all spans}";
    logged(Output::new(Pattern::new(pattern).expect("a pattern"), memory.clone()), || {
        tracing::info!("opened");
        let _request = tracing::info_span!("request", user = "ada").entered();
        tracing::info!(pieces = 3, "sold");
    });
    memory.text()
}

const SHOWS: &str = "
INFO opened outside of all spans
INFO [ada] sold (pieces=3)
";
