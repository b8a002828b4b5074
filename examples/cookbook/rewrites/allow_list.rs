//! Only known fields are shown; all others, including those added to the program later, are masked.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{Redact, Remove};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "redact-allow-list", about: "all fields but known ones masked or removed", make, shows: SHOWS };

fn make() -> String {
    let (masked, removed) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let handlers = (
        Rewriting::new(Redact::all_but(["order", "pieces"]), output(&masked)),
        Rewriting::new(Remove::all_but(["order", "pieces"]), output(&removed)),
    );
    logged(
        handlers,
        || tracing::info!(target: "shop", order = 7, pieces = 3, iban = "DE02 1203 0000 0000 2020 51", "sold"),
    );
    masked.text() + &removed.text()
}

const SHOWS: &str = "
 INFO shop: sold order=7 pieces=3 iban=***
 INFO shop: sold order=7 pieces=3
";
