//! JSON in a custom schema, described by a JSON template: log4j2's JsonTemplateLayout, with its names.

use tracing_handlers::Output;
use tracing_handlers::format::JsonTemplate;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "json-template", about: "log lines by a JSON template", make, shows: SHOWS };

const TEMPLATE: &str = r#"{
    "app": {"name": "shop", "host": "web-1"},
    "level": {"$resolver": "level", "field": "name"},
    "syslog": {"$resolver": "level", "field": "severity", "severity": {"field": "code"}},
    "logger": {"$resolver": "logger"},
    "text": {"$resolver": "message"},
    "user": {"$resolver": "mdc", "key": "user"},
    "error": {"$resolver": "exceptionRootCause", "field": "message"},
    "fields": {"$resolver": "fields", "stringified": true}
}"#;

fn make() -> String {
    let memory = Memory::new();
    let template = JsonTemplate::new(TEMPLATE).expect("a fine template").max_string(20);
    logged(Output::new(template, memory.clone()), || {
        tracing::info!(target: "shop", "open");
        let _request = tracing::info_span!("request", user = "ada").entered();
        tracing::warn!(target: "shop", left = 2, sold_out = false, "running out of more than one thing");
    });
    memory.text()
}

const SHOWS: &str = r#"
{"app":{"name":"shop","host":"web-1"},"level":"INFO","syslog":6,"logger":"shop","text":"open"}
{"app":{"name":"shop","host":"web-1"},"level":"WARN","syslog":4,"logger":"shop","text":"running out of more …","user":"ada","fields":{"left":"2","sold_out":"false"}}
"#;
