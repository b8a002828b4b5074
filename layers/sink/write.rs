use std::fmt;
use std::io;
use std::time::Instant;

use super::tail::Tail;
use super::{Color, Framed, Sink};
use crate::format::Caps;
use crate::{Error, Partial};

/// A sink from any `io::Write`: a `Vec`, a pipe, a `BufWriter`, a compressor. Python's `StreamHandler(stream)`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`named`](Self::named) | `writer` | the name used in messages |
/// | [`color`](Self::color) | [`Color::Never`] | whether formats may use color |
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
    caps: Caps,
    tail: Tail,
}

impl<W: io::Write + Send + 'static> Write<W> {
    /// Creates a sink that writes to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer, name: "writer".into(), caps: Caps::default(), tail: Tail::default() }
    }

    /// Sets the name used in messages.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets whether formats may use color.
    ///
    /// Whether the writer leads to a terminal is not known here: with [`Color::Auto`] only the environment variables decide, as for
    /// a stream that is not a terminal. Set [`Color::Always`] for one that is: a pseudoterminal, an SSH channel.
    ///
    /// ```
    /// use tracing_handlers::Output;
    /// use tracing_handlers::format::{Text, Time};
    /// use tracing_handlers::sink::{Color, Memory, Sink, Write};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let memory = Memory::new();
    /// let channel = Write::new(memory.clone()).color(Color::Always);
    /// assert!(channel.caps().color);
    /// let output = Output::new(Text::new().time(Time::none()), channel);
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
    ///     tracing::info!(target: "shop", "sold");
    /// });
    /// assert_eq!(memory.lines(), ["\x1b[32m INFO\x1b[0m \x1b[2mshop:\x1b[0m sold"]);
    /// ```
    pub fn color(mut self, color: Color) -> Self {
        self.caps = self.caps.with_color(color.is_wanted(false));
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

    fn caps(&self) -> Caps {
        self.caps
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn forget_pending(&mut self) {
        self.tail.forget();
    }
}
