//! The one error type of this crate.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// What went wrong, in one word. New kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: see [`source`](std::error::Error::source) for the `io::Error`.
    Io,
    /// A setting has a value that cannot be used.
    Config,
    /// A record could not be turned into bytes.
    Format,
    /// A deadline passed before the work was done.
    Timeout,
    /// A bounded place is full.
    Full,
    /// The destination has been closed.
    Closed,
    /// Foreign code (a format, a sink, a closure) panicked.
    Panic,
}

/// An error with a [kind](ErrorKind), a message that names the thing, and, where there is one, its source.
///
/// ```
/// use tracing_handlers::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Config, "rotation size must not be 0");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.to_string(), "rotation size must not be 0");
/// ```
// Boxed, so that a result without an error, which every record brings back, is one word.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    told: bool,
}

impl Error {
    /// An error without a source. By custom the message is lower case, without a trailing dot, and names the thing.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None, told: false }))
    }

    /// An [`ErrorKind::Io`] error; `what` says which thing and which step failed.
    pub fn io(what: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        Self::new(ErrorKind::Io, what).with_source(source)
    }

    /// The same error with the error that caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Somebody has told selflog, who knows the thing's name and whether this is news.
    pub(crate) fn told(mut self) -> Self {
        self.0.told = true;
        self
    }

    pub(crate) fn is_told(&self) -> bool {
        self.0.told
    }

    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operating system's error, where that is the cause.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.source.as_deref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Some(source) => write!(f, "{}: {source}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

/// What `main` prints of an error that it returns.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.source.as_deref()? as _)
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::io("input or output failed", source)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
        io::Error::new(kind, error)
    }
}

/// Some records were delivered, then an error came.
#[derive(Debug)]
pub struct Partial {
    /// How many records, from the front of the batch, were delivered whole.
    pub delivered: usize,
    /// Why the next one was not.
    pub error: Error,
}

impl Partial {
    /// `delivered` records went through before `error`.
    pub fn new(delivered: usize, error: Error) -> Self {
        Self { delivered, error }
    }
}

impl From<Partial> for Error {
    fn from(partial: Partial) -> Self {
        partial.error
    }
}

impl From<Error> for Partial {
    fn from(error: Error) -> Self {
        Self::new(0, error)
    }
}
