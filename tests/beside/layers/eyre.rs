//! color-eyre: a report shows the spans that its error was created in.

use beside::{Case, assert_contains, beside, work};
use color_eyre::config::{HookBuilder, Theme};
use color_eyre::eyre::{Report, eyre};
use tracing::dispatcher::with_default;
use tracing_error::ErrorLayer;
use tracing_handlers::sink::Memory;

#[test]
fn a_report_has_its_span_trace_and_its_message_is_logged() {
    let (_, hook) = HookBuilder::blank().theme(Theme::new()).capture_span_trace_by_default(true).into_hooks();
    hook.install().unwrap();
    for case in Case::all() {
        let memory = Memory::new();
        let dispatch = beside!(case, &memory, ErrorLayer::default());
        let report: Report = with_default(&dispatch, || work(|| eyre!("the shelf is empty")));
        case.check_ours(&memory);
        let text = format!("{report:?}");
        assert_contains(&text, "the shelf is empty", true, case);
        assert_contains(&text, "SPANTRACE", true, case);
        assert_contains(&text, "request with id=7", true, case);
        assert_contains(&text, "query with table=\"stock\"", case.theirs_is_verbose(), case);
        with_default(&dispatch, || tracing::error!(error = &*report as &dyn std::error::Error, "failed"));
        let last = memory.lines().pop().unwrap();
        assert_eq!(last, "ERROR failed error=\"the shelf is empty\"", "{case:?}");
    }
}
