//! Masks secrets by their form, anywhere in a record: log4j2's `%replace`, without regular expressions.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::{Detector, Redact};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe {
    name: "redact-patterns",
    about: "cards, addresses, tokens, passwords masked in any text",
    make,
    shows: SHOWS,
};

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let redact = Redact::detectors(Detector::ALL).last_digits(4);
    logged(Rewriting::new(redact, output), || {
        tracing::info!(target: "shop", "ada@example.org paid with 4111 1111 1111 1111");
        tracing::info!(target: "http", header = "Authorization: Bearer mF_9.B5f-4.1JqM", peer = %"10.0.0.7:443", "asked");
        tracing::warn!(target: "db", url = "postgres://ada:hunter2@db/shop", "no answer");
        tracing::debug!(target: "api", body = ?("user=ada", "password=hunter2"), card = 4_111_111_111_111_111_u64, "sent");
    });
    memory.text()
}

const SHOWS: &str = r#"
 INFO shop: *** paid with ***1111
 INFO http: asked header="Authorization: ***" peer=***:443
 WARN db: no answer url=postgres://ada:***@db/shop
DEBUG api: sent body="(\"user=ada\", \"password=***\")" card=***1111
"#;
