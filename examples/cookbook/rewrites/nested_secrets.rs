//! Masks secrets inside nested values, by name and by pattern, at any depth.

use tracing_handlers::format::{Json, Time};
use tracing_handlers::handler::{Handler, Rewriting};
use tracing_handlers::rewrite::{Detector, Redact};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, RecordBuf, Severity, Value};

use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "redact-nested", about: "members of nested values masked", make, shows: SHOWS };

fn make() -> String {
    let memory = Memory::new();
    let output = Output::new(Json::new().time(Time::none()), memory.clone());
    let handler = Rewriting::new(Redact::fields(["password"]).with_detectors([Detector::Email]), output);
    let body = r#"{"users":[{"name":"ada","password":"hunter2"},{"mail":"bob@example.org","password":{"old":1}}]}"#;
    let record = RecordBuf::new(Severity::INFO, "shop", "asked").with_field("body", Value::Json(body));
    handler.handle(&record.as_record()).expect("memory takes everything");
    memory.text()
}

const SHOWS: &str = r#"
{"level":"INFO","target":"shop","message":"asked","body":{"users":[{"name":"ada","password":"***"},{"mail":"***","password":"***"}]}}
"#;
