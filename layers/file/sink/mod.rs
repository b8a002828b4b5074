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
mod identity;
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

use crate::file::rotation::{Lock, Registered, Rotation, Rotator};
use crate::selflog::Health;
use crate::sink::run::Run;
use crate::sink::{Framed, Reminder, Sink, writer};
use crate::{Error, Partial, process, selflog};
use attempts::Attempts;
use buffer::Buffer;
use control::Requests;
use durable::{Durable, WriteMode};
use encoder::FileEncoder;
use open::Open;
use opening::Opening;
use place::Place;
use time_limit::TimeLimit;
use watch::Watch;

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
/// are refused or held as on a full disk.
///
/// A process that is killed may leave a partial line at the end of its file. The next process to open that file ends the partial
/// line before its own first line, so that no other line is damaged; this requires that lines end
/// with a line feed or a null, and that the file is readable.
///
/// As `io::Write`, each call of `write` is one line, which rotation does not split.
pub struct File {
    place: Place,
    requests: Requests,
    /// Lines that are taken and not written yet.
    buffer: Buffer,
    time_limit: TimeLimit,
    attempts: Attempts,
    /// Reports errors of held lines, which no caller sees.
    health: Health,
    /// Reports that the path cannot be opened again, and the file that is open stays in use.
    stays: Health,
    /// `None` if nothing is ever synced.
    durable: Option<Durable>,
    opening: Opening,
    /// `None` before the first write of a delayed file, and after an error.
    open: Option<Open>,
    /// The open file ends within a line, whose rest is written next.
    torn: bool,
    watch: Option<Watch>,
    /// How often this process had been forked when the path was last looked at: children close descriptors.
    forks: u64,
    rotator: Option<Rotator>,
    registered: Registered,
    shared: bool,
    /// The lock of a shared file: while it is held, other processes neither write nor rotate the file.
    lock: Option<Arc<Lock>>,
    /// Seals or encrypts lines.
    encoder: Option<FileEncoder>,
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
    /// [`selflog`](crate::selflog), and the file is not rotated.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.set_rotation(rotation);
        self
    }

    /// Returns a handle that asks the file to rotate, or to reopen its path, while it is in use.
    pub fn control(&self) -> Control {
        self.requests.control().clone()
    }

    fn new(place: Place, options: FileOptions) -> Result<Self, Error> {
        let mut file = Self {
            registered: Registered::new(&place.absolute)?,
            buffer: Buffer::new(options.buffer_capacity(), options.hold),
            time_limit: TimeLimit::new(options.flush_after),
            attempts: Attempts::new(options.timer),
            health: Health::default(),
            stays: Health::default(),
            durable: Durable::new(options.durability, options.sync_after, &place),
            place,
            requests: Requests::default(),
            opening: options.opening,
            open: None,
            torn: false,
            watch: options.watch,
            forks: process::forks(),
            rotator: None,
            shared: options.shared,
            lock: None,
            encoder: options.encoder.map(FileEncoder::new),
            preamble: Vec::new(),
        };
        let default = options.shared.then(Rotation::on_request);
        options.rotation.or(default).into_iter().for_each(|rotation| file.set_rotation(rotation));
        Ok(file)
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

impl FileOptions {
    /// Opens `path`.
    ///
    /// # Errors
    ///
    /// - [`Io`](crate::ErrorKind::Io), with the path, if the file cannot be opened or a directory cannot be created; with
    ///   [`delay`](Self::delay) the first write returns this error.
    /// - [`Config`](crate::ErrorKind::Config) if the [`owner`](Self::owner) or the [`group`](Self::group) does not exist, or is
    ///   set on a system other than Unix; if settings cannot be combined; if the key does not match a sealed or encrypted file; if
    ///   archives of another log that is open in this process have this name; if the names of its archives would be too long.
    pub fn open(mut self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.check(path.as_ref())?;
        process::ignore_file_size_signal_once();
        let delay = self.delay;
        let mut file = File::new(Place::new(path.as_ref())?, self)?;
        if !delay {
            file.open_or_await_reader()?;
        }
        Ok(file)
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
    /// to a regular file do not block for long, so the deadline is checked only while another thread syncs.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        self.attempts.hurry();
        match &mut self.durable {
            None => self.write_out(),
            Some(durable) => {
                durable.begin_flush();
                self.flush_durably(deadline)
            }
        }
    }

    /// Writes the buffer, unless a failure was too short a time ago. Does not sync: with a buffer, the stronger levels of
    /// [`Durability`] begin when a line leaves it.
    fn write_buffered(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.attempts.put_off().is_some() {
            self.time_limit.start_again();
            return Ok(());
        }
        match &mut self.durable {
            None => self.write_buffer(),
            Some(durable) => {
                durable.begin_buffered();
                self.write_buffer()?;
                self.durable.as_mut().map_or(Ok(()), Durable::settle_write)
            }
        }
    }

    fn set_reminder(&mut self, reminder: Reminder) {
        self.time_limit.set_reminder(reminder);
    }

    /// Ends a sealed or encrypted file. A later line continues it.
    fn close(&mut self, _: Instant) -> Result<(), Error> {
        self.write_buffer()?;
        self.write_end()
    }

    /// Returns how many lines are in the buffer, or not yet as durable as the [`Durability`] promises.
    fn pending(&self) -> usize {
        self.buffer.count() + self.durable.as_ref().map_or(0, Durable::pending)
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
        self.torn = false;
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
        if let Err(error) = self.write_buffer() {
            selflog::tell(&format!("{}: {} records lost: {error:#}", self.describe(), self.buffer.count()));
        }
        if let Err(error) = self.write_end() {
            selflog::tell(&format!("{}: cannot close: {error:#}", self.describe()));
        }
        if let Some(durable) = &mut self.durable
            && let Err(error) = durable.settle_here(Instant::now() + LAST_SYNC)
            && error.handler().is_none()
        {
            selflog::tell(&format!("{}: {error:#}", self.describe()));
        }
    }
}

/// How long dropping a file may wait for its last sync.
const LAST_SYNC: Duration = Duration::from_secs(5);
