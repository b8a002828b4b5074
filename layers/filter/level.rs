use super::{Filter, LevelFilter, Threshold};
use crate::record::{Meta, Severity};
use tracing::Level;

/// Passes this level and more important ones.
impl Filter for LevelFilter {
    #[inline]
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.level() <= *self
    }

    fn max_level(&self) -> LevelFilter {
        *self
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// Passes this level and more important ones.
impl Filter for Level {
    #[inline]
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.level() <= *self
    }

    fn max_level(&self) -> LevelFilter {
        LevelFilter::from_level(*self)
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// Passes severities from `one` to `other`, both included, in either order. A tracing level stands for all severities of its group
/// ([`Severity::level`]), a [`Severity`] for its own number alone.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let passes = |filter: filter::Between, severity| filter.passes(&RecordBuf::new(severity, "", "").as_record());
/// let levels = filter::between(Level::INFO, Level::WARN);
/// assert!(passes(levels, Severity::INFO) && passes(levels, Severity::WARN));
/// assert!(!passes(levels, Severity::DEBUG) && !passes(levels, Severity::ERROR));
///
/// let finer = filter::between(Severity::NOTICE, Level::ERROR);
/// assert!(passes(finer, Severity::NOTICE) && passes(finer, Severity::EMERGENCY) && !passes(finer, Severity::INFO));
/// ```
pub fn between(one: impl Into<Bound>, other: impl Into<Bound>) -> Between {
    let (one, other) = (one.into(), other.into());
    Between { least: one.least.min(other.least), most: one.most.max(other.most) }
}

/// An end of the range of [`between`]: a tracing level or a [`Severity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The range of numbers that it stands for.
    least: u8,
    most: u8,
}

impl From<Level> for Bound {
    fn from(level: Level) -> Self {
        let least = Severity::from(level).number();
        let most = if level == Level::ERROR { MOST } else { least + 3 };
        Self { least, most }
    }
}

impl From<Severity> for Bound {
    fn from(severity: Severity) -> Self {
        Self { least: severity.number(), most: severity.number() }
    }
}

/// See [`between`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Copy, Debug)]
pub struct Between {
    least: u8,
    most: u8,
}

impl Filter for Between {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        (self.least..=self.most).contains(&meta.severity.number())
    }

    fn max_level(&self) -> LevelFilter {
        Threshold::of_least(self.least).level()
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// The group of `FATAL` counts as `ERROR`.
const MOST: u8 = 24;
