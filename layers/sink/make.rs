use std::fmt;
use std::io::Write as _;
use std::time::Instant;

use tracing_subscriber::fmt::MakeWriter;

use super::run::Run;
use super::tail::Tail;
use super::{Color, Framed, Sink};
use crate::format::Caps;
use crate::{Error, Partial};

/// A sink from a [`MakeWriter`], such as `tracing_appender::rolling` or `tracing_appender::non_blocking`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`named`](Self::named) | `make_writer` | the name used in messages |
/// | [`color`](Self::color) | [`Color::Never`] | whether formats may use color |
///
/// ```
/// use tracing_handlers::sink::{Framed, RecordEnd, Make, Sink};
/// use tracing_handlers::Severity;
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let mut sink = Make::new(tracing_appender::rolling::never(dir, "app.log")).named("app.log");
/// sink.write(Framed::new(b"one\n", &[RecordEnd::new(4, Severity::INFO)])).map_err(|partial| partial.error)?;
/// assert_eq!(std::fs::read_to_string(dir.join("app.log"))?, "one\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each line is a separate write, since `NonBlocking` counts and drops by the call. Lines that a lossy `NonBlocking` drops
/// count as delivered here: build it with `lossy(false)`, or use this crate's [`Queue`](crate::Queue).
#[must_use = "a sink does nothing until something is written to it"]
pub struct Make<M> {
    make: M,
    name: String,
    caps: Caps,
    tail: Tail,
}

impl<M> Make<M>
where
    M: for<'a> MakeWriter<'a> + Send + 'static,
{
    /// Creates a sink that writes to the writers of `make`.
    pub fn new(make: M) -> Self {
        Self { make, name: "make_writer".into(), caps: Caps::default(), tail: Tail::default() }
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
    pub fn color(mut self, color: Color) -> Self {
        self.caps = self.caps.with_color(color.is_wanted(false));
        self
    }
}

impl<M> fmt::Debug for Make<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Make").field("name", &self.name).field("tail", &self.tail).finish_non_exhaustive()
    }
}

impl<M> Sink for Make<M>
where
    M: for<'a> MakeWriter<'a> + Send + 'static,
{
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        let mut writer = self.make.make_writer();
        for (before, line) in Run::from(framed).each().enumerate() {
            self.tail.write(&mut writer, line).map_err(|(taken, error)| {
                Partial::new(before + taken, Error::io(format!("cannot write to {}", self.name), error))
            })?;
        }
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        let mut writer = self.make.make_writer();
        self.tail
            .finish(&mut writer)
            .and_then(|()| writer.flush())
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
