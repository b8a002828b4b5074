use std::fmt;

use tracing::Level;

use super::{Filter, LevelFilter, LevelSwitch, Threshold};
use crate::record::{Record, Severity};

/// A level that a handler is set to: a fixed one, or that of a [`LevelSwitch`], which may change.
///
/// It converts from a tracing level, a [`Severity`], a `LevelFilter`, a [`Threshold`] and a [`LevelSwitch`]. Where the level is about
/// records, a switch's level for one thread applies to the records of that thread; where it is about spans, it does not apply.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::LevelSwitch;
/// use tracing_handlers::{Handler, Output, format::Text, sink::Memory};
///
/// let level = LevelSwitch::new(Level::INFO);
/// let output = Output::new(Text::new(), Memory::new()).level(&level).spans(Level::WARN);
/// assert_eq!(output.max_level(), Level::INFO);
/// level.set(Level::DEBUG);
/// assert_eq!(output.max_level(), Level::DEBUG);
/// ```
#[derive(Clone)]
pub struct AnyLevel(Source);

#[derive(Clone)]
enum Source {
    Fixed(Threshold),
    Switch(LevelSwitch),
}

impl AnyLevel {
    /// Returns the current level; that of threads without their own.
    pub fn level(&self) -> Threshold {
        match &self.0 {
            Source::Fixed(level) => *level,
            Source::Switch(switch) => switch.level(),
        }
    }

    /// Returns the level if it never changes.
    pub(crate) fn fixed(&self) -> Option<Threshold> {
        match &self.0 {
            Source::Fixed(level) => Some(*level),
            Source::Switch(_) => None,
        }
    }

    /// Whether a record of this severity may be allowed.
    #[inline]
    pub(crate) fn may_allow(&self, severity: Severity) -> bool {
        match &self.0 {
            Source::Fixed(level) => level.allows(severity),
            Source::Switch(switch) => severity.number() >= switch.least_anywhere(),
        }
    }

    #[inline]
    pub(crate) fn allows(&self, record: &Record<'_>) -> bool {
        match &self.0 {
            Source::Fixed(level) => level.allows(record.severity()),
            Source::Switch(switch) => switch.accepts(record),
        }
    }

    /// The most verbose level of a record that may be allowed.
    pub(crate) fn max_level(&self) -> LevelFilter {
        match &self.0 {
            Source::Fixed(level) => level.level(),
            Source::Switch(switch) => switch.max_level(),
        }
    }
}

/// Shows the current level.
impl fmt::Debug for AnyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.level(), f)
    }
}

macro_rules! from_level {
    ($($level:ty),*) => {$(
        impl From<$level> for AnyLevel {
            fn from(level: $level) -> Self {
                Self(Source::Fixed(level.into()))
            }
        }
    )*};
}

from_level!(Level, LevelFilter, Severity, Threshold);

impl From<LevelSwitch> for AnyLevel {
    fn from(switch: LevelSwitch) -> Self {
        Self(Source::Switch(switch))
    }
}

impl From<&LevelSwitch> for AnyLevel {
    fn from(switch: &LevelSwitch) -> Self {
        switch.clone().into()
    }
}
