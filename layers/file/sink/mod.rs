mod appender;
mod attempts;
mod buffer;
mod coat;
mod commit;
mod control;
mod durability;
mod durable;
mod ending;
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

use crate::file::rotation::Rotation;
use crate::selflog::Health;
use crate::sink::run::{Run, Stopped};
use crate::sink::{Framed, Sink, writer};
use crate::{Error, Partial, selflog};
use appender::Appender;
use attempts::Attempts;
use buffer::Buffer;
use durable::Way;

/// A sink that appends lines to a file. Python's `FileHandler` and, with a [`Rotation`], `RotatingFileHandler`.
///
/// ```
/// use tracing_handlers::rotation::{MIB, Rotation};
/// use tracing_handlers::sink::{self, Framed, Line, Sink};
/// use tracing_handlers::Severity;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("logs/app.jsonl");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB).keep(5));
/// let lines = [Line { end: 3, severity: Severity::INFO }, Line { end: 6, severity: Severity::INFO }];
/// file.write(Framed::new(b"{}\n{}\n", &lines)).map_err(|partial| partial.error)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "{}\n{}\n");
/// assert!(file.describe().ends_with("logs/app.jsonl"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The settings are in [`options`](Self::options). By default the file is opened for appending, missing directories are created,
/// and every batch is one `write(2)`: taken lines are with the operating system. They survive the death of the process but not
/// a power failure, for which there are [other levels](Durability).
///
/// If a write fails within a line (the disk is full), the partial line is cut off again and the line is refused; the next
/// attempt opens the file again, wherever its path then leads. If it cannot be cut off, as on a pipe, the line counts as taken, and
/// its rest is written before the next line.
///
/// After a failure the next attempt is made after 50 ms, and each pause is twice the previous one, up to a second. In between,
/// lines are refused at once with the same error, without a system call, or [held](FileOptions::hold). `flush` tries at once.
/// See [the guide](crate::guide::files) for what can fail and what happens then.
///
/// A process that is killed may leave a partial line at the end of its file. The next process to open that file ends the partial
/// line before its own first line, so that no other line is damaged; this requires that lines end
/// with a line feed or a null, and that the file is readable.
///
/// As `io::Write`, each call of `write` is one line, which rotation does not split.
#[derive(Debug)]
pub struct File {
    appender: Appender,
    buffer: Buffer,
    /// How many bytes of lines are held while the file cannot be written.
    hold: usize,
    attempts: Attempts,
    /// Reports errors of held lines, which no caller sees.
    health: Health,
}

impl File {
    /// Opens `path` for appending. Creates the file and its directories if they are missing.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io), with the path, if the file cannot be opened or a directory cannot be created.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Returns the default settings for opening a file.
    pub fn options() -> FileOptions {
        FileOptions::default()
    }

    /// Rotates the file by `rotation`.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.appender.rotate(rotation);
        self
    }

    /// Returns a handle that asks the file to rotate, or to reopen its path, while it is in use.
    pub fn control(&self) -> Control {
        self.appender.control().clone()
    }

    #[inline]
    fn write_as(&mut self, way: Way, run: Run<'_>) -> Result<(), Partial> {
        if !self.attempts.are_failing() && self.buffer.has_room(run) && way != Way::Now {
            self.buffer.push(run);
            return Ok(());
        }
        if let Some(error) = self.attempts.put_off() {
            return self.keep(way, run, 0, error);
        }
        if let Err(error) = self.write_buffer() {
            return self.keep(way, run, 0, error);
        }
        if self.buffer.has_room(run) && way == Way::Usual {
            self.buffer.push(run);
            return Ok(());
        }
        self.append(way, run)
    }

    /// Lines whose sync failed count as not written.
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

    /// Writes lines past the buffer, into which only the rest of a partial line goes.
    fn append(&mut self, way: Way, run: Run<'_>) -> Result<(), Partial> {
        let Err(Stopped { mut lines, torn, error }) = self.appender.write(run) else {
            self.works();
            return Ok(());
        };
        self.attempts.failed(&error);
        if torn > 0 {
            let (line, _) = run.split_at(lines).1.split_at(1);
            self.buffer.push(line);
            self.buffer.remove(0, torn);
            lines += 1;
        }
        self.keep(way, run, lines, error)
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let Err(Stopped { lines, torn, error }) = self.appender.write(self.buffer.as_run()) else {
            self.buffer.clear();
            self.works();
            return Ok(());
        };
        self.buffer.remove(lines, torn);
        self.attempts.failed(&error);
        Err(error)
    }

    /// Writes the buffer, and carries out pending requests.
    fn write_out(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.appender.settle()
    }

    /// Holds as much of a run that cannot be written as there is room for; `taken` of its lines are taken already. Lines that
    /// must be on the disk when the call returns fail nevertheless.
    #[cold]
    fn keep(&mut self, way: Way, run: Run<'_>, taken: usize, error: Error) -> Result<(), Partial> {
        let (_, left) = run.split_at(taken);
        let (some, _) = left.split_at(self.buffer.fit(left, self.hold));
        self.buffer.push(some);
        if some.count() < left.count() || way == Way::Now {
            return Err(Partial::new(taken + some.count(), error));
        }
        if self.health.is_news(true) {
            selflog::tell(&format!("{}: holding lines in memory: {error}", self.describe()));
        }
        Ok(())
    }

    #[inline]
    fn works(&mut self) {
        if self.attempts.are_failing() {
            self.recovered();
        }
    }

    #[cold]
    fn recovered(&mut self) {
        self.attempts.succeeded();
        if self.health.is_news(false) {
            selflog::tell(&format!("{}: works again; the held lines are written", self.describe()));
        }
    }
}

impl Sink for File {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.appender.preamble(framed.preamble());
        let run = Run::from(framed);
        match self.appender.durable_mut() {
            None => self.write_as(Way::Usual, run),
            Some(durable) => {
                let way = durable.begin_write(framed.lines());
                self.write_durably(way, run)
            }
        }
    }

    /// Writes the buffer at once, even shortly after a failure, and syncs if the [`Durability`] requires it. Writes
    /// to a regular file do not block for long, so the deadline is checked only while another thread syncs.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.attempts.hurry();
        match self.appender.durable_mut() {
            None => self.write_out(),
            Some(durable) => {
                durable.begin_flush();
                self.flush_durably(deadline)
            }
        }
    }

    /// Ends a sealed or encrypted file. A later line continues it.
    fn close(&mut self, _: Instant) -> Result<(), Error> {
        self.write_buffer()?;
        self.appender.close()
    }

    /// Returns how many lines are in the buffer, or not yet as durable as the [`Durability`] promises.
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
        if let Err(error) = self.appender.close() {
            selflog::tell(&format!("{}: cannot close: {error}", self.describe()));
        }
        if let Some(durable) = self.appender.durable_mut()
            && let Err(error) = durable.settle_here(Instant::now() + LAST_SYNC)
            && error.handler().is_none()
        {
            selflog::tell(&format!("{}: {error}", self.describe()));
        }
    }
}

/// A path as it was given, and made absolute: a relative path must not follow the process into another directory.
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

/// How long dropping a file may wait for its last sync.
const LAST_SYNC: Duration = Duration::from_secs(5);

fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}
