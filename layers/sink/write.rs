use std::fmt;
use std::io;
use std::time::Instant;

use super::tail::Tail;
use super::{Framed, Sink};
use crate::{Error, Partial};

/// A sink from any `io::Write`: a `Vec`, a pipe, a `BufWriter`, a compressor. Python's `StreamHandler(stream)`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`named`](Self::named) | `writer` | the name used in messages |
///
/// ```
/// use tracing_handlers::sink::{Framed, RecordEnd, Sink, Write};
/// use tracing_handlers::Severity;
///
/// let (mut reader, writer) = std::io::pipe()?;
/// let mut sink = Write::new(writer).named("pipe to the parent");
/// sink.write(Framed::new(b"one\ntwo\n", &[
///     RecordEnd::new(4, Severity::INFO),
///     RecordEnd::new(8, Severity::WARN),
/// ])).map_err(|partial| partial.error)?;
/// assert_eq!(sink.describe(), "pipe to the parent");
/// drop(sink);
/// assert_eq!(std::io::read_to_string(&mut reader)?, "one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A batch is one `write_all`. Bytes in the writer's own buffer count as delivered; `flush` flushes the writer.
/// If the writer fails within a line, the line counts as taken, and its end is written before the next line.
#[must_use = "a sink does nothing until something is written to it"]
pub struct Write<W> {
    writer: W,
    name: String,
    tail: Tail,
}

impl<W: io::Write + Send + 'static> Write<W> {
    /// Creates a sink that writes to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer, name: "writer".into(), tail: Tail::default() }
    }

    /// Sets the name used in messages.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl<W> fmt::Debug for Write<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("name", &self.name).field("tail", &self.tail).finish_non_exhaustive()
    }
}

impl<W: io::Write + Send + 'static> Sink for Write<W> {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.tail
            .write(&mut self.writer, framed.into())
            .map_err(|(taken, error)| Partial::new(taken, Error::io(format!("cannot write to {}", self.name), error)))
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.tail
            .finish(&mut self.writer)
            .and_then(|()| self.writer.flush())
            .map_err(|error| Error::io(format!("cannot flush {}", self.name), error))
    }

    /// Flushes the writer, which may be a `BufWriter`.
    fn write_buffered(&mut self) -> Result<(), Error> {
        self.flush(Instant::now())
    }

    fn pending(&self) -> usize {
        self.tail.pending()
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn forget_pending(&mut self) {
        self.tail.forget();
    }
}
