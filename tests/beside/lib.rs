//! What the tests share: a workload, our layer beside one of another crate, and what ours must show.

use std::fmt;
use std::sync::OnceLock;

use tracing::{Dispatch, Level, Subscriber};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{HandlerLayer, Output};
use tracing_subscriber::registry::LookupSpan;

/// Where a filter for INFO stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    Nowhere,
    /// In our output.
    InOurs,
    /// A stock filter around our layer.
    OnOurs,
    /// A stock filter around the other layer.
    OnTheirs,
    OnBoth,
}

/// A subscriber with both layers.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub filter: Filter,
    pub ours_first: bool,
}

impl Case {
    pub fn all() -> impl Iterator<Item = Self> {
        let filters = [Filter::Nowhere, Filter::InOurs, Filter::OnOurs, Filter::OnTheirs, Filter::OnBoth];
        filters.into_iter().flat_map(|filter| [true, false].map(|ours_first| Self { filter, ours_first }))
    }

    /// Whether our layer gets DEBUG events and spans.
    pub fn ours_is_verbose(self) -> bool {
        matches!(self.filter, Filter::Nowhere | Filter::OnTheirs)
    }

    /// Whether the other layer does.
    pub fn theirs_is_verbose(self) -> bool {
        matches!(self.filter, Filter::Nowhere | Filter::InOurs | Filter::OnOurs)
    }

    /// The lines of [`work`].
    pub fn check_ours(self, memory: &Memory) {
        let verbose = [
            " INFO request{id=7 user=ann}: sold pieces=3",
            "DEBUG request{id=7 user=ann}:query{table=stock}: looked up",
            "ERROR request{id=7 user=ann}:query{table=stock}: none left",
        ];
        let terse = [" INFO request{id=7 user=ann}: sold pieces=3", "ERROR request{id=7 user=ann}: none left"];
        let expected = if self.ours_is_verbose() { &verbose[..] } else { &terse };
        assert_eq!(memory.lines(), expected, "{self:?}");
    }
}

/// Our layer, with what is logged in `memory`.
pub fn ours<S>(case: Case, memory: &Memory) -> HandlerLayer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
    tracing_handlers::layer(match case.filter {
        Filter::InOurs => output.level(Level::INFO),
        _ => output,
    })
}

/// The subscriber of a case: our layer and the given one, which is an expression since its type depends on its place.
#[macro_export]
macro_rules! beside {
    ($case:expr, $memory:expr, $theirs:expr) => {{
        use tracing_subscriber::filter::LevelFilter;
        use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
        use $crate::Filter::*;
        let (case, memory): ($crate::Case, &tracing_handlers::sink::Memory) = ($case, $memory);
        let (registry, info) = (tracing_subscriber::registry(), LevelFilter::INFO);
        $crate::pin();
        match (case.filter, case.ours_first) {
            (Nowhere | InOurs, true) => tracing::Dispatch::new(registry.with($crate::ours(case, memory)).with($theirs)),
            (Nowhere | InOurs, false) => {
                tracing::Dispatch::new(registry.with($theirs).with($crate::ours(case, memory)))
            }
            (OnOurs, true) => {
                tracing::Dispatch::new(registry.with($crate::ours(case, memory).with_filter(info)).with($theirs))
            }
            (OnOurs, false) => {
                tracing::Dispatch::new(registry.with($theirs).with($crate::ours(case, memory).with_filter(info)))
            }
            (OnTheirs, true) => {
                tracing::Dispatch::new(registry.with($crate::ours(case, memory)).with($theirs.with_filter(info)))
            }
            (OnTheirs, false) => {
                tracing::Dispatch::new(registry.with($theirs.with_filter(info)).with($crate::ours(case, memory)))
            }
            (OnBoth, true) => tracing::Dispatch::new(
                registry.with($crate::ours(case, memory).with_filter(info)).with($theirs.with_filter(info)),
            ),
            (OnBoth, false) => tracing::Dispatch::new(
                registry.with($theirs.with_filter(info)).with($crate::ours(case, memory).with_filter(info)),
            ),
        }
    }};
}

/// Logs at INFO, DEBUG and ERROR in two spans, calls `inside` in both of them, and returns what that returns.
pub fn work<T>(inside: impl FnOnce() -> T) -> T {
    let request = tracing::info_span!("request", id = 7, user = tracing::field::Empty);
    let _entered = request.enter();
    request.record("user", "ann");
    tracing::info!(pieces = 3, "sold");
    tracing::debug_span!("query", table = "stock").in_scope(|| {
        tracing::debug!("looked up");
        let made = inside();
        tracing::error!("none left");
        made
    })
}

/// Keeps a second subscriber, so that a callsite that a test without one meets first is not switched off for all
/// (tokio-rs/tracing#3611).
pub fn pin() {
    static PINNED: OnceLock<Dispatch> = OnceLock::new();
    PINNED.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
}

/// Whether `text` contains `part`, which it must exactly if `wanted`.
#[track_caller]
pub fn assert_contains(text: &str, part: &str, wanted: bool, case: impl fmt::Debug) {
    assert_eq!(text.contains(part), wanted, "{part:?} in {case:?}:\n{text}");
}
