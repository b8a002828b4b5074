//! Names that receivers reserve, as the names of fields of events and spans, through all JSON formats: the format's own members keep
//! their values, and the fields are not lost.

use std::collections::HashSet;

use serde_json::Value as Parsed;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::json::{FieldLayout, SpanLayout};
use tracing_handlers::format::{Format, Json};
use tracing_handlers::{RecordBuf, Severity};

use super::{has_text, line, presets};

/// From the documentation of Elasticsearch, Graylog, Google Cloud, Logstash, Bunyan, OpenTelemetry and Datadog, and from slogtest.
const RESERVED: &[&str] = &[
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "level",
    "severity",
    "log.level",
    "lvl",
    "levelname",
    "level_value",
    "msg",
    "message",
    "short_message",
    "full_message",
    "body",
    "target",
    "logger",
    "logger_name",
    "log.logger",
    "log",
    "source",
    "name",
    "host",
    "hostname",
    "pid",
    "v",
    "version",
    "@version",
    "ecs.version",
    "ecs",
    "labels",
    "tags",
    "type",
    "_id",
    "id",
    "_index",
    "_source",
    "_type",
    "file",
    "line",
    "thread",
    "thread_name",
    "process.thread.name",
    "process",
    "error",
    "error.message",
    "error.type",
    "error.stack_trace",
    "error.kind",
    "err",
    "exception",
    "exception.message",
    "exception.type",
    "exception.stacktrace",
    "stack_trace",
    "backtrace",
    "span",
    "spans",
    "fields",
    "trace",
    "trace_id",
    "span_id",
    "trace.id",
    "span.id",
    "transaction.id",
    "transaction_id",
    "trace_flags",
    "trace_sampled",
    "dd",
    "dd.trace_id",
    "dd.span_id",
    "service",
    "service.name",
    "env",
    "status",
    "logging.googleapis.com/trace",
    "logging.googleapis.com/spanId",
    "logging.googleapis.com/labels",
    "logging.googleapis.com/sourceLocation",
    "logging.googleapis.com/insertId",
    "httpRequest",
    "timestampSeconds",
    "timestampNanos",
    "timeUnixNano",
    "observedTimeUnixNano",
    "severityNumber",
    "severityText",
    "attributes",
    "resource",
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "traceId",
    "spanId",
    "flags",
    "facility",
    "_level",
    "_time",
    "_target",
    "_thread",
    "__proto__",
    "constructor",
    "toString",
    "$schema",
    "key",
    "value",
    "",
];

fn formats() -> Vec<(String, Box<dyn Format>)> {
    let mut formats: Vec<(String, Box<dyn Format>)> = Vec::new();
    for layout in [FieldLayout::Flat, FieldLayout::Nested] {
        for spans in [SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off] {
            formats.push((format!("json {layout:?} {spans:?}"), Box::new(Json::new().fields(layout).spans(spans))));
        }
    }
    for (name, preset, _) in presets() {
        for nested in [false, true] {
            formats.push((format!("{name} {nested}"), Box::new(preset.clone().source(true).nested_objects(nested))));
        }
    }
    formats
}

fn sold() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop", "sold")
        .with_time(Timestamp::new(1_795_223_943, 123_456_000))
        .with_location("shop::till", "src/till.rs", 41)
        .with_thread("main", 1)
}

/// Whether `document` has all that `part` has, at the same place. Lists may have more items.
fn has_all_of(document: &Parsed, part: &Parsed) -> bool {
    match (document, part) {
        (Parsed::Object(members), Parsed::Object(some)) => {
            some.iter().all(|(name, part)| members.get(name).is_some_and(|member| has_all_of(member, part)))
        }
        (Parsed::Array(items), Parsed::Array(some)) => {
            some.iter().all(|part| items.iter().any(|item| has_all_of(item, part)))
        }
        (value, part) => value == part,
    }
}

#[test]
fn a_reserved_name_takes_nobodys_place() {
    for (format_name, format) in formats() {
        let without: Parsed = serde_json::from_str(&line(&*format, &sold())).unwrap();
        for name in RESERVED {
            let what = format!("{format_name}, field {name:?}");
            let record = sold().with_field(name, "of the event");
            let document: Parsed = serde_json::from_str(&line(&*format, &record)).unwrap();
            assert!(has_all_of(&document, &without), "{what}: {document} and {without}");
            assert!(has_text(&document, "of the event"), "{what}: {document}");
        }
    }
}

#[test]
fn reserved_names_of_spans_take_nobodys_place() {
    for (format_name, format) in formats().into_iter().filter(|(name, _)| !name.contains("Off")) {
        let spans = |record: RecordBuf| record.with_span("request", [("user", "ada".into())]);
        let without: Parsed = serde_json::from_str(&line(&*format, &spans(sold()))).unwrap();
        for name in RESERVED {
            let what = format!("{format_name}, field {name:?} of a span");
            let record = sold().with_span("request", [("user", "ada".into()), (name, "of the span".into())]);
            let document: Parsed = serde_json::from_str(&line(&*format, &record)).unwrap();
            assert!(has_all_of(&document, &without), "{what}: {document} and {without}");
            assert!(has_text(&document, "of the span"), "{what}: {document}");
        }
    }
}

#[test]
fn all_reserved_names_at_once_are_all_there() {
    for (format_name, format) in formats() {
        let texts: Vec<_> = RESERVED.iter().map(|name| format!("value of {name}")).collect();
        let fields = RESERVED.iter().zip(&texts);
        let record = fields.fold(sold(), |record, (name, text)| record.with_field(name, &**text));
        let without: Parsed = serde_json::from_str(&line(&*format, &sold())).unwrap();
        let document: Parsed = serde_json::from_str(&line(&*format, &record)).unwrap();
        assert!(has_all_of(&document, &without), "{format_name}: {document} and {without}");
        let lost: HashSet<_> = texts.iter().filter(|text| !has_text(&document, text)).collect();
        assert!(lost.is_empty(), "{format_name}: {lost:?} in {document}");
    }
}
