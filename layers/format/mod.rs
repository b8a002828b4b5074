//! Record to bytes.
//!
//! A [`Format`] writes one record, without what ends it (that is [`Framing`](crate::Framing)), into the caller's
//! buffer. [`Text`] is for people, [`Pattern`] for people with wishes of their own, [`Python`] for those who bring
//! Python's formats along; [`Json`] is for machines, [`Preset`] for those that have a schema, `JsonTemplate` for a schema of
//! one's own; [`Logfmt`] is for both, [`Csv`] for spreadsheets.

pub mod csv;
mod escape;
pub mod json;
mod kept;
mod level;
pub mod logfmt;
mod pattern;
mod python;
mod shown;
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
pub use text::Text;
pub use time::Time;

use std::fmt;
use std::io;

use crate::Error;
use crate::bytes::{number, width};
use crate::record::Record;

/// Turns a record into bytes.
pub trait Format: Send + Sync + 'static {
    /// Appends `record` to `out`, without a line end. After an error whatever was appended is taken back.
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error>;

    /// Appends what stands at the start of each new file: a header line, with its line end. By default nothing.
    fn preamble(&self, out: &mut Out<'_>) {
        let _ = out;
    }
}

/// What the sink at the other end can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// Colors are shown there, and wanted.
    pub color: bool,
    /// The most bytes that one record may have there, its framing included; `None`: no limit. For formats that can leave
    /// something out: [`Text`] and [`Json`] do not look at it.
    pub max_bytes: Option<usize>,
}

impl Caps {
    /// The same with colors or without.
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }
}

/// Where a format writes: the end of the caller's buffer, and what the sink behind it can take.
#[derive(Debug)]
pub struct Out<'a> {
    buffer: &'a mut Vec<u8>,
    caps: Caps,
}

impl<'a> Out<'a> {
    /// Appends to `buffer`.
    #[inline]
    pub fn new(buffer: &'a mut Vec<u8>, caps: Caps) -> Self {
        Self { buffer, caps }
    }

    /// What the sink can take.
    #[inline]
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// Appends a text as it is.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Appends one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.buffer.push(byte);
    }

    /// The buffer, with all that was in it before.
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

/// A format from a closure.
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

/// See [`from_fn`].
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
