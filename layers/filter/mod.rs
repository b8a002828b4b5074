//! Yes or no: which records a handler takes.
//!
//! A [`Filter`] judges twice: from the [`Meta`] alone, which is asked once per callsite, and from the whole
//! [`Record`], which is asked for each one that is left. tracing's [`Level`] and [`LevelFilter`] are filters; the
//! functions of this module make others; [`and`](FilterExt::and), [`or`](FilterExt::or) and [`not`](FilterExt::not) join them,
//! or a [`Chain`] of rules.
//!
//! | by | filter |
//! |---|---|
//! | severity | a level, [`Severity`](crate::Severity), [`Threshold`], [`between`], [`level_by`] a value |
//! | target | [`targets`], [`name`], [`target_contains`], [`target_starts_with`], `target_matches` |
//! | message | [`message`], `matches` |
//! | fields of the event, of spans | [`field`], [`span`], [`any_span_field`], [`any_field`], `field_matches` |
//! | time of day | [`hours`] |
//! | how many | [`one_in`], [`share`], [`first`], [`rate`] |
//! | what you like | [`on_meta`], [`on_record`] |
//!
//! Those that ask how many keep count of what they drop; each has a [report](crate::stats::Report). An
//! [`Output`](crate::Output) has room for filters, and [`Filtered`](crate::handler::Filtered) puts one in front of any handler.
//! They keep no time but the records' own, so that the same records always come to the same.
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

mod cells;
mod chain;
mod combine;
mod condition;
mod count;
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
pub use chain::{Chain, Verdict};
pub use combine::{And, FilterExt, Not, Or};
pub use condition::Condition;
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
pub use place::{Place, Spans, any_field, any_span_field, field, message, span};
pub use rate::{Rate, rate};
pub use share::{Share, share};
pub use switch::{LevelSwitch, ScopedLevel};
pub use target::{Targets, targets};
pub use threshold::Threshold;

pub(crate) use target::is_inside;

pub use tracing::Level;
pub use tracing_subscriber::filter::LevelFilter;

pub use crate::record::Meta;
use crate::record::Record;
use crate::stats::{DropReason, Report};

/// Decides which records pass.
pub trait Filter: Send + Sync + 'static {
    /// Whether a record with this metadata may pass. It must always say the same of the same metadata: answers are kept
    /// per callsite. It must not log: tracing asks it under its own locks.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let _ = meta;
        true
    }

    /// The most verbose level at which [`enabled`](Self::enabled) ever says yes; joins the process's maximum level, above
    /// which tracing does not even look at a callsite.
    fn max_level(&self) -> LevelFilter {
        LevelFilter::TRACE
    }

    /// Whether this record passes; only asked where [`enabled`](Self::enabled) said yes.
    fn accepts(&self, record: &Record<'_>) -> bool {
        let _ = record;
        true
    }

    /// Whether [`accepts`](Self::accepts) ever says no. `false` lets the answer of [`enabled`](Self::enabled) stand.
    fn per_record(&self) -> bool {
        true
    }

    /// Adds what became of the records that it judged, where it keeps count: `accepted` those it was asked about, `delivered`
    /// those that passed.
    fn report(&self, reports: &mut Vec<Report>) {
        let _ = reports;
    }

    /// Both questions at once.
    fn passes(&self, record: &Record<'_>) -> bool {
        self.enabled(&record.meta()) && (!self.per_record() || self.accepts(record))
    }

    /// Why the records that it does not let pass are gone, for those who count them.
    fn reason(&self) -> DropReason {
        DropReason::Filtered
    }

    /// As [`passes`](Self::passes), and why not; `None`: it passes. By default the [`reason`](Self::reason); of filters that
    /// are joined it is that of the one that refused.
    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        (!self.passes(record)).then(|| self.reason())
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

/// `None` lets everything pass.
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

    fn report(&self, reports: &mut Vec<Report>) {
        if let Some(filter) = self {
            filter.report(reports);
        }
    }
    fn refusal(&self, record: &Record<'_>) -> Option<DropReason> {
        self.as_ref().and_then(|filter| filter.refusal(record))
    }
}
