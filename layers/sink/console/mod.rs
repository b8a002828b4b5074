mod color;
mod lane;

pub use color::Color;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use self::lane::Lane;
use super::run::Run;
use super::{Framed, Sink, writer};
use crate::format::Caps;
use crate::record::Severity;
use crate::stream::Stream;
use crate::{Error, ErrorKind, Partial, process};

/// A sink for standard output, standard error, or both. Python's `StreamHandler`, log4j2's `Console`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`color`](Self::color) | [`Color::Auto`] | whether formats may use color |
/// | [`patience`](Self::patience) | 1 s; without limit behind a [`Queue`](crate::Queue) | how long a write waits for a reader that does not read |
/// | [`captured`](Self::captured) | off | writes with `print!`, so that `cargo test` captures it |
///
/// ```
/// use tracing_handlers::sink::{Color, Console, Sink};
/// use tracing_handlers::Severity;
///
/// let console = Console::split(Severity::WARN).color(Color::Never);
/// assert_eq!(console.describe(), "console");
/// assert!(!console.caps().color);
/// ```
///
/// On Unix it writes directly to descriptors 1 and 2, bypassing the locks of `std::io::Stdout` and `Stderr`: an application
/// that holds `stdout().lock()` does not block its logs. Text that the application `print!`s without a line feed may still be in
/// std's buffer and appear later.
///
/// A closed pipe is an error and never a panic.
///
/// # A reader that does not read
///
/// A pipe holds 64 KiB, a terminal less; when it is full, `write(2)` waits for the reader, without limit. On a thread that logs, this
/// sink does not: a write waits at most for the [`patience`](Self::patience), on blocking descriptors too, whose flags are left as
/// they are. After a write that waited in vain the stream is *stalled*: lines are refused at once, and every 50 ms, increasing to 1 s,
/// one attempt is made that does not wait. Refused lines are counted as failed, reported to [`selflog`](crate::selflog) once, and reported in
/// the log itself when the reader reads again. After that the patience grows back over ten times its length, so that a reader that
/// stalls repeatedly holds up the program for about a tenth of the time at most.
///
/// On the thread of a [`Queue`](crate::Queue) a write holds up no other code, and waits for the reader without limit: what is logged
/// meanwhile lies in the queue, whose [`overflow`](crate::Queue::overflow) says what happens when it is full. A slow reader, or one that
/// pauses, loses nothing as long as there is room. A patience that was set applies there too; it then starts again whenever the reader
/// takes something.
///
/// A flush, and a write at the end of the process, waits until its deadline even if the stream is stalled. Lines are written whole, as
/// far as they are no longer than 4 KiB; the rest of one that was cut short is written before the next line. If the stream leads to
/// another file by then, it is lost.
///
/// A process that is forked while the console waits behind a queue for its reader cannot use that console.
///
/// Linux 6.5 and later writes to pipes without waiting. Terminals, and pipes of older systems that are filled by more than a quarter, are
/// written to by a thread for which the caller waits, which takes some microseconds more. What this thread is still writing when the
/// patience ends is [pending](crate::Sink::pending). Writes to regular files take as long as they take; so do all writes on systems
/// other than Unix.
#[must_use = "a sink does nothing until something is written to it"]
#[derive(Debug)]
pub struct Console {
    streams: Streams,
    out: Lane,
    err: Lane,
    captured: bool,
    caps: Caps,
}

/// Where the lines go.
#[derive(Clone, Copy, Debug)]
enum Streams {
    Only(Stream),
    /// Lines of at least this severity go to standard error, the others to standard output.
    Split(Severity),
}

impl Console {
    /// Writes everything to standard output.
    pub fn stdout() -> Self {
        Self::new(Streams::Only(Stream::Out))
    }

    /// Writes everything to standard error.
    pub fn stderr() -> Self {
        Self::new(Streams::Only(Stream::Err))
    }

    /// Writes records at least as severe as `threshold` to standard error, the rest to standard output.
    ///
    /// Both are written to by one thread at a time: while one stream is not read, lines for the other wait too, or are refused with
    /// those behind which they stand in a batch. Where that matters, use two outputs, each behind a [`Queue`](crate::Queue).
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::{Severity, sink::Console};
    ///
    /// let _ = (Console::split(Level::WARN), Console::split(Severity::FATAL));
    /// ```
    pub fn split(threshold: impl Into<Severity>) -> Self {
        Self::new(Streams::Split(threshold.into()))
    }

    /// Sets whether formats may use color; see [`Color`].
    pub fn color(mut self, color: Color) -> Self {
        let wanted = |stream: Stream| color.is_wanted(stream.is_terminal());
        self.caps = match self.streams {
            Streams::Only(stream) => self.caps.with_color(wanted(stream)),
            Streams::Split(least) => {
                self.caps.with_color(wanted(Stream::Out)).with_color_from(least, wanted(Stream::Err))
            }
        };
        self
    }

    /// Sets how long a write waits for a reader that does not read: see [above](Self#a-reader-that-does-not-read).
    /// [`Duration::MAX`] waits as long as it takes, for a program whose output is read page by page (`| less`); only its end is still
    /// held up for no longer than the [exit timeout](crate::process::set_exit_timeout).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::sink::Console;
    ///
    /// let _ = (Console::stdout().patience(Duration::from_millis(100)), Console::stderr().patience(Duration::MAX));
    /// ```
    pub fn patience(mut self, patience: Duration) -> Self {
        self.out.set_patience(patience);
        self.err.set_patience(patience);
        self
    }

    /// Whether to write with `print!` and `eprint!`, so that the test harness captures the output.
    ///
    /// Only for tests: these macros take the locks of `std::io::Stdout` and `Stderr`, and wait for the reader without limit.
    pub fn captured(mut self, captured: bool) -> Self {
        self.captured = captured;
        self
    }

    fn new(streams: Streams) -> Self {
        process::ignore_file_size_signal_once();
        let (out, err) = (Lane::new(Stream::Out), Lane::new(Stream::Err));
        let console = Self { streams, out, err, captured: false, caps: Caps::default() };
        console.color(Color::Auto)
    }

    fn write_run(&mut self, stream: Stream, run: Run<'_>) -> Result<(), Partial> {
        let lane = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        let written = if self.captured { lane.print(run) } else { lane.write(run) };
        written.map_err(|(taken, error)| Partial::new(taken, cannot_write(stream, error)))
    }

    fn finish(&mut self, deadline: Option<Instant>) -> Result<(), Error> {
        let out = self.out.flush(deadline);
        let err = self.err.flush(deadline);
        out.map_err(|error| cannot_flush(Stream::Out, error))?;
        err.map_err(|error| cannot_flush(Stream::Err, error))
    }
}

impl Sink for Console {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        let streams = self.streams;
        let (mut rest, mut taken) = (Run::from(framed), 0);
        while let Some((stream, run, later)) = rest.split_by(|line| streams.of(line.severity)) {
            self.write_run(stream, run).map_err(|partial| Partial::new(taken + partial.delivered, partial.error))?;
            taken += run.count();
            rest = later;
        }
        Ok(())
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.finish(Some(deadline))
    }

    fn write_buffered(&mut self) -> Result<(), Error> {
        self.finish(None)
    }

    fn pending(&self) -> usize {
        self.out.pending() + self.err.pending()
    }

    fn lost(&mut self) -> usize {
        self.out.take_lost() + self.err.take_lost()
    }

    fn caps(&self) -> Caps {
        self.caps
    }

    fn describe(&self) -> String {
        match self.streams {
            Streams::Only(Stream::Out) => "stdout".into(),
            Streams::Only(Stream::Err) => "stderr".into(),
            Streams::Split(_) => "console".into(),
        }
    }

    fn forget_pending(&mut self) {
        self.out.forget();
        self.err.forget();
    }
}

impl io::Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        writer::write_one(self, bytes)
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        writer::write_formatted(self, text)
    }

    fn flush(&mut self) -> io::Result<()> {
        writer::flush(self)
    }
}

impl Streams {
    fn of(self, severity: Severity) -> Stream {
        match self {
            Self::Only(stream) => stream,
            Self::Split(threshold) if severity.is_at_least(threshold) => Stream::Err,
            Self::Split(_) => Stream::Out,
        }
    }
}

fn cannot_flush(stream: Stream, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::new(ErrorKind::Timeout, format!("cannot flush {}: {error}", stream.name())),
        _ => cannot_write(stream, error),
    }
}

fn cannot_write(stream: Stream, error: io::Error) -> Error {
    Error::io(format!("cannot write to {}", stream.name()), error)
}
