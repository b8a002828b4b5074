//! tracing-error: a `SpanTrace` names the spans that an error was created in.

use beside::{Case, assert_contains, beside, work};
use tracing::dispatcher::with_default;
use tracing_error::{ErrorLayer, SpanTrace, SpanTraceStatus};
use tracing_handlers::sink::Memory;

#[test]
fn a_span_trace_has_the_spans_that_its_layer_sees() {
    for case in Case::all() {
        let memory = Memory::new();
        let dispatch = beside!(case, &memory, ErrorLayer::default());
        let trace = with_default(&dispatch, || work(SpanTrace::capture));
        case.check_ours(&memory);
        assert_eq!(trace.status(), SpanTraceStatus::CAPTURED, "{case:?}");
        let text = trace.to_string();
        assert_contains(&text, "request", true, case);
        assert_contains(&text, "id=7", true, case);
        // A span that a filter hides from their layer is named without its fields.
        assert_contains(&text, "query", true, case);
        assert_contains(&text, "table=\"stock\"", case.theirs_is_verbose(), case);
    }
}
