mod appender;
mod buffer;
mod coat;
mod control;
mod open;
mod options;
mod watch;

pub use control::Control;
pub use options::FileOptions;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::run::{Run, Stopped};
use super::{Batch, Sink, writer};
use crate::rotation::Rotation;
use crate::{Error, Partial, selflog};
use appender::Appender;
use buffer::Buffer;

/// A file that lines are appended to. Python's `FileHandler` and, with a [`Rotation`], `RotatingFileHandler`.
///
/// ```
/// use tracing_handlers::rotation::{MIB, Rotation};
/// use tracing_handlers::sink::{self, Batch, Line, Sink};
/// use tracing_handlers::Severity;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("logs/app.jsonl");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB).keep(5));
/// let lines = [Line { end: 3, severity: Severity::INFO }, Line { end: 6, severity: Severity::INFO }];
/// file.write(Batch::new(b"{}\n{}\n", &lines)).map_err(|partial| partial.error)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "{}\n{}\n");
/// assert!(file.describe().ends_with("logs/app.jsonl"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`options`](Self::options) has the settings; without them the file is opened for appending, its directories are made,
/// and every batch is one `write(2)`: what was taken is with the operating system, and survives the death of the process.
/// `flush` does not sync it to the disk.
///
/// When a write fails within a line (the disk is full), the torn piece is cut off again and the line is refused; the next
/// write opens the file anew, wherever its name then leads. What cannot be cut, as on a pipe, counts as taken, and its end
/// goes out before the next line.
///
/// As `io::Write` each call of `write` is one line, which rotation does not divide.
#[derive(Debug)]
pub struct File {
    appender: Appender,
    buffer: Buffer,
}

impl File {
    /// Opens `path` for appending; makes it, and its directories, where they are missing.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io), with the path, where it cannot be opened, or a directory cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Settings for opening.
    pub fn options() -> FileOptions {
        FileOptions::default()
    }

    /// The same, turned by `rotation`.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.appender.rotate(rotation);
        self
    }

    /// What asks it to rotate, or to open its path anew, while it is in use.
    pub fn control(&self) -> Control {
        self.appender.control().clone()
    }

    /// Takes lines past the buffer, or into it when they were torn.
    fn append(&mut self, run: Run<'_>) -> Result<(), Partial> {
        let Err(stopped) = self.appender.write(run) else { return Ok(()) };
        if stopped.torn == 0 {
            return Err(Partial::new(stopped.lines, stopped.error));
        }
        let (line, _) = run.split_at(stopped.lines).1.split_at(1);
        self.buffer.push(line);
        self.buffer.remove(0, stopped.torn);
        Err(Partial::new(stopped.lines + 1, stopped.error))
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let Err(Stopped { lines, torn, error }) = self.appender.write(self.buffer.as_run()) else {
            self.buffer.clear();
            return Ok(());
        };
        self.buffer.remove(lines, torn);
        Err(error)
    }

    /// What the buffer still has room for of a run that it cannot write out.
    fn take_in(&mut self, run: Run<'_>) -> usize {
        let (some, _) = run.split_at(run.fit(self.buffer.room()));
        self.buffer.push(some);
        some.count()
    }
}

impl Sink for File {
    fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
        self.appender.preamble(batch.preamble());
        let run = Run::from(batch);
        if self.buffer.has_room(run) {
            self.buffer.push(run);
            return Ok(());
        }
        if let Err(error) = self.write_buffer() {
            return Err(Partial::new(self.take_in(run), error));
        }
        if self.buffer.has_room(run) {
            self.buffer.push(run);
            return Ok(());
        }
        self.append(run)
    }

    /// Writes what lies in the buffer. A regular file does not block for long, so that the deadline is not looked at.
    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.write_buffer()?;
        self.appender.settle()
    }

    /// Ends a sealed or encrypted file, which a later line opens again.
    fn close(&mut self, _: Instant) -> Result<(), Error> {
        self.write_buffer()?;
        self.appender.close()
    }

    fn pending(&self) -> usize {
        self.buffer.count()
    }

    fn describe(&self) -> String {
        format!("file {}", self.appender.name().display())
    }

    fn forget_pending(&mut self) {
        self.buffer.clear();
        self.appender.forget_torn();
    }
}

impl io::Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        writer::write_one(self, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        writer::flush(self)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Err(error) = self.write_buffer() {
            selflog::tell(&format!("{}: {} records lost: {error}", self.describe(), self.pending()));
        }
        if let Err(error) = self.appender.close() {
            selflog::tell(&format!("{}: not closed: {error}", self.describe()));
        }
    }
}

/// As it was given, and where that is: a relative path must not follow the process into another directory.
#[derive(Clone, Debug)]
struct Place {
    name: PathBuf,
    absolute: PathBuf,
}

impl Place {
    fn new(path: &Path) -> Result<Self, Error> {
        let absolute = std::path::absolute(path).map_err(|error| cannot("open", path, error))?;
        Ok(Self { name: path.to_owned(), absolute })
    }
}

fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}
