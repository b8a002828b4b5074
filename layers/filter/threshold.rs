use std::fmt;
use std::str::FromStr;

use tracing::Level;

use super::{Filter, LevelFilter};
use crate::record::{Meta, Record, Severity};
use crate::{Error, ErrorKind};

/// The least severity that passes.
///
/// It converts from a tracing level, a [`Severity`], a `LevelFilter`, of which `OFF` passes nothing, and from text: the name of a
/// severity, or `off`. Thresholds are numbers: `NOTICE` and a custom severity 10 are the same threshold.
///
/// ```
/// use tracing_handlers::filter::{Filter, Threshold};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let passes = |severity| Threshold::from(Severity::NOTICE).passes(&RecordBuf::new(severity, "", "").as_record());
/// assert!(passes(Severity::NOTICE) && passes(Severity::WARN) && !passes(Severity::INFO));
/// assert_eq!("notice".parse::<Threshold>()?, Severity::NOTICE.into());
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The number of a severity; above 24 nothing passes.
    least: u8,
}

impl Threshold {
    /// Passes everything.
    pub const ALL: Self = Self { least: 1 };
    /// Passes nothing.
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

    /// Returns the threshold that passes what either passes.
    pub(super) fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least) }
    }

    /// Returns the least severity that passes, with the name of its group; `None` if nothing passes.
    pub const fn severity(self) -> Option<Severity> {
        Severity::from_number(self.least)
    }

    /// Returns the most verbose tracing level with a severity that passes.
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
            None => f.pad("OFF"),
        }
    }
}

/// Parses a severity, as [`Severity`] does, or `off`, in any case.
impl FromStr for Threshold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.trim().eq_ignore_ascii_case("off") {
            return Ok(Self::OFF);
        }
        let severity = Severity::named(text.trim())
            .ok_or_else(|| Error::new(ErrorKind::Config, format!("expected a severity or `off`, found `{text}`")))?;
        Ok(severity.into())
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

/// Passes this severity and more important ones.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_that_are_displayed_parse_again() {
        for threshold in (1..=24).map(Threshold::of_least).chain([Threshold::OFF]) {
            assert_eq!(threshold.to_string().parse::<Threshold>().ok(), Some(threshold), "{threshold}");
        }
        assert_eq!("Off".parse::<Threshold>().ok(), Some(Threshold::OFF));
        assert_eq!("critical".parse::<Threshold>().ok(), Some(Severity::CRITICAL.into()));
        let error = "loud".parse::<Threshold>().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("expected a severity or `off`, found `loud`"));
    }

    #[test]
    fn severities_of_one_number_are_one_threshold() {
        assert_eq!(Threshold::from(Severity::FATAL), Threshold::from(Severity::EMERGENCY));
        let custom = Severity::define("level_ten", 10).expect("a good name");
        for (threshold, severity) in [(Severity::NOTICE, custom), (custom, Severity::NOTICE)] {
            assert!(Threshold::from(threshold).allows(severity));
            let record = crate::RecordBuf::new(severity, "", "");
            assert!(threshold.passes(&record.as_record()));
        }
    }
}
