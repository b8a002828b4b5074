use std::fmt;

use tracing::Level;

use super::{Filter, LevelFilter};
use crate::record::{Meta, Record, Severity};

/// The least severity that passes.
///
/// Converted from a tracing level, a [`Severity`], or a `LevelFilter`, of which `OFF` lets nothing pass.
///
/// ```
/// use tracing_handlers::filter::{Filter, Threshold};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let passes = |severity| Threshold::from(Severity::NOTICE).passes(&RecordBuf::new(severity, "", "").as_record());
/// assert!(passes(Severity::NOTICE) && passes(Severity::WARN) && !passes(Severity::INFO));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The number of a severity; above 24 nothing passes.
    least: u8,
}

impl Threshold {
    /// Lets everything pass.
    pub const ALL: Self = Self { least: 1 };
    /// Lets nothing pass.
    pub const OFF: Self = Self { least: u8::MAX };

    pub(super) const fn of_least(least: u8) -> Self {
        Self { least }
    }

    pub(super) const fn least(self) -> u8 {
        self.least
    }

    /// Whether `severity` passes.
    #[inline]
    pub const fn allows(self, severity: Severity) -> bool {
        severity.number() >= self.least
    }

    /// Lets a severity pass if either threshold does.
    pub(super) fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least) }
    }

    /// The least severity that passes, or `None` if nothing does.
    pub const fn severity(self) -> Option<Severity> {
        Severity::from_number(self.least)
    }

    /// The most verbose tracing level that contains a severity that passes.
    pub const fn level(self) -> LevelFilter {
        match self.severity() {
            Some(severity) => LevelFilter::from_level(severity.level()),
            None => LevelFilter::OFF,
        }
    }
}

/// Writes the least severity that passes, or `OFF`.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity() {
            Some(severity) => severity.fmt(f),
            None => f.write_str("OFF"),
        }
    }
}

impl From<Severity> for Threshold {
    fn from(severity: Severity) -> Self {
        Self { least: severity.number() }
    }
}

impl From<Level> for Threshold {
    fn from(level: Level) -> Self {
        Severity::from(level).into()
    }
}

impl From<LevelFilter> for Threshold {
    fn from(level: LevelFilter) -> Self {
        level.into_level().map_or(Self::OFF, Self::from)
    }
}

impl Filter for Threshold {
    #[inline]
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.allows(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        self.level()
    }

    #[inline]
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.allows(record.severity())
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// A threshold: lets this severity and more important ones pass.
impl Filter for Severity {
    #[inline]
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        meta.severity.is_at_least(*self)
    }

    fn max_level(&self) -> LevelFilter {
        LevelFilter::from_level(self.level())
    }

    fn per_record(&self) -> bool {
        false
    }
}
