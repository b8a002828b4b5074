//! test-log: its attribute installs a subscriber for the process, in each test.

use std::process::Command;

use tracing::Level;
use tracing::subscriber::with_default;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::{ErrorKind, Output, sink::Memory, testing};
use tracing_subscriber::layer::SubscriberExt;

#[test_log::test]
fn speaks() {
    tracing::info!("to test-log");
    let memory = Memory::new();
    let output = || Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    // The process has a subscriber; ours is installed for a scope.
    assert_eq!(tracing_handlers::init(output()).unwrap_err().kind(), ErrorKind::Config);
    with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output())), || {
        tracing::debug_span!("request", id = 7).in_scope(|| tracing::debug!("to ours"));
    });
    tracing::info!("to test-log again");
    assert_eq!(memory.lines(), ["DEBUG request{id=7}: to ours"]);
}

#[test_log::test]
fn a_capture_needs_a_subscriber_with_its_layer() {
    let refused = std::panic::catch_unwind(testing::capture).unwrap_err();
    let message = refused.downcast_ref::<&str>().expect("it has a message");
    assert!(message.contains("the subscriber has no `tracing_handlers::testing::layer()`"), "{message}");
    with_default(tracing_subscriber::registry().with(testing::layer()), || {
        let capture = testing::capture();
        tracing::warn!(pieces = 3, "running out");
        capture.assert_logged(testing::expect().level(Level::WARN).field("pieces", 3));
    });
}

/// What a test writes is seen from outside.
#[test]
fn each_subscriber_gets_what_is_logged_in_its_scope() {
    let test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "speaks", "--nocapture"])
        .env("RUST_LOG", "debug")
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&test.stdout), String::from_utf8_lossy(&test.stderr));
    assert!(test.status.success(), "{text}");
    for (part, is_there) in [("to test-log", true), ("to test-log again", true), ("to ours", false)] {
        assert_eq!(text.contains(part), is_there, "{part:?} in:\n{text}");
    }
}
