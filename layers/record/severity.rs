use std::fmt;
use std::str::FromStr;

use tracing::Level;

use crate::{Error, ErrorKind};

/// The importance of a record: a number from 1 (lowest) to 24, as in OpenTelemetry's log data model, and a name.
///
/// tracing's five levels are the first steps of five of the six groups; the steps between them represent finer grades of other
/// systems.
///
/// | name | number | also read as | macro |
/// |---|---|---|---|
/// | `TRACE` | 1 | | |
/// | `VERBOSE` | 3 | | [`verbose!`](crate::verbose) |
/// | `DEBUG` | 5 | | |
/// | `INFO` | 9 | `information` | |
/// | `NOTICE` | 10 | | [`notice!`](crate::notice) |
/// | `WARN` | 13 | `warning` | |
/// | `ERROR` | 17 | `err` | |
/// | `CRITICAL` | 18 | `crit` | [`critical!`](crate::critical) |
/// | `ALERT` | 19 | | [`alert!`](crate::alert) |
/// | `FATAL` | 21 | | [`fatal!`](crate::fatal) |
/// | `EMERGENCY` | 21 | `emerg`, `panic` | [`emergency!`](crate::emergency) |
///
/// The numbers are those that OpenTelemetry's data model assigns to syslog's severities.
///
/// A field `severity` of an event raises its severity if it contains the text of a name: one of these, a
/// [custom one](Self::define), or a step as displayed (`INFO3`). `info!(severity = "audit", "price changed")` does so if `audit` is
/// defined as 11; the text may also come from `%` or `?`. A name below the macro's level is ignored, and so is every other value,
/// numbers included: a field that merely has this name lowers no event. In either case the record contains the field like any
/// other; only the field that the macros in the table add is not one of the record's. tracing's maximum level and other layers use
/// the macro's own level, so it should be the one of the same group: [`level`](Self::level).
///
/// Two severities are equal if their numbers and their names are, so `FATAL` is not `EMERGENCY`, and [number](Self::from_number)
/// 10 without a name is not `NOTICE`. They are ordered by number; among equal numbers, the one named after its group is the
/// lowest, and the order of other names is fixed but unspecified. How important a record is depends on the number alone: thresholds,
/// filters and handlers compare severities with [`is_at_least`](Self::is_at_least).
///
/// ```
/// use tracing_handlers::Severity;
/// use tracing::Level;
///
/// assert_eq!(Severity::from(Level::WARN), Severity::WARN);
/// assert_eq!(Severity::WARN.number(), 13);
/// assert!(Severity::ERROR > Severity::INFO && Severity::NOTICE > Severity::INFO);
/// assert!(Severity::FATAL != Severity::EMERGENCY && Severity::FATAL.is_at_least(Severity::EMERGENCY));
/// assert_eq!(Severity::FATAL.level(), Level::ERROR);
/// assert_eq!("notice".parse::<Severity>()?, Severity::NOTICE);
/// assert_eq!(Severity::NOTICE.name(), "NOTICE");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// The constants can be matched on:
///
/// ```
/// use tracing_handlers::Severity;
///
/// let pager = |severity| match severity {
///     Severity::ALERT | Severity::EMERGENCY => "now",
///     severity if severity.is_at_least(Severity::ERROR) => "today",
///     _ => "never",
/// };
/// assert_eq!([Severity::ALERT, Severity::FATAL, Severity::INFO].map(pager), ["now", "today", "never"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity {
    // The derived order is by number first.
    number: u8,
    /// The name: 0 for the name of the group, or else the index in [`NAMES`], counted from 1.
    name: u8,
}

impl Severity {
    /// 1, tracing's `TRACE`.
    pub const TRACE: Self = Self::of_group(1);
    /// 3, between `TRACE` and `DEBUG`.
    pub const VERBOSE: Self = Self { number: 3, name: 1 };
    /// 5, tracing's `DEBUG`.
    pub const DEBUG: Self = Self::of_group(5);
    /// 9, tracing's `INFO`.
    pub const INFO: Self = Self::of_group(9);
    /// 10, syslog's `notice`.
    pub const NOTICE: Self = Self { number: 10, name: 2 };
    /// 13, tracing's `WARN`.
    pub const WARN: Self = Self::of_group(13);
    /// 17, tracing's `ERROR`.
    pub const ERROR: Self = Self::of_group(17);
    /// 18, syslog's `crit`, Python's `CRITICAL`.
    pub const CRITICAL: Self = Self { number: 18, name: 3 };
    /// 19, syslog's `alert`.
    pub const ALERT: Self = Self { number: 19, name: 4 };
    /// 21, above every level of tracing.
    pub const FATAL: Self = Self::of_group(21);
    /// 21, syslog's `emerg`.
    pub const EMERGENCY: Self = Self { number: 21, name: 5 };

    /// Returns the severity with this number and the name of its group, or `None` outside 1 to 24.
    ///
    /// ```
    /// use tracing_handlers::Severity;
    ///
    /// let tenth = Severity::from_number(10).unwrap();
    /// assert_eq!((tenth.to_string(), tenth.number()), ("INFO2".to_owned(), Severity::NOTICE.number()));
    /// assert!(tenth != Severity::NOTICE && tenth.is_at_least(Severity::NOTICE));
    /// ```
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1..=24 => Some(Self::of_group(number)),
            _ => None,
        }
    }

    const fn of_group(number: u8) -> Self {
        Self { number, name: 0 }
    }

    /// Restores a severity from its parts.
    #[inline]
    pub(super) const fn of_known(number: u8, name: u8) -> Self {
        debug_assert!(number >= 1 && number <= 24);
        Self { number, name }
    }

    #[inline]
    pub(super) const fn name_index(self) -> u8 {
        self.name
    }

    /// Defines a custom severity for the whole process. Defining the same name again changes its number.
    ///
    /// `name` is displayed in upper case and parsed in any case. Python's `addLevelName`.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the number is not in 1 to 24; if the name is empty, longer than 32 bytes, contains
    /// anything but ASCII letters, digits, `_` and `-`, or is in the table above or a step's (`INFO2`); or if there are already 250 names.
    ///
    /// ```
    /// use tracing_handlers::Severity;
    ///
    /// let audit = Severity::define("audit", 11)?;
    /// assert_eq!((audit.name(), audit.number()), ("AUDIT", 11));
    /// assert_eq!("Audit".parse::<Severity>()?.name(), "AUDIT");
    /// assert!(Severity::define("audit", 25).is_err() && Severity::define("two words", 11).is_err());
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn define(name: &str, number: u8) -> Result<Self, Error> {
        let refused = |why: &str| Err(Error::new(ErrorKind::Config, format!("severity {name:?}: {why}")));
        if Self::from_number(number).is_none() {
            return refused("the number must be between 1 and 24");
        }
        if !is_well_formed(name) {
            return refused("the name must be 1 to 32 ASCII letters, digits, `_` and `-`");
        }
        if standard(name).or_else(|| step(name)).is_some() {
            return refused("the name is already in use");
        }
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            return refused("the name must not be a number");
        }
        names::define(name, number).map_or_else(|| refused("there are too many names"), Ok)
    }

    /// Returns the same number with a name from another process. A name that this process does not know is learned while fewer than
    /// `names` are in use, to be displayed but not parsed; otherwise the severity has the name of its group. Returns `None` if the
    /// name is not valid.
    pub(super) fn called(self, name: &str, names: usize) -> Option<Self> {
        if !is_well_formed(name) {
            return None;
        }
        if step(name).is_some() {
            return Some(Self::of_group(self.number));
        }
        let index = standard(name).map(|known| known.name).or_else(|| names::learn(name, names));
        Some(Self { name: index.unwrap_or(0), ..self })
    }

    /// Returns the number, 1 to 24.
    #[inline]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// Whether it is as important as `least` or more: compares the numbers alone.
    #[inline]
    pub const fn is_at_least(self, least: Self) -> bool {
        self.number >= least.number
    }

    /// Returns the tracing level of this severity's group; `FATAL`'s group counts as `ERROR`.
    #[inline]
    pub const fn level(self) -> Level {
        match self.number {
            0..=4 => Level::TRACE,
            5..=8 => Level::DEBUG,
            9..=12 => Level::INFO,
            13..=16 => Level::WARN,
            _ => Level::ERROR,
        }
    }

    /// Returns the name in upper case: its own, or that of its group: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`.
    #[inline]
    pub fn name(self) -> &'static str {
        match self.name {
            0 => self.group(),
            index => names::get(index).unwrap_or(self.group()),
        }
    }

    /// Returns the severity with this name. Unlike parsing, it does not allocate an error.
    pub(crate) fn named(name: &str) -> Option<Self> {
        standard(name).or_else(|| names::find(name)).or_else(|| step(name))
    }

    /// Returns the name of its group.
    pub(crate) const fn group(self) -> &'static str {
        match self.number {
            0..=4 => "TRACE",
            5..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            _ => "FATAL",
        }
    }

    /// Whether it has a name other than its group's.
    #[inline]
    pub(crate) const fn is_named(self) -> bool {
        self.name != 0
    }

    /// Returns syslog's severity (RFC 5424, 6.2.1): 0 (emergency) to 7 (debug).
    ///
    /// 21 and above is emergency, 19 alert, 18 critical, 17 error, 13 warning, 10 notice, 9 informational, and below 9 debug; steps
    /// between these count as the next lower one.
    pub const fn syslog(self) -> u8 {
        match self.number {
            21.. => 0,
            19..=20 => 1,
            18 => 2,
            17 => 3,
            13..=16 => 4,
            10..=12 => 5,
            9 => 6,
            _ => 7,
        }
    }

    /// Returns the severity for one of syslog's (RFC 5424, 6.2.1); `None` above 7.
    pub const fn from_syslog(severity: u8) -> Option<Self> {
        Some(match severity {
            0 => Self::EMERGENCY,
            1 => Self::ALERT,
            2 => Self::CRITICAL,
            3 => Self::ERROR,
            4 => Self::WARN,
            5 => Self::NOTICE,
            6 => Self::INFO,
            7 => Self::DEBUG,
            _ => return None,
        })
    }

    /// Returns Python's level number (`logging`): `DEBUG` 10, `INFO` 20, `WARNING` 30, `ERROR` 40, `CRITICAL` 50; steps between
    /// them are in between, and `TRACE` is 5. [`from_python`](Self::from_python) returns a severity of the original number.
    pub const fn python(self) -> u32 {
        let step = (self.number - 1) % 4;
        match self.number {
            1..=4 => 5 + step as u32,
            5..=17 => (self.number as u32 - 1) / 4 * 10 + [0, 3, 5, 8][step as usize],
            _ => 50 + self.number as u32 - 18,
        }
    }

    /// Returns the severity for a level number of Python's `logging`.
    pub const fn from_python(level: u32) -> Self {
        let step = (level % 10 * 4 / 10) as u8;
        match level {
            0..=5 => Self::TRACE,
            6..=7 => Self::of_group(level as u8 - 4),
            8..=9 => Self::of_group(4),
            10..=39 => Self::of_group(level as u8 / 10 * 4 + 1 + step),
            40..=49 => Self::ERROR,
            50 => Self::CRITICAL,
            51..=55 => Self::of_group(level as u8 - 32),
            _ => Self::of_group(24),
        }
    }

    /// Returns the event type in Windows' event log (`ReportEvent`): 1 error, 2 warning, 4 information.
    pub const fn windows(self) -> u16 {
        match self.number {
            17.. => 1,
            13..=16 => 2,
            _ => 4,
        }
    }

    /// Returns the severity for an event type of Windows' event log: 1 error, 2 warning, 0 (success), 4 (information) and 8 (audit
    /// success) `INFO`, 16 (audit failure) `NOTICE`; `None` for others.
    pub const fn from_windows(event_type: u16) -> Option<Self> {
        Some(match event_type {
            1 => Self::ERROR,
            2 => Self::WARN,
            0 | 4 | 8 => Self::INFO,
            16 => Self::NOTICE,
            _ => return None,
        })
    }
}

fn is_well_formed(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

/// Finds a standard name.
fn standard(name: &str) -> Option<Severity> {
    let is = |(known, _): &&(&str, Severity)| known.eq_ignore_ascii_case(name);
    STANDARD.iter().find(is).map(|(_, severity)| *severity)
}

/// Finds a step without a name of its own, as it is displayed.
fn step(name: &str) -> Option<Severity> {
    let place = STEPS.iter().position(|step| step.eq_ignore_ascii_case(name))?;
    Severity::from_number(place as u8 + 1)
}

#[rustfmt::skip]
const STEPS: [&str; 24] = [
    "TRACE", "TRACE2", "TRACE3", "TRACE4",
    "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO", "INFO2", "INFO3", "INFO4",
    "WARN", "WARN2", "WARN3", "WARN4",
    "ERROR", "ERROR2", "ERROR3", "ERROR4",
    "FATAL", "FATAL2", "FATAL3", "FATAL4",
];

const STANDARD: [(&str, Severity); 17] = [
    ("trace", Severity::TRACE),
    ("verbose", Severity::VERBOSE),
    ("debug", Severity::DEBUG),
    ("info", Severity::INFO),
    ("information", Severity::INFO),
    ("notice", Severity::NOTICE),
    ("warn", Severity::WARN),
    ("warning", Severity::WARN),
    ("error", Severity::ERROR),
    ("err", Severity::ERROR),
    ("critical", Severity::CRITICAL),
    ("crit", Severity::CRITICAL),
    ("alert", Severity::ALERT),
    ("fatal", Severity::FATAL),
    ("emergency", Severity::EMERGENCY),
    ("emerg", Severity::EMERGENCY),
    ("panic", Severity::EMERGENCY),
];

/// The names other than those of the groups. Records contain an index.
mod names {
    use std::sync::{Mutex, OnceLock};

    use super::{MAX_NAMES, Severity};
    use crate::sync::lock;

    static NAMES: [OnceLock<&'static str>; MAX_NAMES] = [const { OnceLock::new() }; MAX_NAMES];
    /// Custom names, with their current numbers; 0 for a name that was learned and is not defined.
    static OWN: Mutex<Vec<Severity>> = Mutex::new(Vec::new());

    const STANDARD: [&str; 5] = ["VERBOSE", "NOTICE", "CRITICAL", "ALERT", "EMERGENCY"];

    pub(super) fn get(index: u8) -> Option<&'static str> {
        let index = usize::from(index).checked_sub(1)?;
        match STANDARD.get(index) {
            Some(name) => Some(name),
            None => NAMES.get(index - STANDARD.len())?.get().copied(),
        }
    }

    /// Defines a name. Returns `None` if all places are taken.
    pub(super) fn define(name: &str, number: u8) -> Option<Severity> {
        let mut own = lock(&OWN);
        if let Some(known) = own.iter_mut().find(|known| known.name().eq_ignore_ascii_case(name)) {
            known.number = number;
            return Some(*known);
        }
        add(&mut own, name, number)
    }

    /// Returns the index of a name, whose number does not change; `None` if it is new, and `names` or more are in use.
    pub(super) fn learn(name: &str, names: usize) -> Option<u8> {
        let mut own = lock(&OWN);
        if let Some(known) = own.iter().find(|known| known.name().eq_ignore_ascii_case(name)) {
            return Some(known.name);
        }
        if own.len() >= names {
            return None;
        }
        add(&mut own, name, 0).map(|learned| learned.name)
    }

    fn add(own: &mut Vec<Severity>, name: &str, number: u8) -> Option<Severity> {
        let place = NAMES.get(own.len())?;
        // Leaked on purpose: names live as long as the process, and their number is limited.
        let _ = place.set(String::leak(name.to_ascii_uppercase()));
        let severity = Severity { number, name: (own.len() + STANDARD.len() + 1) as u8 };
        own.push(severity);
        Some(severity)
    }

    pub(super) fn find(name: &str) -> Option<Severity> {
        let is = |known: &&Severity| known.number > 0 && known.name().eq_ignore_ascii_case(name);
        lock(&OWN).iter().find(is).copied()
    }
}

const MAX_NAMES: usize = 250;
const MAX_NAME: usize = 32;

/// Parses any of the names and the steps as they are displayed (`INFO3`), in any case, with whitespace around them or without.
impl FromStr for Severity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::named(name.trim()).ok_or_else(|| Error::new(ErrorKind::Config, format!("{name:?} is not a severity")))
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

/// Writes its own name, or the group's, and the step if it is not the first: `NOTICE`, `WARN`, `INFO2`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = STEPS.get(usize::from(self.number - 1)).filter(|_| !self.is_named());
        f.pad(step.copied().unwrap_or_else(|| self.name()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Any number with the name of its group, a standard name, or one defined here.
    fn any() -> impl Strategy<Value = Severity> {
        (1..=24_u8, 0..=6_u8).prop_map(|(number, name)| {
            let known = [Severity::VERBOSE, Severity::NOTICE, Severity::CRITICAL, Severity::ALERT, Severity::EMERGENCY];
            match usize::from(name) {
                0 => Severity::of_group(number),
                6 => Severity { number, ..Severity::define("ordered", 7).expect("a good name") },
                name => Severity { number, ..known[name - 1] },
            }
        })
    }

    proptest! {
        #[test]
        fn the_order_is_total_and_agrees_with_equality_and_hashing(one in any(), other in any(), third in any()) {
            prop_assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
            prop_assert_eq!(one.partial_cmp(&other), Some(one.cmp(&other)));
            prop_assert_eq!(one.cmp(&other).is_eq(), one == other);
            prop_assert_eq!(one == other, one.number() == other.number() && one.name() == other.name());
            prop_assert_eq!(HashSet::from([one, other]).len() == 1, one == other);
            if one <= other && other <= third {
                prop_assert!(one <= third);
            }
        }

        #[test]
        fn importance_depends_on_the_number_alone(one in any(), other in any()) {
            prop_assert_eq!(one.is_at_least(other), one.number() >= other.number());
            if one.number() != other.number() {
                prop_assert_eq!(one.cmp(&other), one.number().cmp(&other.number()));
            }
            prop_assert!(Severity::of_group(one.number()) <= one);
        }
    }

    #[test]
    fn python_s_and_syslog_s_numbers_convert_back() {
        for number in 1..=24 {
            let severity = Severity::from_number(number).expect("it is in the range");
            assert_eq!(Severity::from_python(severity.python()).number(), number);
        }
        for syslog in 0..=7 {
            assert_eq!(Severity::from_syslog(syslog).map(Severity::syslog), Some(syslog));
        }
        let named = [10, 20, 30, 40, 50].map(|level| Severity::from_python(level).name());
        assert_eq!(named, ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
        assert_eq!((Severity::from_syslog(8), Severity::from_windows(3)), (None, None));
    }

    #[test]
    fn a_name_that_is_read_as_another_severity_cannot_be_defined() {
        for name in ["info2", "FATAL4", "notice", "Warning", "7", "25", "007"] {
            let error = Severity::define(name, 5).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        }
        let step = Severity::of_group(5).called("INFO2", 250).expect("a good name");
        assert_eq!(step, Severity::of_group(5), "the name of another number");
    }

    #[test]
    fn what_is_displayed_parses_again_and_is_padded() {
        for number in 1..=24 {
            let severity = Severity::from_number(number).expect("it is in the range");
            let shown = severity.to_string();
            assert!(shown.parse::<Severity>().is_ok_and(|read| read == severity), "{shown}");
            assert_eq!(format!("{severity:<9}|"), format!("{shown:<9}|"));
        }
        assert_eq!(Severity::from_number(11).map(|severity| severity.to_string()).as_deref(), Some("INFO3"));
        for wrong in ["INFO1", "INFO5", "INFO22", "NOTICE2", "3", "", "INFO 2"] {
            assert!(wrong.parse::<Severity>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_defined_again_changes_its_number() {
        let before = Severity::define("moved", 6).expect("a fine name");
        let after = Severity::define("MOVED", 14).expect("a fine name");
        assert_eq!((before.name(), after.name(), after.number()), ("MOVED", "MOVED", 14));
        assert_eq!("moved".parse::<Severity>().map(Severity::number).ok(), Some(14));
        assert!(Severity::define("warn", 14).is_err());
    }
}
