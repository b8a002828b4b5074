//! The event that all benches log, and its three spans.

use std::hint::black_box;

use tracing::span::EnteredSpan;

/// Logs an INFO event with a target, a message of about 60 characters that contains an integer, and four typed fields.
#[inline(never)]
pub fn event(number: u64) {
    tracing::info!(
        target: "shop::stock",
        pieces = black_box(17_u64),
        price = black_box(12.75_f64),
        article = black_box("red umbrella"),
        paid = black_box(true),
        "the customer took article number {number} from the second shelf"
    );
}

/// Logs the event in a new span of two fields.
#[allow(dead_code, reason = "not every bench has it")]
pub fn in_a_new_span(number: u64) {
    let _span = tracing::info_span!("request", method = "GET", id = number).entered();
    event(number);
}

/// Three nested spans of two fields each. Dropping this ends them, the innermost first.
pub fn three_spans() -> [EnteredSpan; 3] {
    let request = tracing::info_span!("request", method = "GET", id = 7_u64).entered();
    let order = tracing::info_span!("order", customer = "ada lovelace", items = 3_u64).entered();
    let query = tracing::info_span!("query", table = "articles", rows = 42_u64).entered();
    [query, order, request]
}
