//! Limits the size of records, whatever the program logs: log4j2's `%maxLen` and `maxStringLength`.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::Cap;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "cap", about: "bounded texts, fields, spans", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    logged(Rewriting::new(Cap::new().message(24).values(8).fields(2).spans(1), output), || {
        let _one = tracing::info_span!("request", id = 7).entered();
        let _two = tracing::info_span!("deeper").entered();
        tracing::info!(target: "shop", body = "größte Bestellung", pieces = 3, left = 0, "{}", "sold ".repeat(100));
    });
    memory.text()
}

const SHOWS: &str = r#"
 INFO request{id=7}: shop: sold sold sold sold sold…[476 bytes cut] body="größte…[11 bytes cut]" pieces=3 fields_cut=1 spans_cut=1
"#;
