mod appender;
mod buffer;
mod commit;
mod control;
mod durability;
mod durable;
mod group;
mod open;
mod options;
mod watch;

pub use commit::Commit;
pub use control::Control;
pub use durability::Durability;
pub use options::FileOptions;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::run::{Run, Stopped};
use super::{Batch, Sink, writer};
use crate::rotation::Rotation;
use crate::{Error, Partial, selflog};
use appender::Appender;
use buffer::Buffer;
use durable::Way;

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
/// and every batch is one `write(2)`: what was taken is with the operating system, and survives the death of the process,
/// though not a loss of power: for that there are [other levels](Durability).
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

    #[inline]
    fn write_as(&mut self, way: Way, run: Run<'_>) -> Result<(), Partial> {
        if self.buffer.has_room(run) && way != Way::Now {
            self.buffer.push(run);
            return Ok(());
        }
        if let Err(error) = self.write_buffer() {
            return Err(Partial::new(self.take_in(run), error));
        }
        if self.buffer.has_room(run) && way == Way::Usual {
            self.buffer.push(run);
            return Ok(());
        }
        self.append(run)
    }

    /// Lines that a failed sync takes away were not written, as far as anybody can tell.
    #[inline(never)]
    fn write_durably(&mut self, way: Way, run: Run<'_>) -> Result<(), Partial> {
        let written = self.write_as(way, run);
        match self.appender.durable_mut().map_or(Ok(()), |durable| durable.settle_write()) {
            Ok(()) => written,
            Err(error) => Err(Partial::new(0, error)),
        }
    }

    #[inline(never)]
    fn flush_durably(&mut self, deadline: Instant) -> Result<(), Error> {
        let written = self.write_out();
        written.and(self.appender.durable_mut().map_or(Ok(()), |durable| durable.settle(deadline)))
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

    /// Writes what lies in the buffer, and does what was asked for meanwhile.
    fn write_out(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.appender.settle()
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
        match self.appender.durable_mut() {
            None => self.write_as(Way::Usual, run),
            Some(durable) => {
                let way = durable.begin_write(batch.lines());
                self.write_durably(way, run)
            }
        }
    }

    /// Writes what lies in the buffer, and syncs where the [`Durability`] says so. To write to a regular file does not block
    /// for long, so that the deadline is looked at only while another thread syncs.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        match self.appender.durable_mut() {
            None => self.write_out(),
            Some(durable) => {
                durable.begin_flush();
                self.flush_durably(deadline)
            }
        }
    }

    /// Lines that lie in the buffer, or are not yet as durable as the [`Durability`] says.
    fn pending(&self) -> usize {
        self.buffer.count() + self.appender.durable().map_or(0, |durable| durable.pending())
    }

    #[inline]
    fn commit(&mut self) -> Option<Commit> {
        self.appender.durable_mut()?.commit()
    }

    fn lost(&mut self) -> usize {
        self.appender.durable_mut().map_or(0, |durable| durable.lost())
    }

    fn describe(&self) -> String {
        format!("file {}", self.appender.name().display())
    }

    fn forget_pending(&mut self) {
        self.buffer.clear();
        self.appender.forget_torn();
        if let Some(durable) = self.appender.durable_mut() {
            durable.forget();
        }
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
        if let Some(durable) = self.appender.durable_mut() {
            durable.begin_flush();
        }
        if let Err(error) = self.write_buffer() {
            selflog::tell(&format!("{}: {} records lost: {error}", self.describe(), self.buffer.count()));
        }
        if let Some(durable) = self.appender.durable_mut()
            && let Err(error) = durable.settle_here(Instant::now() + LAST_SYNC)
            && !error.is_told()
        {
            selflog::tell(&format!("{}: {error}", self.describe()));
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

/// How long the last sync of a file that is dropped may be waited for.
const LAST_SYNC: Duration = Duration::from_secs(5);

fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}
