//! A custom rewrite for some of the records: log4j2's `RewritePolicy`, a Python filter that changes the record.

use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::sink::Memory;
use tracing_handlers::{FieldChange, Output, RecordBuf, filter};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "rewrite", about: "a closure rewrites the records of one target", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()), memory.clone());
    let shouted = |record: &mut RecordBuf| {
        let message = record.as_record().message().to_uppercase();
        record.set_message(&message);
        record.change_fields(|_span, field| match field.name {
            "pieces" => FieldChange::Set("many".into()),
            _ => FieldChange::Keep,
        });
    };
    logged(Rewriting::new(shouted, output).only(filter::targets(["market"])), || {
        tracing::info!(target: "market", pieces = 300, "sold");
        tracing::info!(target: "shop", pieces = 3, "sold");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO market: SOLD pieces=many
 INFO shop: sold pieces=3
";
