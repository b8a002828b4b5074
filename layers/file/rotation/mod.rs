//! File rotation: when a new file is started, how the old ones are named, and which of them are kept.
//!
//! A [`Rotation`] is triggers × [`Naming`] × retention. By default archives are numbered as by
//! Python's `RotatingFileHandler` and five of them are kept.
//!
//! An *archive* is a file that rotation left behind, compressed or not. The file in use and its archives are the *family* of a
//! log: all files in the directory whose names the naming produces.

mod age_clock;
mod alike;
mod appender;
mod archive;
mod attribute;
mod background;
mod begin;
mod check;
mod compression;
mod date_pattern;
mod direction;
mod ends;
mod family;
mod fault;
mod known;
mod lock;
mod naming;
mod obstacle;
mod of_python;
mod parse;
mod plausible;
mod pruning;
pub mod python;
mod register;
mod reporter;
mod retention;
mod rotator;
mod schedule;
mod scheme;
mod slots;
mod startup;
mod time_source;
mod trigger;
#[cfg(feature = "time-zone")]
mod zoned;

pub use background::settle;
pub use compression::Compression;
pub use naming::{Namer, Naming};
pub use retention::{Budget, Reason, Removal};
pub use schedule::Schedule;

pub(crate) use archive::Twin;
#[cfg(feature = "seal")]
pub(crate) use archive::is_same;
pub(crate) use check::With;
#[cfg(feature = "seal")]
pub(crate) use compression::is_packed;
pub(crate) use compression::{is_packed_name, packed_extensions, unpack};
pub(crate) use direction::is_oldest_first;
pub(crate) use lock::{Held, Lock};
pub(crate) use register::{Registered, directory_of};
pub(crate) use rotator::Rotator;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::clock::{Clock, Zone};
use family::Family;
use retention::Retention;
use time_source::TimeSource;
use trigger::Trigger;

/// 1,024 bytes.
pub const KIB: u64 = 1 << 10;
/// 1,048,576 bytes.
pub const MIB: u64 = 1 << 20;
/// 1,073,741,824 bytes.
pub const GIB: u64 = 1 << 30;

/// When a log file is rotated, and how its archives are named and kept.
///
/// By default `app.log` becomes `app.log.1`, the previous `app.log.1` becomes `app.log.2`, and so on: `app.log.1` is always the
/// newest archive, as in Python's `RotatingFileHandler(maxBytes, backupCount)`. A line is never split between two files.
///
/// | trigger | the file is rotated |
/// |---|---|
/// | [`size`](Self::size), [`or_size`](Self::or_size) | before the line that would exceed the size |
/// | [`schedule`](Self::schedule), [`or_schedule`](Self::or_schedule) | before the first line after a point in time |
/// | [`on_startup`](Self::on_startup) | before the first line of a process |
/// | [`on_request`](Self::on_request) | only on [request](crate::sink::Control), which works with every trigger |
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`naming`](Self::naming) | [`Naming::numbered`] | what archives are called |
/// | [`keep`](Self::keep) | 5 | how many archives are kept |
/// | [`max_age`](Self::max_age) | none | removes archives last written to longer ago than this |
/// | [`max_total`](Self::max_total) | none | how many bytes all files together may hold |
/// | [`min_free`](Self::min_free) | none | how many bytes stay free on the file system |
/// | [`budget`](Self::budget) | none | how many bytes several logs together may hold |
/// | [`compression`](Self::compression) | none | how archives are compressed |
/// | [`copy_truncate`](Self::copy_truncate) | no | copies the file and empties it, instead of renaming it |
/// | [`rotator`](Self::rotator) | a rename | how the file in use gets its new name |
/// | [`clock`](Self::clock) | the system's | the time source for schedules and ages |
///
/// [`tracing_appender`](Self::tracing_appender) takes over the files of a `tracing_appender::rolling::RollingFileAppender`, and
/// [`str::parse`](#impl-FromStr-for-Rotation) reads a rotation from words: `"daily at 02:30 or 100 MB, keep 30"`.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::Rotation;
/// use tracing_handlers::sink;
///
/// # let dir = tempfile::tempdir().unwrap();
/// let path = dir.path().join("app.log");
/// let mut file = sink::File::open(&path)?.rotation(Rotation::size(10).keep(1));
/// for line in ["one\n", "two\n", "three\n", "four\n"] {
///     file.write_all(line.as_bytes())?;
/// }
/// assert_eq!(std::fs::read_to_string(&path)?, "four\n");
/// assert_eq!(std::fs::read_to_string(path.with_extension("log.1"))?, "three\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Only files with exactly the names that the naming produces are moved or removed, never files that merely share a prefix. Files
/// that are not regular (a pipe, a device) are never rotated, and neither is a file without lines. If the path is a
/// symbolic link, the link gets the new name, as in Python, and is renamed like the others; its target stays in place.
///
/// If renaming fails (a directory in the way, no permission), lines are still written to the same file, beyond the
/// limit. The failure is reported once to [`selflog`](crate::selflog), and the rotation is retried after a second at the earliest. What
/// will keep a file from being rotated, such as a directory that may not be written to, is reported when the file is opened.
///
/// Each rotation renames all numbered archives, which takes some milliseconds if hundreds are kept. Dated archives, and those
/// [numbered from the oldest](Naming::numbered_oldest_first), keep their names.
///
/// The time is checked when a line is written: a process that logs nothing rotates nothing. After a pause or a restart, the first
/// line detects a missed deadline from the time at which the file was last written to.
#[must_use = "a rotation does nothing until it is given to a file"]
#[derive(Clone, Debug)]
pub struct Rotation {
    trigger: Trigger,
    naming: Naming,
    retention: Retention,
    compression: Option<Compression>,
    copies: bool,
    rotator: Option<Hook>,
    clock: TimeSource,
}

impl Rotation {
    /// Rotates the file before the line that would make it longer than `bytes`.
    ///
    /// A longer line gets a file to itself; with `size(0)` every line does.
    pub fn size(bytes: u64) -> Self {
        Self::on_request().or_size(bytes)
    }

    /// Rotates the file before the first line after each point in time of `schedule`, and names archives after its
    /// periods: `app.log.2026-11-20`.
    ///
    /// ```
    /// use tracing_handlers::rotation::{MIB, Rotation, Schedule};
    ///
    /// let rotation = Rotation::schedule(Schedule::daily()).or_size(100 * MIB).keep(30);
    /// ```
    pub fn schedule(schedule: Schedule) -> Self {
        let naming = Naming::of_pattern(schedule.pattern());
        Self::on_request().or_schedule(schedule).naming(naming)
    }

    /// Rotates the file only on [request](crate::sink::Control).
    pub fn on_request() -> Self {
        let retention = Retention { count: 5, age: None, total: None, free: None, budget: None };
        Self {
            trigger: Trigger::default(),
            naming: Naming::numbered(),
            retention,
            compression: None,
            copies: false,
            rotator: None,
            clock: TimeSource::default(),
        }
    }

    /// Also rotates the file before the line that would make it longer than `bytes`. Of several sizes the smallest applies.
    pub fn or_size(mut self, bytes: u64) -> Self {
        self.trigger.size = Some(self.trigger.size.map_or(bytes, |known| known.min(bytes)));
        self
    }

    /// Also rotates the file by `schedule`. Dates in names are in the time zone of the first schedule.
    pub fn or_schedule(mut self, schedule: Schedule) -> Self {
        self.trigger.schedules.push(schedule);
        self
    }

    /// Rotates a file that already has lines when the process first writes to it: log4j2's `OnStartupTriggeringPolicy`.
    pub fn on_startup(mut self, on_startup: bool) -> Self {
        self.trigger.startup = on_startup;
        self
    }

    /// Sets how archives are named.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Sets how many archives are kept: by default 5, so that logs alone never fill a disk. `usize::MAX` keeps all.
    ///
    /// With `keep(0)` the file is emptied instead. Files left from a higher setting are removed at the next rotation.
    pub fn keep(mut self, files: usize) -> Self {
        self.retention.count = files;
        self
    }

    /// Removes archives that were last written to longer ago than `age`, when the file is first opened and after each rotation. The
    /// thread that [compresses](Compression) removes them, so that no logging thread waits; [`settle`] waits for it, as does the exit
    /// of the process.
    ///
    /// A clock that jumps does not remove files: after a jump forward, or to more than a year after the log was last written to, ages
    /// are measured as if it had not jumped, until it has run on for an hour.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.retention.age = Some(age);
        self
    }

    /// Removes the oldest archives, [shortly after each rotation](Self::max_age), until the rest and the file in use together
    /// hold at most `bytes` bytes.
    pub fn max_total(mut self, bytes: u64) -> Self {
        self.retention.total = Some(bytes);
        self
    }

    /// Removes the oldest archives, [shortly after each rotation](Self::max_age), until `bytes` bytes of the file system are
    /// free, regardless of what uses the rest; also when a line cannot be written because the disk is full. Unix only.
    pub fn min_free(mut self, bytes: u64) -> Self {
        self.retention.free = Some(bytes);
        self
    }

    /// Sets one limit for several logs, enforced [shortly after each rotation](Self::max_age).
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.retention.budget = Some(budget.clone());
        self
    }

    /// Compresses archives on a [background thread](Compression), including those that exist when the file is first
    /// opened.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::rotation::{self, Compression, MIB, Rotation};
    ///
    /// # #[cfg(feature = "gzip")]
    /// let rotation = Rotation::size(100 * MIB).compression(Compression::gzip());
    /// // For a program that wants its archives to be complete before it ends.
    /// assert!(rotation::settle(Duration::from_secs(60)));
    /// ```
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Whether the file in use is copied to its archive and then emptied, instead of being renamed: logrotate's `copytruncate`. For
    /// files that cannot be renamed: one that is mounted by itself into a container, or one of another user in a directory with the
    /// sticky bit. The directory must be writable, since the archives are in it.
    ///
    /// The logging thread copies the file and waits until the copy is on the disk. If the process is killed before the file is
    /// emptied, the lines are in both files afterward; none is lost. Another process that writes to the file without
    /// [`shared`](crate::sink::FileOptions::shared) may lose lines in that moment. Cannot be combined with
    /// [`live`](Naming::live) names, a [`rotator`](Self::rotator), or sealed or encrypted files.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::rotation::Rotation;
    /// use tracing_handlers::sink::File;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// let mut file = File::open(&path)?.rotation(Rotation::size(4).copy_truncate(true));
    /// # #[cfg(unix)]
    /// # let inode = std::os::unix::fs::MetadataExt::ino(&path.metadata()?);
    /// file.write_all(b"one\n")?;
    /// file.write_all(b"two\n")?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "two\n");
    /// assert_eq!(std::fs::read_to_string(dir.path().join("app.log.1"))?, "one\n");
    /// # #[cfg(unix)]
    /// assert_eq!(std::os::unix::fs::MetadataExt::ino(&path.metadata()?), inode);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn copy_truncate(mut self, copy: bool) -> Self {
        self.copies = copy;
        self
    }

    /// Sets the function that moves the file in use (the first path) to its new name (the second): Python's `handler.rotator`.
    /// If a file remains at the first path, lines are appended to it. The function must not log.
    pub fn rotator(mut self, rotate: impl Fn(&Path, &Path) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.rotator = Some(Hook(Arc::new(rotate)));
        self
    }

    /// Sets the time source for schedules and ages.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = TimeSource::new(clock);
        self
    }

    /// Returns which archives of the log at `path` would be removed now, and why. Removes nothing.
    ///
    /// ```
    /// use tracing_handlers::rotation::{Reason, Rotation};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// for name in ["app.log", "app.log.1", "app.log.2", "app.log.2.bak"] {
    ///     std::fs::write(dir.path().join(name), "text\n")?;
    /// }
    /// let plan = Rotation::size(1000).keep(1).plan(&path)?;
    /// assert_eq!(plan.len(), 1);
    /// assert!(plan[0].path.ends_with("app.log.2"));
    /// assert_eq!(plan[0].reason, Reason::Count);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io): the directory cannot be read.
    pub fn plan(&self, path: impl AsRef<Path>) -> Result<Vec<Removal>, Error> {
        let path = path.as_ref();
        let absolute =
            std::path::absolute(path).map_err(|error| Error::io(format!("cannot find {}", path.display()), error))?;
        self.retention.plan(&Family::new(&absolute, self.naming.clone(), self.retention.count), self.clock.now())
    }

    pub(crate) fn compresses(&self) -> bool {
        self.compression.is_some()
    }

    fn zone(&self) -> Zone {
        self.trigger.schedules.first().map_or(Zone::UTC, |schedule| schedule.in_use().clone())
    }
}

/// A new file each 100 MiB, and five archives: at most 600 MiB.
impl Default for Rotation {
    fn default() -> Self {
        Self::size(100 * MIB)
    }
}

type Rotate = dyn Fn(&Path, &Path) -> io::Result<()> + Send + Sync;

#[derive(Clone)]
struct Hook(Arc<Rotate>);

impl Hook {
    fn rotate(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let rotated = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)(from, to)));
        let result = rotated.unwrap_or_else(|_| Err(io::Error::other("the rotator panicked")));
        result.map_err(|error| Error::io(format!("cannot rotate {} to {}", from.display(), to.display()), error))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rotator")
    }
}
