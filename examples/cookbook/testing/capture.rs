//! Assertions on the log in a test: pytest's `caplog`, unittest's `assertLogs`.
//!
//! A capture sees everything that its test logs, also on other threads, and nothing of other tests that run at the same time.

use tracing::Level;
use tracing_handlers::testing::{capture, expect};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "capture", about: "assertions on what a test logged", make, shows: SHOWS };

/// The function under test.
fn sell(pieces: u32) {
    let _request = tracing::info_span!("sell", pieces).entered();
    tracing::info!(target: "shop", "sold");
    if pieces > 2 {
        tracing::warn!(target: "shop", left = 0, "sold out");
    }
}

fn make() -> String {
    let capture = capture();
    sell(3);
    // A thread of the test can be included in the scope; other threads are not captured.
    let scope = capture.scope();
    std::thread::spawn(move || scope.in_scope(|| sell(1))).join().expect("it sells");
    std::thread::spawn(|| sell(7)).join().expect("it sells, too");

    capture.assert_logged(expect().level(Level::WARN).target("shop").field("left", 0).in_span("sell"));
    capture.assert_count(2, expect().message("sold"));
    capture.assert_never(expect().level(Level::ERROR));
    capture.assert_sequence([expect().message("sold out"), expect().message("sold").span_field("pieces", 1)]);
    capture.text()
}

const SHOWS: &str = "
 INFO sell{pieces=3}: shop: sold
 WARN sell{pieces=3}: shop: sold out left=0
 INFO sell{pieces=1}: shop: sold
";
