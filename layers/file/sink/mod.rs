mod append;
mod attempts;
mod buffer;
mod commit;
mod control;
mod devices;
mod durability;
mod durable;
mod encoder;
mod ending;
mod follow;
mod group;
mod join;
mod log;
mod open;
mod opening;
mod options;
mod place;
mod time_limit;
mod watch;
mod write;

pub use commit::Commit;
pub use control::Control;
pub use durability::Durability;
#[cfg(tracing_handlers_models)]
pub use group::Disk;
pub use options::FileOptions;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::file::rotation::Rotation;
use crate::selflog::Health;
use crate::sink::run::Run;
use crate::sink::{Framed, Reminder, Sink, writer};
use crate::{Error, Partial, selflog};
use attempts::Attempts;
use buffer::Buffer;
use durable::{Durable, WriteMode};
use log::SharedLog;
use place::Place;
use time_limit::TimeLimit;

/// A sink that appends lines to a file. Python's `FileHandler` and, with a [`Rotation`], `RotatingFileHandler`.
///
/// ```
/// use tracing_handlers::rotation::{MIB, Rotation};
/// use tracing_handlers::sink::{self, Framed, RecordEnd, Sink};
/// use tracing_handlers::Severity;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("logs/app.jsonl");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB).keep(5));
/// let lines = [RecordEnd::new(3, Severity::INFO), RecordEnd::new(6, Severity::INFO)];
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
/// A named pipe is opened without waiting for its reader, or for 100 ms at most when it is first opened. While it has none, lines
/// are refused or held as on a full disk. A reader that does not read is waited for as by a [`Console`](crate::sink::Console): for 1 s
/// and then no more, and without limit on the thread of a [`Queue`](crate::Queue). So is the reader of `/dev/stdout` or of a terminal.
///
/// A process that is killed may leave a partial line at the end of its file. The next process to open that file ends the partial
/// line before its own first line, so that no other line is damaged; this requires that lines end
/// with a line feed or a null, and that the file is readable.
///
/// As `io::Write`, each call of `write` is one line, which rotation does not split.
///
/// # One path, several files
///
/// A path that this process has open already is joined: all `File`s on it share one descriptor and one rotation, each line is
/// whole, and the last one that is dropped closes the file. Therefore an output can be exchanged
/// ([`Handle::swap`](crate::Handle::swap)) while the old one still writes, and two outputs can write to one path. What each of them
/// holds and owes is its own: its buffer, its [`Durability`], what is pending and what a flush waits for.
///
/// - The newest settings apply to all of them, as long as their `File` lives: [`rotation`](Self::rotation) and
///   [`mode`](FileOptions::mode), [`dir_mode`](FileOptions::dir_mode), [`owner`](FileOptions::owner) and
///   [`group`](FileOptions::group) if they are set, and [`create_dirs`](FileOptions::create_dirs),
///   [`follow_links`](FileOptions::follow_links) and [`watch`](FileOptions::watch). Changes are reported once to
///   [`selflog`](crate::selflog). A file is [`shared`](FileOptions::shared) as long as one of them wants that.
/// - The file is not [emptied](FileOptions::truncate) again, and not rotated
///   [at the start](crate::rotation::Rotation::on_startup) again.
/// - If the file at the path was moved or removed, it is opened again, for all of them.
/// - A preamble, such as the header of a CSV file, is written once, by the one that writes first.
/// - A symbolic or hard link to an open file is joined too, unless it is opened [later](FileOptions::delay). The file is rotated
///   under the name by which it was opened first.
/// - All of them seal or encrypt the file with the same keys, or none does; otherwise opening it is a
///   [`Config`](crate::ErrorKind::Config) error. Other settings of the seal are those of the first.
/// - Paths that lead through devices (`/dev/stdout`) are opened each time.
///
/// A forked child shares the file with its parent as [two processes](crate::process#files-in-forked-children) do. If a thread of
/// the parent was writing to it for so long that the fork could not wait for it, the child's lines are refused.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::Rotation;
/// use tracing_handlers::sink::File;
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("app.log");
/// let mut old = File::open(&path)?.rotation(Rotation::size(8));
/// let mut new = File::open(&path)?.rotation(Rotation::size(8));
/// writeln!(old, "one")?;
/// writeln!(new, "two")?;
/// writeln!(old, "six")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "six\n");
/// assert_eq!(std::fs::read_to_string(dir.path().join("app.log.1"))?, "one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct File {
    place: Place,
    /// What belongs to the path, and is shared with the other files on it.
    log: Arc<SharedLog>,
    /// The number by which the log knows this one.
    number: u64,
    /// Lines that are taken and not written yet.
    buffer: Buffer,
    time_limit: TimeLimit,
    attempts: Attempts,
    /// Reports errors of held lines, which no caller sees.
    health: Health,
    /// `None` if nothing is ever synced.
    durable: Option<Durable>,
    /// From the last batch, since a flush may start a new file too.
    preamble: Vec<u8>,
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

    /// Rotates the file by `rotation`. A rotation for which [`FileOptions::open`] would return an error is reported to
    /// [`selflog`](crate::selflog), and is not set.
    #[must_use]
    pub fn rotation(self, rotation: Rotation) -> Self {
        if let Err(error) = self.log.set_rotation(self.number, rotation) {
            selflog::tell(&format!("{error:#}; the rotation is not set"));
        }
        self
    }

    /// Returns a handle that asks the file to rotate, or to reopen its path, while it is in use.
    pub fn control(&self) -> Control {
        self.log.control().clone()
    }

    #[inline]
    fn remember_preamble(&mut self, preamble: &[u8]) {
        // Usually both are empty. Comparing them would cost more than the rest of a line: `memcmp` of zero bytes at dangling
        // addresses is slow.
        if !preamble.is_empty() && self.preamble != preamble {
            preamble.clone_into(&mut self.preamble);
        }
    }
}

impl Sink for File {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.remember_preamble(framed.preamble());
        let run = Run::from(framed);
        match &mut self.durable {
            None => self.write_run(WriteMode::Buffered, run),
            Some(durable) => {
                let mode = durable.begin_write(framed.ends());
                self.write_durably(mode, run)
            }
        }
    }

    /// Writes the buffer at once, even shortly after a failure, and syncs if the [`Durability`] requires it. Writes
    /// to a regular file do not block for long, so the deadline is checked only for a pipe that is not read, and while another thread
    /// syncs.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.attempts.hurry();
        match &mut self.durable {
            None => self.write_out(deadline),
            Some(durable) => {
                durable.begin_flush();
                self.flush_durably(deadline)
            }
        }
    }

    /// Writes the buffer, unless a failure was too short a time ago. Does not sync: with a buffer, the stronger levels of
    /// [`Durability`] begin when a line leaves it.
    fn write_buffered(&mut self) -> Result<(), Error> {
        if self.is_written() {
            return Ok(());
        }
        if self.attempts.put_off().is_some() {
            self.time_limit.start_again();
            return Ok(());
        }
        match &mut self.durable {
            None => self.write_buffer(None),
            Some(durable) => {
                durable.begin_buffered();
                self.write_buffer(None)?;
                self.durable.as_mut().map_or(Ok(()), Durable::settle_write)
            }
        }
    }

    fn set_reminder(&mut self, reminder: Reminder) {
        self.time_limit.set_reminder(reminder);
    }

    /// Ends a sealed or encrypted file. A later line continues it.
    fn close(&mut self, _: Instant) -> Result<(), Error> {
        self.write_buffer(None)?;
        self.log.lock()?.write_end()
    }

    /// Returns how many lines are in the buffer, or not yet as durable as the [`Durability`] promises.
    #[inline]
    fn pending(&self) -> usize {
        let rest = usize::from(self.log.has_rest_of(self.number));
        self.buffer.count() + rest + self.durable.as_ref().map_or(0, Durable::pending)
    }

    #[inline]
    fn commit(&mut self) -> Option<Commit> {
        self.durable.as_mut()?.commit()
    }

    fn lost(&mut self) -> usize {
        self.durable.as_mut().map_or(0, Durable::lost)
    }

    fn describe(&self) -> String {
        format!("file {}", self.place.name.display())
    }

    fn forget_pending(&mut self) {
        self.buffer.clear();
        self.time_limit.end();
        if let Some(durable) = &mut self.durable {
            durable.forget();
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.buffer.count();
        f.debug_struct("File").field("path", &self.place.name).field("buffered_lines", &lines).finish_non_exhaustive()
    }
}

impl io::Write for File {
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

impl Drop for File {
    fn drop(&mut self) {
        if let Some(durable) = &mut self.durable {
            durable.begin_flush();
        }
        if let Err(error) = self.write_buffer(None)
            && !self.buffer.is_empty()
        {
            selflog::tell(&format!("{}: {} records lost: {error:#}", self.describe(), self.buffer.count()));
        }
        if let Some(durable) = &mut self.durable
            && let Err(error) = durable.settle_here(Instant::now() + LAST_SYNC)
            && error.handler().is_none()
        {
            selflog::tell(&format!("{}: {error:#}", self.describe()));
        }
        // It can only fail if this thread is writing to the file, or if a thread of the parent process was.
        let _ = self.log.dismiss(self.number);
    }
}

/// How long dropping a file may wait for its last sync.
const LAST_SYNC: Duration = Duration::from_secs(5);
