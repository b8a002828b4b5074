//! tracing-chrome: a trace that `chrome://tracing` reads.

use beside::{Case, beside, work};
use serde_json::Value;
use tracing::dispatcher::with_default;
use tracing_chrome::ChromeLayerBuilder;
use tracing_handlers::sink::Memory;

use crate::buffer::Buffer;

#[test]
fn a_trace_has_the_spans_and_events_that_its_layer_sees() {
    for case in Case::all() {
        let (memory, buffer) = (Memory::new(), Buffer::default());
        let guard;
        let dispatch = beside!(case, &memory, {
            let (layer, of_layer) = ChromeLayerBuilder::new().writer(buffer.clone()).include_args(true).build();
            guard = of_layer;
            layer
        });
        with_default(&dispatch, || work(|| ()));
        drop((dispatch, guard));
        case.check_ours(&memory);
        let trace: Vec<Value> = serde_json::from_str(&buffer.text()).unwrap();
        // `B` and `E` are the begin and the end of a span, `i` is an event, and `M` names a thread.
        let seen: Vec<_> = trace
            .iter()
            .filter(|entry| entry["ph"] != "M")
            .map(|entry| {
                let name = match entry["ph"].as_str() {
                    Some("i") => entry["args"]["message"].as_str(),
                    _ => entry["name"].as_str(),
                };
                (entry["ph"].as_str().unwrap(), name.unwrap_or("?"))
            })
            .collect();
        let verbose = [
            ("B", "request"),
            ("i", "sold"),
            ("B", "query"),
            ("i", "looked up"),
            ("i", "none left"),
            ("E", "query"),
            ("E", "request"),
        ];
        let terse = [("B", "request"), ("i", "sold"), ("i", "none left"), ("E", "request")];
        assert_eq!(seen, if case.theirs_is_verbose() { &verbose[..] } else { &terse }, "{case:?}");
    }
}
