use std::fmt;

use tracing::Level;

/// How important a record is: 1 (least) to 24, the numbers of OpenTelemetry's log data model.
///
/// tracing's five levels are the first steps of five of the six groups; the steps between them are for what is graded
/// finer elsewhere (syslog's `notice`, `alert` …).
///
/// ```
/// use tracing_handlers::Severity;
/// use tracing::Level;
///
/// assert_eq!(Severity::from(Level::WARN), Severity::WARN);
/// assert_eq!(Severity::WARN.number(), 13);
/// assert!(Severity::ERROR > Severity::INFO);
/// assert_eq!(Severity::FATAL.level(), Level::ERROR);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

impl Severity {
    /// 1, tracing's `TRACE`.
    pub const TRACE: Self = Self(1);
    /// 5, tracing's `DEBUG`.
    pub const DEBUG: Self = Self(5);
    /// 9, tracing's `INFO`.
    pub const INFO: Self = Self(9);
    /// 13, tracing's `WARN`.
    pub const WARN: Self = Self(13);
    /// 17, tracing's `ERROR`.
    pub const ERROR: Self = Self(17);
    /// 21, above every level of tracing.
    pub const FATAL: Self = Self(21);

    /// The severity with this number, or `None` outside 1 to 24.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1..=24 => Some(Self(number)),
            _ => None,
        }
    }

    /// The severity with this number, which was one's before.
    #[inline]
    pub(super) const fn of_known(number: u8) -> Self {
        debug_assert!(number >= 1 && number <= 24);
        Self(number)
    }

    /// 1 to 24.
    #[inline]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The tracing level whose group this severity falls in; `FATAL`'s group counts as `ERROR`.
    #[inline]
    pub const fn level(self) -> Level {
        match self.0 {
            0..=4 => Level::TRACE,
            5..=8 => Level::DEBUG,
            9..=12 => Level::INFO,
            13..=16 => Level::WARN,
            _ => Level::ERROR,
        }
    }

    /// The name of the group, upper case: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0..=4 => "TRACE",
            5..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            _ => "FATAL",
        }
    }
}

impl From<Level> for Severity {
    #[inline]
    fn from(level: Level) -> Self {
        match level {
            Level::TRACE => Self::TRACE,
            Level::DEBUG => Self::DEBUG,
            Level::INFO => Self::INFO,
            Level::WARN => Self::WARN,
            Level::ERROR => Self::ERROR,
        }
    }
}

impl fmt::Debug for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The group's name, and the step where it is not the first: `WARN`, `INFO2`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 - 1) % 4 {
            0 => f.pad(self.name()),
            step => write!(f, "{}{}", self.name(), step + 1),
        }
    }
}
