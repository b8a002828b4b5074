//! What the test suites of other loggers expect: their inputs and the right results, as facts, for this crate's counterparts.
//!
//! The counts of tracing-subscriber's interest caches are in `tests/ends/interest.rs`, since they need a process of their own.

mod cron;
mod naughty;
mod reserved;
mod rotation;
mod sampler;
mod strings;
mod tables;

use serde_json::Value as Parsed;
use tracing_handlers::format::json::FieldLayout;
use tracing_handlers::format::{Caps, Format, Out, Preset};
use tracing_handlers::{Record, RecordBuf};

fn line(format: &dyn Format, record: &RecordBuf) -> String {
    written(format, &record.as_record())
}

fn written(format: &dyn Format, record: &Record<'_>) -> String {
    let mut out = Vec::new();
    format.format(record, &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}

/// Each preset, and the place of the message in it.
fn presets() -> [(&'static str, Preset, &'static str); 9] {
    [
        ("ecs", Preset::ecs(), "/message"),
        ("gelf", Preset::gelf("web-1"), "/short_message"),
        ("google cloud", Preset::google_cloud("shop"), "/message"),
        ("logstash", Preset::logstash(), "/message"),
        ("bunyan", Preset::bunyan("shop"), "/msg"),
        ("otlp", Preset::otlp(), "/resourceLogs/0/scopeLogs/0/logRecords/0/body/stringValue"),
        ("datadog", Preset::datadog("shop"), "/message"),
        ("tracing", Preset::tracing(), "/fields/message"),
        ("tracing, flat", Preset::tracing().fields(FieldLayout::Flat), "/message"),
    ]
}

/// Whether this text is a value anywhere in the document.
fn has_text(document: &Parsed, text: &str) -> bool {
    match document {
        Parsed::String(value) => value == text,
        Parsed::Array(items) => items.iter().any(|item| has_text(item, text)),
        Parsed::Object(members) => members.values().any(|value| has_text(value, text)),
        _ => false,
    }
}
