//! The one error type of this crate.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// What went wrong, in one word. Kinds may be added. `Display` is the word in lower case: `io`, `config`.
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
    /// A bounded place has no room left.
    Full,
    /// The destination has been closed.
    Closed,
    /// Foreign code (a format, a sink, a closure) panicked.
    Panic,
}

/// What a caller can do about an error. Every error has one: see [`Error::class`]. `Display` is the word in lower case: `temporary`.
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
    /// The same attempt may succeed later: the peer is away, the operating system refused.
    Temporary,
    /// The same attempt fails again: the record cannot be formatted, the destination is closed.
    Permanent,
    /// There is no room at the moment: a disk, a queue, a peer's buffer. A later attempt may succeed.
    Full,
}

/// An error with a [kind](ErrorKind), a [class](ErrorClass), a message that names the thing, and, where there is one, its source.
///
/// ```
/// use tracing_handlers::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Config, "rotation size must not be 0");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.to_string(), "rotation size must not be 0");
/// ```
///
/// `Display` is the message alone, since the source follows from [`source`](std::error::Error::source): a caller that prints a whole
/// chain shows each cause once. The alternate form `{:#}` is the chain in one line, which is how this crate's own messages show
/// errors; `Debug`, which `main` prints, adds the kind.
///
/// ```
/// use tracing_handlers::Error;
///
/// let error = Error::io("cannot open app.log", std::io::ErrorKind::NotFound.into());
/// assert_eq!(error.to_string(), "cannot open app.log");
/// assert_eq!(format!("{error:#}"), "cannot open app.log: entity not found");
/// assert_eq!(format!("{error:?}"), "cannot open app.log: entity not found (Io)");
/// ```
// Boxed, so that a result without an error, which every record brings back, is one word.
pub struct Error(Box<ErrorParts>);

struct ErrorParts {
    kind: ErrorKind,
    class: ErrorClass,
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    handler: Option<Box<str>>,
}

impl Error {
    /// An error without a source. By convention the message is lower case, has no trailing dot and names the thing.
    ///
    /// Its class follows from the kind: `Io` and `Timeout` are temporary, `Full` is full, all others are permanent.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let class = class_of(kind);
        Self(Box::new(ErrorParts { kind, class, message: message.into(), source: None, handler: None }))
    }

    /// An [`ErrorKind::Io`] error; `what` says which thing and which step failed. A full disk or an exceeded quota makes it
    /// [`ErrorClass::Full`], any other cause [`ErrorClass::Temporary`].
    pub fn io(what: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        let class = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorClass::Full,
            _ => ErrorClass::Temporary,
        };
        Self::new(ErrorKind::Io, what).with_class(class).with_source(source)
    }

    /// The same error with the error that caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error in another class, for a destination that knows better than the kind says.
    pub fn with_class(mut self, class: ErrorClass) -> Self {
        self.0.class = class;
        self
    }

    /// The same error, met by the handler `name`, which has reported it to [`selflog`](crate::selflog) itself.
    ///
    /// For handlers that keep track of whether they work and report each change once: a caller that absorbs an error that names its
    /// handler does not report it a second time.
    pub fn with_handler(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.handler = Some(name.into());
        self
    }

    /// A copy of the error for another caller. A source that is neither this crate's error nor an `io::Error` becomes its text.
    pub(crate) fn again(&self) -> Self {
        let ErrorParts { kind, class, message, source, handler } = &*self.0;
        let mut again = Self::new(*kind, message.clone()).with_class(*class);
        again.0.handler.clone_from(handler);
        match source.as_deref() {
            Some(source) => again.with_source(copy_of(source)),
            None => again,
        }
    }

    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether another attempt can help.
    pub fn class(&self) -> ErrorClass {
        self.0.class
    }

    /// The name of the handler that met the error and reported it to [`selflog`](crate::selflog). `None` if the caller that absorbs
    /// the error has to report it.
    pub fn handler(&self) -> Option<&str> {
        self.0.handler.as_deref()
    }

    /// The operating system's error, if that is the cause.
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

/// The operating system's errors and this crate's are copied, and of all others the text.
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

/// The message; in the alternate form `{:#}` followed by all sources.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) if f.alternate() => write!(f, ": {}", Chain(&**source)),
            _ => Ok(()),
        }
    }
}

/// What `main` prints when it returns the error: the message, all sources and the kind.
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
        // Bounded, since an error that is its own source would never end.
        for (depth, error) in sources.take(MAX_SOURCES).enumerate() {
            write!(f, "{}{error}", if depth == 0 { "" } else { ": " })?;
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

/// Some records of a batch were delivered, and others met an error.
///
/// A handler or a sink creates one by [`new`](Self::new) if it stopped, by [`scattered`](Self::scattered) if it went on; `?` turns an
/// [`Error`] into one in which no record was delivered, and a `Partial` into its error.
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
    /// The number of records that were delivered whole: those at the front of the batch, unless it [names others](Self::missed).
    pub delivered: usize,
    /// Why the others were not; if there were several reasons, the last one.
    pub error: Error,
    /// The places of the records that were not delivered, in order. Empty: all from `delivered` on.
    #[expect(clippy::box_collection, reason = "a result without an error, which every write returns, is three words")]
    missed: Option<Box<Vec<usize>>>,
}

impl Partial {
    /// The first `delivered` records went through before `error`, and none after them.
    pub fn new(delivered: usize, error: Error) -> Self {
        Self { delivered, error, missed: None }
    }

    /// Of a batch of `records` records, those at the places `missed` (from 0, in order) were not delivered, and all others were.
    pub fn scattered(records: usize, missed: Vec<usize>, error: Error) -> Self {
        let delivered = records.saturating_sub(missed.len());
        Self { delivered, error, missed: (!missed.is_empty()).then(|| Box::new(missed)) }
    }

    /// The places, from 0, of the records of a batch of `records` records that were not delivered.
    pub fn missed(&self, records: usize) -> impl Iterator<Item = usize> {
        let listed = self.missed.as_deref().map_or(&[][..], Vec::as_slice);
        let behind = if listed.is_empty() { self.delivered..records } else { 0..0 };
        listed.iter().copied().chain(behind)
    }
}

/// The number of records that were delivered. The error is the [source](std::error::Error::source); `{:#}` shows it too.
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
    fn kinds_and_classes_are_shown_as_words() {
        assert_eq!((ErrorKind::Io.to_string(), ErrorClass::Temporary.to_string()), ("io".into(), "temporary".into()));
    }
}
