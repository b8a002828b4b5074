//! tracing-opentelemetry: its spans are exported, with their events.

use beside::{Case, beside, work};
use opentelemetry::Value;
use opentelemetry::trace::{SpanId, TraceContextExt, TraceId, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Span;
use tracing::dispatcher::with_default;
use tracing_handlers::sink::Memory;
use tracing_opentelemetry::OpenTelemetrySpanExt;

fn events(span: &SpanData) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

fn attribute(span: &SpanData, name: &str) -> Option<Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|attribute| attribute.value.clone())
}

#[test]
fn spans_are_exported_and_records_have_theirs() {
    for case in Case::all() {
        let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let tracer = provider.tracer("shop");
        let dispatch = beside!(case, &memory, tracing_opentelemetry::layer().with_tracer(tracer));
        let inside = with_default(&dispatch, || work(|| Span::current().context().span().span_context().clone()));
        drop(dispatch);
        case.check_ours(&memory);

        provider.force_flush().unwrap();
        let spans = exporter.get_finished_spans().unwrap();
        let request = spans.iter().find(|span| span.name == "request").expect("it is exported");
        assert_eq!(attribute(request, "id"), Some(7.into()), "{case:?}");
        assert_eq!(attribute(request, "user"), Some("ann".into()), "{case:?}");
        assert_eq!(request.parent_span_id, SpanId::INVALID);
        // A span that a filter hides from their layer has no context that can be passed on.
        let passed_on = if case.theirs_is_verbose() { request.span_context.trace_id() } else { TraceId::INVALID };
        assert_eq!(inside.trace_id(), passed_on, "{case:?}");
        match spans.iter().find(|span| span.name == "query") {
            Some(query) => {
                assert!(case.theirs_is_verbose(), "{case:?}");
                assert_eq!(query.parent_span_id, request.span_context.span_id());
                assert_eq!((events(request), events(query)), (vec!["sold"], vec!["looked up", "none left"]));
            }
            None => {
                assert!(!case.theirs_is_verbose(), "{case:?}");
                assert_eq!(events(request), ["sold", "none left"]);
            }
        }
    }
}
