//! Nested values from any type that serde can serialize. Python's cookbook: "Implementing structured logging".

use serde::Serialize;
use tracing_handlers::format::{Json, Time};
use tracing_handlers::{Output, nested, sink::Memory};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "nested", about: "structures as nested JSON", make, shows: SHOWS };

#[derive(Serialize)]
struct Order {
    id: u32,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    name: &'static str,
    pieces: u32,
}

fn make() -> String {
    let memory = Memory::new();
    logged(Output::new(Json::new().time(Time::none()), memory.clone()), || {
        let order = Order { id: 7, items: vec![Item { name: "apple", pieces: 3 }] };
        tracing::info!(target: "shop", order = ?nested(&order), "sold");
    });
    memory.text()
}

const SHOWS: &str = r#"
{"level":"INFO","target":"shop","message":"sold","order":{"id":7,"items":[{"name":"apple","pieces":3}]}}
"#;
