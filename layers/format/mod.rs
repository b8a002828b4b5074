//! Formats: records as bytes.
//!
//! A [`Format`] appends one record to the caller's buffer, without the line end, which [`Framing`](crate::Framing) adds.
//!
//! | format | writes |
//! |---|---|
//! | [`Text`] | lines for people |
//! | [`Pattern`] | lines by a pattern, as log4j2's PatternLayout |
//! | [`Python`] | lines by one of Python's formats |
//! | [`Logfmt`] | `key=value` pairs, for people and machines |
//! | [`Json`] | a JSON object per record |
//! | [`Preset`] | JSON in the schema of a well-known receiver: ECS, GELF …, or as `tracing_subscriber::fmt().json()` writes it |
//! | `JsonTemplate` | JSON in a schema of your own |
//! | [`Csv`] | rows for spreadsheets and databases |
//!
//! | shared setting | says how to write |
//! |---|---|
//! | [`Time`] | the time: RFC 3339, a time zone, a format of `strftime`, the uptime, a function, a timer of tracing-subscriber |
//! | [`LevelNames`] | the severity |
//! | [`SpanTimes`] | the times of closed spans: `time.busy=1.23µs`, seconds, nanoseconds |

pub mod csv;
mod escape;
pub mod json;
mod kept;
mod known_names;
mod level;
pub mod logfmt;
mod pattern;
mod python;
mod shown;
mod span_times;
mod spans;
mod text;
mod time;

pub use csv::Csv;
#[cfg(feature = "serde")]
pub use json::JsonTemplate;
pub use json::{Json, Preset};
pub use level::LevelNames;
pub use logfmt::Logfmt;
pub use pattern::Pattern;
pub use python::Python;
pub use span_times::SpanTimes;
pub use text::Text;
pub use time::Time;

use std::fmt;
use std::io;

use crate::Error;
use crate::bytes::{number, width};
use crate::record::{Record, Severity};

/// Converts records to bytes.
pub trait Format: Send + Sync + 'static {
    /// Appends `record` to `out`, without a line end. If it returns an error, the caller removes what it has appended.
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error>;

    /// Appends the header of a new file, including its line end. By default, appends nothing.
    fn preamble(&self, out: &mut Out<'_>) {
        let _ = out;
    }
}

/// Shows `dyn Format`, so that a boxed one does not keep others from deriving `Debug`.
impl fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Format")
    }
}

/// The capabilities of the sink that a format writes for.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// Whether to write colors and styles. Default: `false`. A sink may have [another answer](Self::with_color_from) for severe
    /// records.
    pub color: bool,
    /// The maximum length of a record in bytes, including its framing; `None` (the default) for no limit. It is meant for formats
    /// that can shorten a record: [`Text`] and [`Json`] ignore it.
    pub max_bytes: Option<usize>,
    /// Whether records with at least this number of a severity have colors, if that differs.
    severe: Option<(u8, bool)>,
}

impl Caps {
    /// Returns these capabilities with or without colors.
    pub fn with_color(self, color: bool) -> Self {
        Self { color, severe: None, ..self }
    }

    /// Returns these capabilities with or without colors for records at least as severe as `severity`, such as those that a console
    /// writes to standard error.
    ///
    /// ```
    /// use tracing_handlers::Severity;
    /// use tracing_handlers::format::Caps;
    ///
    /// let caps = Caps::default().with_color_from(Severity::WARN, true);
    /// assert!(!caps.of(Severity::INFO).color && caps.of(Severity::ERROR).color);
    /// ```
    pub fn with_color_from(self, severity: Severity, color: bool) -> Self {
        Self { severe: Some((severity.number(), color)), ..self }
    }

    /// Returns the capabilities for records of this severity, which is what a format must be given.
    #[inline]
    pub fn of(self, severity: Severity) -> Self {
        match self.severe {
            Some((least, color)) if severity.number() >= least => self.with_color(color),
            _ => Self { severe: None, ..self },
        }
    }

    /// Returns the capabilities for this record, without looking at it as a rule.
    #[inline]
    pub(crate) fn of_record(&self, record: &Record<'_>) -> Self {
        if self.severe.is_some() { self.of_severity_in(record) } else { *self }
    }

    #[cold]
    #[inline(never)]
    fn of_severity_in(&self, record: &Record<'_>) -> Self {
        self.of(record.severity())
    }
}

/// The output of a format: the end of the caller's buffer, and the capabilities of the sink.
#[derive(Debug)]
pub struct Out<'a> {
    buffer: &'a mut Vec<u8>,
    caps: Caps,
}

impl<'a> Out<'a> {
    /// Creates an output that appends to `buffer`.
    #[inline]
    pub fn new(buffer: &'a mut Vec<u8>, caps: Caps) -> Self {
        Self { buffer, caps }
    }

    /// Returns the capabilities of the sink.
    #[inline]
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// Appends a text without escaping it.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Appends one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.buffer.push(byte);
    }

    /// Returns the whole buffer, including what was in it before.
    #[inline]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer
    }
}

impl fmt::Write for Out<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl io::Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a format from a closure.
///
/// ```
/// use tracing_handlers::format::{self, Caps, Format, Out};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let shout = format::from_fn(|record, out| {
///     out.push_str(&record.message().to_uppercase());
///     Ok(())
/// });
/// let mut line = Vec::new();
/// shout.format(&RecordBuf::new(Severity::INFO, "", "hear").as_record(), &mut Out::new(&mut line, Caps::default()))?;
/// assert_eq!(line, b"HEAR");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn from_fn<F>(format: F) -> FormatFn<F>
where
    F: Fn(&Record<'_>, &mut Out<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    FormatFn(format)
}

/// The format created by [`from_fn`].
#[must_use = "a format does nothing until an output uses it"]
#[derive(Clone)]
pub struct FormatFn<F>(F);

impl<F> fmt::Debug for FormatFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatFn").finish_non_exhaustive()
    }
}

impl<F> Format for FormatFn<F>
where
    F: Fn(&Record<'_>, &mut Out<'_>) -> Result<(), Error> + Send + Sync + 'static,
{
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        self.0(record, out)
    }
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<F: Format + ?Sized> Format for $type {
            fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
                (**self).format(record, out)
            }

            fn preamble(&self, out: &mut Out<'_>) {
                (**self).preamble(out);
            }
        }
    )*};
}

forward!(Box<F>, std::sync::Arc<F>);
