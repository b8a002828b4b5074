//! The one error type of this crate.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::bytes::one_line::escaped;

/// The category of an error. `Display` writes it in lower case: `io`, `config`. More kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system reported an error: see [`source`](std::error::Error::source) for the `io::Error`.
    Io,
    /// A setting has an invalid value.
    Config,
    /// A record could not be converted to bytes.
    Format,
    /// A deadline passed before the work was done.
    Timeout,
    /// A bounded buffer, queue or device is full.
    Full,
    /// The destination has been closed.
    Closed,
    /// Code that this crate called (a format, a sink, a closure) panicked.
    Panic,
}

/// Whether another attempt can help: see [`Error::class`]. `Display` writes it in lower case: `temporary`.
///
/// ```
/// use tracing_handlers::{Error, ErrorClass, ErrorKind};
///
/// assert_eq!(Error::new(ErrorKind::Timeout, "no answer").class(), ErrorClass::Temporary);
/// let refused = Error::new(ErrorKind::Io, "the server rejects the record").with_class(ErrorClass::Permanent);
/// assert_eq!(refused.class(), ErrorClass::Permanent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The same attempt may succeed later, for example when the peer is reachable again.
    Temporary,
    /// The same attempt will fail again: the record cannot be formatted, the destination is closed.
    Permanent,
    /// A disk, a queue or a peer's buffer is full. The same attempt may succeed later.
    Full,
}

/// An error with a [kind](ErrorKind), a [class](ErrorClass), a message that names the object concerned, and optionally a source.
///
/// ```
/// use tracing_handlers::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Config, "rotation size must not be 0");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.to_string(), "rotation size must not be 0");
/// ```
///
/// `Display` writes the message without the source, so that a caller that prints the whole chain of
/// [sources](std::error::Error::source) shows each of them once. The alternate form `{:#}` writes the chain on one line, as in this
/// crate's own messages. `Debug`, which is shown if `main` returns the error, adds the kind. All of them escape control characters,
/// line breaks, and characters that change the direction of text, as [`selflog::tell`](crate::selflog::tell) does.
///
/// ```
/// use tracing_handlers::Error;
///
/// let error = Error::io("cannot open app.log", std::io::ErrorKind::NotFound.into());
/// assert_eq!(error.to_string(), "cannot open app.log");
/// assert_eq!(format!("{error:#}"), "cannot open app.log: entity not found");
/// assert_eq!(format!("{error:?}"), "cannot open app.log: entity not found (Io)");
/// ```
// Boxed, so that the result of handling a record is one word if there is no error.
pub struct Error(Box<ErrorParts>);

struct ErrorParts {
    kind: ErrorKind,
    class: ErrorClass,
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    handler: Option<Box<str>>,
}

impl Error {
    /// Creates an error without a source. By convention the message is lower case, names the object concerned and has no trailing dot.
    ///
    /// Its class follows from the kind: `Io` and `Timeout` are temporary, `Full` is full, all others are permanent.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let class = class_of(kind);
        Self(Box::new(ErrorParts { kind, class, message: message.into(), source: None, handler: None }))
    }

    /// Creates an [`ErrorKind::Io`] error with the message `what`, which names the operation and its object. Its class is
    /// [`ErrorClass::Full`] if a disk is full or a quota is exceeded, and [`ErrorClass::Temporary`] otherwise.
    pub fn io(what: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        let class = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorClass::Full,
            _ => ErrorClass::Temporary,
        };
        Self::new(ErrorKind::Io, what).with_class(class).with_source(source)
    }

    /// Returns the error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the error with another class, for a destination that knows more than the kind implies.
    #[must_use]
    pub fn with_class(mut self, class: ErrorClass) -> Self {
        self.0.class = class;
        self
    }

    /// Returns the error with the name of the handler that has reported it to [`selflog`](crate::selflog).
    ///
    /// For handlers that report each change of their own state once: a caller that absorbs an error with a handler's name does not
    /// report it again.
    #[must_use]
    pub fn with_handler(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.handler = Some(name.into());
        self
    }

    /// Returns a copy of the error for another caller. A source that is neither an error of this crate nor an `io::Error` is replaced by
    /// its text.
    pub(crate) fn again(&self) -> Self {
        let ErrorParts { kind, class, message, source, handler } = &*self.0;
        let mut again = Self::new(*kind, message.clone()).with_class(*class);
        again.0.handler.clone_from(handler);
        match source.as_deref() {
            Some(source) => again.with_source(copy_of(source)),
            None => again,
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the class: whether another attempt can help.
    pub fn class(&self) -> ErrorClass {
        self.0.class
    }

    /// Returns the name of the handler that has reported the error to [`selflog`](crate::selflog); `None` if the caller that absorbs
    /// the error has to report it.
    pub fn handler(&self) -> Option<&str> {
        self.0.handler.as_deref()
    }

    /// Returns the operating system's error, if it is the source.
    pub fn io_error(&self) -> Option<&io::Error> {
        let source = self.0.source.as_deref()?;
        source.downcast_ref().or_else(|| source.downcast_ref::<Self>()?.io_error())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Io => "io",
            Self::Config => "config",
            Self::Format => "format",
            Self::Timeout => "timeout",
            Self::Full => "full",
            Self::Closed => "closed",
            Self::Panic => "panic",
        })
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
            Self::Full => "full",
        })
    }
}

fn class_of(kind: ErrorKind) -> ErrorClass {
    match kind {
        ErrorKind::Io | ErrorKind::Timeout => ErrorClass::Temporary,
        ErrorKind::Full => ErrorClass::Full,
        ErrorKind::Config | ErrorKind::Format | ErrorKind::Closed | ErrorKind::Panic => ErrorClass::Permanent,
    }
}

/// Copies errors of this crate and of the operating system, and the text of all others.
fn copy_of(source: &(dyn std::error::Error + Send + Sync + 'static)) -> Box<dyn std::error::Error + Send + Sync> {
    if let Some(error) = source.downcast_ref::<Error>() {
        return error.again().into();
    }
    let text = Chain(source).to_string();
    match source.downcast_ref::<io::Error>() {
        Some(io) => match io.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code).into(),
            None => io::Error::new(io.kind(), text).into(),
        },
        None => text.into(),
    }
}

/// Writes the message; in the alternate form `{:#}`, followed by all sources.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.0.message))?;
        match &self.0.source {
            Some(source) if f.alternate() => write!(f, ": {}", Chain(&**source)),
            _ => Ok(()),
        }
    }
}

/// Writes the message, all sources and the kind.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#} ({:?})", self.0.kind)
    }
}

/// Shows an error and its sources.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = std::iter::successors(Some(self.0), |error| error.source());
        // Bounded, since the chain of an error that is its own source never ends.
        for (depth, error) in sources.take(MAX_SOURCES).enumerate() {
            write!(f, "{}{}", if depth == 0 { "" } else { ": " }, escaped(&error.to_string()))?;
        }
        Ok(())
    }
}

const MAX_SOURCES: usize = 32;

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

/// The error of a batch of which some records may have been delivered.
///
/// A handler or a sink creates one by [`new`](Self::new) if it stopped at the error, and by [`scattered`](Self::scattered) if it
/// continued. `?` converts an [`Error`] to one without delivered records, and a `Partial` to its error.
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
    /// The number of records that were delivered: the first ones of the batch, unless [other places are listed](Self::missed).
    pub delivered: usize,
    /// The reason why the others were not delivered; the last one if there were several.
    pub error: Error,
    /// The places of the records that were not delivered, in order. If empty, they are all places from `delivered` on.
    #[expect(clippy::box_collection, reason = "a result without an error, which every write returns, is three words")]
    missed: Option<Box<Vec<usize>>>,
}

impl Partial {
    /// Creates the error of a batch of which only the first `delivered` records were delivered.
    pub fn new(delivered: usize, error: Error) -> Self {
        Self { delivered, error, missed: None }
    }

    /// Creates the error of a batch of `records` records of which those at the places `missed` (from 0, in order) were not delivered.
    pub fn scattered(records: usize, missed: Vec<usize>, error: Error) -> Self {
        let delivered = records.saturating_sub(missed.len());
        Self { delivered, error, missed: (!missed.is_empty()).then(|| Box::new(missed)) }
    }

    /// Returns the places, from 0, of the records that were not delivered, for a batch of `records` records.
    pub fn missed(&self, records: usize) -> impl Iterator<Item = usize> {
        let listed = self.missed.as_deref().map_or(&[][..], Vec::as_slice);
        let behind = if listed.is_empty() { self.delivered..records } else { 0..0 };
        listed.iter().copied().chain(behind)
    }
}

/// Writes the number of delivered records; in the alternate form `{:#}`, also the error, which is the
/// [source](std::error::Error::source).
impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = if self.delivered == 1 { "record" } else { "records" };
        write!(f, "only {} {records} of the batch delivered", self.delivered)?;
        if f.alternate() { write!(f, ": {:#}", self.error) } else { Ok(()) }
    }
}

impl std::error::Error for Partial {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
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
    fn the_class_follows_from_the_kind_and_the_cause_unless_it_is_set() {
        let of = |kind| Error::new(kind, "").class();
        assert_eq!([ErrorKind::Io, ErrorKind::Timeout].map(of), [ErrorClass::Temporary; 2]);
        let permanent = [ErrorKind::Config, ErrorKind::Format, ErrorKind::Closed, ErrorKind::Panic];
        assert_eq!(permanent.map(of), [ErrorClass::Permanent; 4]);
        assert_eq!(of(ErrorKind::Full), ErrorClass::Full);
        let full = Error::io("cannot write a.log", io::Error::from_raw_os_error(28));
        assert_eq!((full.class(), full.again().class()), (ErrorClass::Full, ErrorClass::Full));
        let refused = full.with_class(ErrorClass::Permanent).with_handler("a.log");
        assert_eq!((refused.again().class(), refused.again().handler()), (ErrorClass::Permanent, Some("a.log")));
    }

    #[test]
    fn a_copy_of_an_error_reads_the_same_and_has_the_same_cause() {
        let full = Error::io("cannot write a.log", io::Error::from_raw_os_error(28));
        assert_eq!(format!("{:#}", full.again()), format!("{full:#}"));
        assert_eq!(full.again().io_error().and_then(io::Error::raw_os_error), Some(28));
        let zero = Error::io("cannot write a.log", io::ErrorKind::WriteZero.into());
        assert_eq!(zero.again().io_error().map(io::Error::kind), Some(io::ErrorKind::WriteZero));
        let other = Error::new(ErrorKind::Closed, "closed").with_source("by the peer");
        assert_eq!((other.again().kind(), format!("{:#}", other.again())), (ErrorKind::Closed, format!("{other:#}")));
    }

    #[test]
    fn a_chain_of_errors_shows_each_message_once() {
        let denied = || io::Error::from_raw_os_error(13);
        let inner = Error::io("cannot open a.log", denied());
        let outer = Error::new(ErrorKind::Io, "cannot make a handler").with_source(inner);
        let whole = format!("cannot make a handler: cannot open a.log: {}", denied());
        assert_eq!((outer.to_string(), format!("{outer:#}")), ("cannot make a handler".to_owned(), whole.clone()));
        assert_eq!(outer.io_error().and_then(io::Error::raw_os_error), Some(13));
        let again = outer.again();
        assert_eq!((format!("{again:#}"), again.io_error().map(io::Error::kind)), (whole, Some(denied().kind())));
        let partial = Partial::new(1, Error::io("cannot write a.log", denied()));
        assert_eq!(partial.to_string(), "only 1 record of the batch delivered");
        assert_eq!(format!("{partial:#}"), format!("{partial}: cannot write a.log: {}", denied()));
        let io: io::Error = Error::io("cannot write a.log", denied()).into();
        assert_eq!(
            (io.to_string(), format!("{io:#}")),
            ("cannot write a.log".to_owned(), format!("cannot write a.log: {}", denied()))
        );
    }

    #[test]
    fn an_error_is_shown_on_one_line() {
        let source = io::Error::other("in line 1:\n    (\u{1b}[2J");
        let error = Error::new(ErrorKind::Config, "unknown part `a\nb\u{7f}`").with_source(source);
        assert_eq!(error.to_string(), r"unknown part `a\nb\u{7f}`");
        assert_eq!(format!("{error:#}"), r"unknown part `a\nb\u{7f}`: in line 1:\n    (\u{1b}[2J");
        assert_eq!(format!("{error:#}"), format!("{:#}", error.again()));
        let parsed = "a\nb".parse::<crate::Part>().unwrap_err();
        assert_eq!(parsed.to_string(), r"unknown part `a\nb`: did you mean `field.a\nb`?");
    }

    #[test]
    fn kinds_and_classes_are_shown_as_words() {
        assert_eq!((ErrorKind::Io.to_string(), ErrorClass::Temporary.to_string()), ("io".into(), "temporary".into()));
    }
}
