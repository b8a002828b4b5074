//! Which spans an output shows, by their targets.

use tracing::{Level, info, info_span};
use tracing_handlers::filter::{Targets, targets};
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Meta, Output, Severity};
use tracing_subscriber::prelude::*;

fn log() {
    let _request = info_span!(target: "shop", "request", id = 7).entered();
    let _service = info_span!(target: "tower::service", "service", secret = 1).entered();
    let _query = info_span!(target: "shop::db", "query").entered();
    // The second one finds what is kept of the first.
    (1..=3).for_each(|n| info!(target: "shop", "{n}"));
}

#[test]
fn hidden_spans_are_shown_by_none_of_the_formats_and_to_others_as_before() {
    let (text, json, all) = (Memory::new(), Memory::new(), Memory::new());
    let hides = || "trace,tower=off".parse::<Targets>().unwrap();
    let handler = (
        Output::new(Text::new().time(Time::none()).target(false), text.clone()).span_filter(hides()),
        Output::new(Json::new().time(Time::none()), json.clone()).span_filter(hides()),
        Output::new(Text::new().time(Time::none()).target(false), all.clone()),
    );
    crate::collect::pin();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handler)), log);
    assert_eq!(text.lines(), [1, 2, 3].map(|n| format!(" INFO request{{id=7}}:query: {n}")));
    let spans = r#""spans":[{"name":"request","id":7},{"name":"query"}]}"#;
    assert!(json.lines().iter().all(|line| line.ends_with(spans)), "{:?}", json.lines());
    assert_eq!(all.lines(), [1, 2, 3].map(|n| format!(" INFO request{{id=7}}:service{{secret=1}}:query: {n}")));
}

#[test]
fn hidden_spans_have_no_lifecycle_events_and_are_not_captured_for_this_output() {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    let output = output.level(Level::ERROR).span_events(SpanEvents::NEW).span_filter(targets(["shop"]));
    let enabled = |target| output.enabled(&Meta::span(Severity::INFO, target, "any"));
    assert!(enabled("shop::db") && !enabled("tower") && !enabled("shopping"));
    crate::collect::pin();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), log);
    assert_eq!(memory.lines(), [" INFO request{id=7}: new", " INFO request{id=7}:query: new"]);
}
