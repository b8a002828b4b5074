//! Callsites of spans: three targets, five levels, two names, three sets of fields.

use tracing::Span;
use tracing::field::Empty;

/// Creates a span with the values of this number.
pub type Make = fn(value: usize) -> Span;

pub const USERS: [&str; 5] = ["ada", "bob", "", "a,d", "da"];
pub const IDS: [u64; 3] = [7, 8, 0];
pub const DELTAS: [i64; 3] = [-1, 7, 0];
pub const SHARES: [f64; 4] = [0.5, 7.0, f64::NAN, -1.0];

macro_rules! spans {
    ($($target:literal)*) => {
        [$(
            spans!(@levels $target, TRACE DEBUG INFO WARN ERROR)
        ),*].concat()
    };
    (@levels $target:literal, $($level:ident)*) => {
        [$(
            spans!(@fields $target, $level, "request"),
            spans!(@fields $target, $level, "query")
        ),*].concat()
    };
    (@fields $target:literal, $level:ident, $name:literal) => {
        vec![
            (|value| tracing::span!(
                target: $target, tracing::Level::$level, $name,
                user = USERS[value % USERS.len()], id = IDS[value % IDS.len()], late = Empty
            )) as Make,
            (|value| tracing::span!(
                target: $target, tracing::Level::$level, $name,
                user = ?USERS[value % USERS.len()], delta = DELTAS[value % DELTAS.len()], wide = u128::from(IDS[value % 3])
            )) as Make,
            (|value| tracing::span!(
                target: $target, tracing::Level::$level, $name,
                shown = %USERS[value % USERS.len()], good = value.is_multiple_of(2), share = SHARES[value % SHARES.len()], late = Empty
            )) as Make,
        ]
    };
}

pub fn all() -> Vec<Make> {
    spans!("shop" "shop::stock" "hyper")
}

/// Sets the field `late`, if the span has it.
pub fn record(span: &Span, value: usize) {
    match value % 4 {
        0 => span.record("late", USERS[value % USERS.len()]),
        1 => span.record("late", IDS[value % IDS.len()]),
        2 => span.record("late", value.is_multiple_of(3)),
        _ => span.record("late", tracing::field::debug(USERS[value % USERS.len()])),
    };
}
