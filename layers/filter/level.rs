use super::{Filter, LevelFilter};
use crate::record::Meta;
use tracing::Level;

/// A threshold: passes this level and more important ones.
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

/// A threshold: passes this level and more important ones.
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

/// Passes the levels from `one` to `other`, both included, in whichever order they are given.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::between(Level::INFO, Level::WARN);
/// let passes = |severity| filter.passes(&RecordBuf::new(severity, "", "").as_record());
/// assert!(passes(Severity::INFO) && passes(Severity::WARN));
/// assert!(!passes(Severity::DEBUG) && !passes(Severity::ERROR));
/// ```
pub fn between(one: Level, other: Level) -> Between {
    Between { most_important: one.min(other), most_verbose: one.max(other) }
}

/// See [`between`].
#[derive(Clone, Copy, Debug)]
pub struct Between {
    most_important: Level,
    most_verbose: Level,
}

impl Filter for Between {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        (self.most_important..=self.most_verbose).contains(&meta.level())
    }

    fn max_level(&self) -> LevelFilter {
        LevelFilter::from_level(self.most_verbose)
    }

    fn per_record(&self) -> bool {
        false
    }
}
