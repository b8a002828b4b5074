//! Fields under the names of the receiver's schema, constants, and the position in the source.
//!
//! log4j2: `EventTemplateAdditionalField`, and `locationInfoEnabled`. Python: a `LoggerAdapter` or a filter that adds fields to
//! each record.

use tracing_handlers::format::Preset;
use tracing_handlers::handler::Rewriting;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, RecordBuf, Value};

use super::json_shared::at_a_fixed_time;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "json-fields", about: "fields with names and places of a schema", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let ecs = Preset::ecs()
        .constant("service.name", "shop")
        .constant("service.environment", "test")
        .field("method", "http.request.method")
        .field("user", "user.name")
        .max_string(24);
    let with_order = |record: &mut RecordBuf| {
        at_a_fixed_time(record);
        record.push_field("order", Value::Json(r#"{"id":7,"items":["tea","salt"]}"#));
    };
    logged(Rewriting::new(with_order, Output::new(ecs, memory.clone())), || {
        let _request = tracing::info_span!("request", method = "GET", user = "ada").entered();
        tracing::info!(target: "shop", note = "as long as a note can be", "an order came in from far away");
    });
    memory.text()
}

const SHOWS: &str = r#"
{"@timestamp":"2026-11-21T01:19:03.123456Z","log.level":"INFO","message":"an order came in from fa…","ecs.version":"8.11.0","log.logger":"shop","process.thread.name":"main","service.name":"shop","service.environment":"test","http.request.method":"GET","user.name":"ada","labels":{"note":"as long as a note can be","order_id":7,"order_items":"[\"tea\",\"salt\"]"}}
"#;
