//! Tests that install a subscriber themselves, as test-log does: lines for the test's output, and captures.

use std::process::Command;

use tracing::Level;
use tracing_handlers::testing::{self, capture, expect};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Called first by each test; the first call of the process takes effect.
fn init() {
    let lines = fmt::layer().with_test_writer().without_time();
    let _ = tracing_subscriber::registry().with(lines).with(testing::layer()).try_init();
}

#[test]
fn a_capture_sees_the_test_alone() {
    init();
    let capture = capture();
    tracing::info!(pieces = 3, "sold");
    std::thread::spawn(|| tracing::info!("by another test")).join().unwrap();
    assert_eq!(capture.messages(), ["sold"]);
    capture.assert_logged(expect().level(Level::INFO).field("pieces", 3));
}

#[test]
fn a_capture_sees_what_is_logged_in_its_span() {
    init();
    let capture = capture();
    let request = tracing::info_span!("request", id = 7);
    std::thread::spawn(move || request.in_scope(|| tracing::warn!("slow"))).join().unwrap();
    capture.assert_logged(expect().level(Level::WARN).in_span("request"));
}

#[test]
fn the_lines_are_in_the_output_of_the_test() {
    let test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_capture_sees_the_test_alone", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&test.stdout);
    assert!(test.status.success() && text.contains("sold") && text.contains("pieces"), "{text}");
}
