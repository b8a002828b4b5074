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
    /// Of a [`Partial`]: here, so that one is two words.
    missed: Vec<usize>,
}

impl Error {
    /// An error without a source. By custom the message is lower case, without a trailing dot, and names the thing.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None, told: false, missed: Vec::new() }))
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

    /// The same error once more, for another caller. Of its source only the operating system's error comes along whole.
    pub(crate) fn again(&self) -> Self {
        let again = Self::new(self.0.kind, self.0.message.clone());
        match (self.io_error(), &self.0.source) {
            (Some(io), _) => again.with_source(match io.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(io.kind(), io.to_string()),
            }),
            (None, Some(source)) => again.with_source(source.to_string()),
            (None, None) => again,
        }
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

/// Some records of a batch were delivered, and others met an error.
///
/// ```
/// use tracing_handlers::{Error, ErrorKind, Partial};
///
/// let stopped = Partial::new(2, Error::new(ErrorKind::Io, "no room"));
/// assert_eq!(stopped.missed(5).collect::<Vec<_>>(), [2, 3, 4]);
/// let scattered = Partial::scattered(5, vec![1, 3], Error::new(ErrorKind::Format, "not a number"));
/// assert_eq!((scattered.delivered, scattered.missed(5).collect()), (3, vec![1, 3]));
/// ```
#[derive(Debug)]
pub struct Partial {
    /// How many records were delivered whole: those at the front of the batch, unless it [says](Self::missed) which.
    pub delivered: usize,
    /// Why the others were not; where there were several reasons, the last.
    pub error: Error,
}

impl Partial {
    /// The first `delivered` records went through before `error`, and none behind them.
    pub fn new(delivered: usize, mut error: Error) -> Self {
        // It may come from another batch, whose places mean nothing in this one.
        error.0.missed.clear();
        Self { delivered, error }
    }

    /// Of so many `records` those at the places `missed`, from 0 and in order, were not delivered, and all others were.
    pub fn scattered(records: usize, missed: Vec<usize>, mut error: Error) -> Self {
        let delivered = records.saturating_sub(missed.len());
        error.0.missed = missed;
        Self { delivered, error }
    }

    /// The places of the records, from 0, that a batch of so many `records` has not delivered.
    pub fn missed(&self, records: usize) -> impl Iterator<Item = usize> {
        let places = &self.error.0.missed;
        let behind = if places.is_empty() { self.delivered..records } else { 0..0 };
        places.iter().copied().chain(behind)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_once_more_reads_the_same_and_has_the_same_cause() {
        let full = Error::io("cannot write a.log", io::Error::from_raw_os_error(28));
        assert_eq!(full.again().to_string(), full.to_string());
        assert_eq!(full.again().io_error().and_then(io::Error::raw_os_error), Some(28));
        let zero = Error::io("cannot write a.log", io::ErrorKind::WriteZero.into());
        assert_eq!(zero.again().io_error().map(io::Error::kind), Some(io::ErrorKind::WriteZero));
        let other = Error::new(ErrorKind::Closed, "closed").with_source("by the peer");
        assert_eq!((other.again().kind(), other.again().to_string()), (ErrorKind::Closed, other.to_string()));
    }
}
