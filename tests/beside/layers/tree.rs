//! tracing-tree: events indented below their spans.

use beside::{Case, assert_contains, beside, work};
use tracing::dispatcher::with_default;
use tracing_handlers::sink::Memory;
use tracing_tree::HierarchicalLayer;

use crate::buffer::Buffer;

#[test]
fn a_tree_has_the_spans_and_events_that_its_layer_sees() {
    for case in Case::all() {
        let (memory, buffer) = (Memory::new(), Buffer::default());
        let theirs = || {
            let buffer = buffer.clone();
            HierarchicalLayer::new(2).with_ansi(false).with_writer(move || buffer.clone())
        };
        let dispatch = beside!(case, &memory, theirs());
        with_default(&dispatch, || work(|| ()));
        case.check_ours(&memory);
        let text = buffer.text();
        assert_contains(&text, "request id=7", true, case);
        assert_contains(&text, "INFO sold, pieces=3", true, case);
        assert_contains(&text, "ERROR none left", true, case);
        assert_contains(&text, "query table=\"stock\"", case.theirs_is_verbose(), case);
        assert_contains(&text, "DEBUG looked up", case.theirs_is_verbose(), case);
    }
}
