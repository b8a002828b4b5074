//! Filters: which records a handler receives.
//!
//! A [`Filter`] decides in two steps: from the [`Meta`] alone, once per callsite, and from the whole [`Record`], for each one that
//! is left. tracing's [`Level`] and [`LevelFilter`] are filters, and the functions of this module create others.
//! [`and`](FilterExt::and), [`or`](FilterExt::or), [`not`](FilterExt::not) and a [`Chain`] of rules combine them.
//!
//! | by | filter |
//! |---|---|
//! | severity | a level, [`Severity`](crate::Severity), [`Threshold`], [`between`], [`level_by`] |
//! | directives, as in `RUST_LOG` | [`Targets`], `EnvFilter`, [`DirectiveSwitch`] |
//! | target | [`targets`], [`name`], [`target_contains`], [`target_starts_with`], `target_matches` |
//! | message | [`message`], `matches` |
//! | fields of the event, of spans | [`field`], [`span`], [`any_span_field`], [`any_field`], `field_matches` |
//! | time of day | [`hours`] |
//! | number | [`one_in`], [`share`], [`first`], [`rate`] |
//! | anything else | [`on_meta`], [`on_record`] |
//!
//! Filters by number count the records they drop, in a [report](crate::stats::Report) of their own. An [`Output`](crate::Output) has
//! filters, and [`Filtered`](crate::handler::Filtered) puts one in front of any handler. Filters use the times of the records rather
//! than a clock, so that the same records always give the same result.
//!
//! ```
//! use tracing::Level;
//! use tracing_handlers::filter::{self, Filter, FilterExt};
//! use tracing_handlers::{RecordBuf, Severity};
//!
//! let filter = filter::targets(["shop"]).and(filter::between(Level::INFO, Level::WARN));
//! let passes = |severity, target| filter.passes(&RecordBuf::new(severity, target, "").as_record());
//! assert!(passes(Severity::INFO, "shop::stock"));
//! assert!(!passes(Severity::INFO, "shopping"));
//! assert!(!passes(Severity::ERROR, "shop"));
//! ```

mod any_level;
mod cells;
mod chain;
mod combine;
mod condition;
mod count;
mod directives;
mod first;
mod from_fn;
mod hash;
mod hours;
mod level;
mod level_by;
mod literal;
mod name;
mod on_target;
mod one_in;
#[cfg(feature = "regex")]
mod pattern;
mod place;
mod rate;
mod share;
mod switch;
mod target;
mod threshold;
mod window;

pub use crate::clock::Weekday;
pub use any_level::AnyLevel;
pub use chain::{Chain, Verdict};
pub use combine::{And, FilterExt, Not, Or};
pub use condition::Condition;
#[cfg(feature = "env-filter")]
pub use directives::{Directive, EnvFilter, EnvFilterBuilder};
pub use directives::{DirectiveSwitch, ScopedDirectives, Targets};
pub use first::{First, first};
pub use from_fn::{OnMeta, OnRecord, on_meta, on_record};
pub use hours::{Hours, hours};
pub use level::{Between, Bound, between};
pub use level_by::{LevelBy, level_by};
pub use name::{Name, name};
pub use on_target::{OnTarget, target_contains, target_starts_with};
pub use one_in::{OneIn, one_in};
#[cfg(feature = "regex")]
pub use pattern::{field_matches, matches, target_matches};
pub use place::{NamedSpan, Place, any_field, any_span_field, field, message, span};
pub use rate::{Rate, rate};
pub use share::{Share, share};
pub use switch::{LevelSwitch, ScopedLevel};
pub use target::{Modules, targets};
pub use threshold::Threshold;

pub(crate) use target::{depth, is_inside, is_same_module};

pub use tracing::Level;
pub use tracing_subscriber::filter::LevelFilter;

pub use crate::record::Meta;
use crate::record::Record;
use crate::stats::{DropReason, Report};
use std::fmt;

/// Decides which records pass.
pub trait Filter: Send + Sync + 'static {
    /// Whether a record with this metadata may pass. It must always return the same for the same metadata, because the answer is
    /// cached per callsite. It must not log, because tracing calls it while holding locks.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let _ = meta;
        true
    }

    /// Returns the most verbose level at which [`enabled`](Self::enabled) ever returns `true`. It contributes to the process's maximum
    /// level, above which tracing skips a callsite at once.
    fn max_level(&self) -> LevelFilter {
        LevelFilter::TRACE
    }

    /// Whether this record passes. Only called if [`enabled`](Self::enabled) returned `true`.
    fn accepts(&self, record: &Record<'_>) -> bool {
        let _ = record;
        true
    }

    /// Whether [`accepts`](Self::accepts) ever returns `false`. If not, [`enabled`](Self::enabled) decides alone.
    fn per_record(&self) -> bool {
        true
    }

    /// Whether [`passes_in`](Self::passes_in) looks at spans, so that it is worth asking before an event is captured.
    fn looks_at_spans(&self) -> bool {
        false
    }

    /// Returns the most verbose level of the spans that it decides by, even if no handler shows them. By default it decides by those
    /// that are shown.
    fn span_level(&self) -> LevelFilter {
        LevelFilter::OFF
    }

    /// Whether it decides by spans with this metadata, even if no handler shows them. The answer must always be the same for the same
    /// metadata, and `false` beyond [`span_level`](Self::span_level).
    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        meta.level() <= self.span_level()
    }

    /// Whether a record with the metadata and the spans of `record` passes, whatever its message and fields are; `None` if that depends on
    /// them, or on anything else. Called before an event is captured: `record` has neither a message, fields, a thread nor a time. The
    /// answer must always be the same for the same callsite and spans, because each thread remembers it.
    ///
    /// By default what the metadata decide.
    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        match self.enabled(&record.meta()) {
            false => Some(false),
            true if self.per_record() => None,
            true => Some(true),
        }
    }

    /// Adds the report of a filter that counts: `accepted` are the records it judged, `delivered` those that passed.
    fn report(&self, reports: &mut Vec<Report>) {
        let _ = reports;
    }

    /// Whether a record passes both steps.
    fn passes(&self, record: &Record<'_>) -> bool {
        self.enabled(&record.meta()) && (!self.per_record() || self.accepts(record))
    }

    /// Returns the reason under which dropped records are counted.
    fn reason(&self) -> DropReason {
        DropReason::Filtered
    }

    /// Returns why a record does not pass; `None` if it does. By default this is the [`reason`](Self::reason); combined filters return
    /// that of the one that refused.
    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        (!self.passes(record)).then(|| self.reason())
    }
}

/// Shows `dyn Filter`, so that a boxed one does not keep others from deriving `Debug`.
impl fmt::Debug for dyn Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Filter")
    }
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<F: Filter + ?Sized> Filter for $type {
            fn enabled(&self, meta: &Meta<'_>) -> bool {
                (**self).enabled(meta)
            }

            fn max_level(&self) -> LevelFilter {
                (**self).max_level()
            }

            fn accepts(&self, record: &Record<'_>) -> bool {
                (**self).accepts(record)
            }

            fn per_record(&self) -> bool {
                (**self).per_record()
            }

            fn looks_at_spans(&self) -> bool {
                (**self).looks_at_spans()
            }

            fn span_level(&self) -> LevelFilter {
                (**self).span_level()
            }

            fn needs_span(&self, meta: &Meta<'_>) -> bool {
                (**self).needs_span(meta)
            }

            fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
                (**self).passes_in(record)
            }

            fn report(&self, reports: &mut Vec<Report>) {
                (**self).report(reports);
            }

            fn reason(&self) -> DropReason {
                (**self).reason()
            }

            fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
                (**self).refusal(record)
            }
        }
    )*};
}

forward!(&'static F, Box<F>, std::sync::Arc<F>);

/// `None` passes everything.
impl<F: Filter> Filter for Option<F> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.as_ref().is_none_or(|filter| filter.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        self.as_ref().map_or(LevelFilter::TRACE, Filter::max_level)
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        self.as_ref().is_none_or(|filter| filter.accepts(record))
    }

    fn per_record(&self) -> bool {
        self.as_ref().is_some_and(Filter::per_record)
    }

    fn looks_at_spans(&self) -> bool {
        self.as_ref().is_some_and(Filter::looks_at_spans)
    }

    fn span_level(&self) -> LevelFilter {
        self.as_ref().map_or(LevelFilter::OFF, Filter::span_level)
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.as_ref().is_some_and(|filter| filter.needs_span(meta))
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        self.as_ref().map_or(Some(true), |filter| filter.passes_in(record))
    }

    fn report(&self, reports: &mut Vec<Report>) {
        if let Some(filter) = self {
            filter.report(reports);
        }
    }

    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        self.as_ref().and_then(|filter| filter.refusal(record))
    }
}
