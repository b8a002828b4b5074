//! tracing-test: its attribute installs a subscriber for the process, whose lines a test can search.

use tracing::Level;
use tracing::subscriber::with_default;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Output, sink::Memory, testing};
use tracing_subscriber::layer::SubscriberExt;
use tracing_test::traced_test;

#[traced_test]
#[test]
fn each_subscriber_gets_what_is_logged_in_its_scope() {
    tracing::info!("to tracing-test");
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
        tracing::info_span!("request", id = 7).in_scope(|| tracing::debug!("to ours"));
    });
    tracing::info!("and again");
    assert!(logs_contain("to tracing-test") && logs_contain("and again"));
    assert!(!logs_contain("to ours"));
    // The span that the attribute enters belongs to its subscriber.
    assert_eq!(memory.lines(), ["DEBUG request{id=7}: to ours"]);
}

#[traced_test]
#[test]
fn a_capture_in_a_scope_sees_what_is_logged_there() {
    with_default(tracing_subscriber::registry().with(testing::layer()), || {
        let capture = testing::capture();
        tracing::warn!(pieces = 3, "running out");
        capture.assert_logged(testing::expect().level(Level::WARN).field("pieces", 3));
    });
    assert!(!logs_contain("running out"));
}
