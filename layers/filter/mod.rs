//! Yes or no: which records a handler takes.
//!
//! A [`Filter`] judges twice: from the [`Meta`] alone, which is asked once per callsite, and from the whole
//! [`Record`], which is asked for each one that is left. tracing's [`Level`] and [`LevelFilter`] are filters; the
//! functions of this module make others; [`and`](FilterExt::and), [`or`](FilterExt::or) and [`not`](FilterExt::not) join them.
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

mod combine;
mod from_fn;
mod level;
mod switch;
mod target;
mod threshold;

pub use combine::{And, FilterExt, Not, Or};
pub use from_fn::{OnMeta, OnRecord, on_meta, on_record};
pub use level::{Between, between};
pub use switch::{LevelSwitch, ScopedLevel};
pub use target::{Targets, targets};
pub use threshold::Threshold;

pub(crate) use target::is_inside;

pub use tracing::Level;
pub use tracing_subscriber::filter::LevelFilter;

pub use crate::record::Meta;
use crate::record::Record;
use crate::stats::Report;

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
}
