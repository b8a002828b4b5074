//! Callsites of events: four targets, five levels, three sets of fields.

/// Logs an event that carries `number`.
pub type Log = fn(number: u64);

macro_rules! events {
    ($($target:literal)*) => {
        [$(
            events!(@levels $target, TRACE DEBUG INFO WARN ERROR)
        ),*].concat()
    };
    (@levels $target:literal, $($level:ident)*) => {
        vec![$(
            (|n| tracing::event!(target: $target, tracing::Level::$level, n)) as Log,
            (|n| tracing::event!(target: $target, tracing::Level::$level, n, user = "ada")) as Log,
            (|n| tracing::event!(target: $target, tracing::Level::$level, n, id = 7_u64, late = tracing::field::Empty, "sold")) as Log,
        )*]
    };
}

pub fn all() -> Vec<Log> {
    events!("shop" "shop::stock" "shopping" "hyper")
}
