//! sentry-tracing: an ERROR becomes an event, with the events before it as breadcrumbs.

use beside::{Case, beside, work};
use sentry_core::test::with_captured_events;
use sentry_tracing::{BreadcrumbLayer, ErrorLayer};
use tracing::dispatcher::with_default;
use tracing_handlers::sink::Memory;

#[test]
fn an_error_is_sent_with_its_breadcrumbs() {
    for case in Case::all() {
        let memory = Memory::new();
        let dispatch =
            beside!(case, &memory, ErrorLayer::new().with_filter(LevelFilter::ERROR).and_then(BreadcrumbLayer::new()));
        let sent = with_captured_events(|| with_default(&dispatch, || work(|| ())));
        case.check_ours(&memory);
        let [event] = &sent[..] else { panic!("one event in {case:?}: {sent:?}") };
        assert_eq!(event.message.as_deref(), Some("none left"));
        let crumbs: Vec<_> = event.breadcrumbs.iter().filter_map(|crumb| crumb.message.as_deref()).collect();
        let expected = if case.theirs_is_verbose() { &["sold", "looked up"][..] } else { &["sold"] };
        assert_eq!(crumbs, expected, "{case:?}");
    }
}
