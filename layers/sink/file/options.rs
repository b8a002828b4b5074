use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::appender::Appender;
use super::attempts::{Attempts, Timer};
use super::buffer::Buffer;
use super::open::Open;
use super::watch::Watch;
use super::{File, Place, cannot, mode};
use crate::Error;
use crate::clock::Clock;
use crate::rotation::Rotation;
use crate::selflog::Health;

/// How a [`File`] is opened, and what becomes of what is written.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`truncate`](Self::truncate) | no | empties the file when it is opened first |
/// | [`create_dirs`](Self::create_dirs) | yes | makes missing directories |
/// | [`delay`](Self::delay) | no | opens, and makes, the file at the first write |
/// | [`mode`](Self::mode) | the umask decides | permissions of files it makes (unix) |
/// | [`dir_mode`](Self::dir_mode) | the umask decides | permissions of directories it makes (unix) |
/// | [`buffer`](Self::buffer) | 0 bytes: none | gathers lines for fewer, longer writes |
/// | [`hold`](Self::hold) | 0 bytes: refuse | keeps lines in memory while the file cannot be written |
/// | [`rotation`](Self::rotation) | none | when a new file is begun |
/// | [`watch`](Self::watch) | 1 s | how often it looks whether others moved, removed or emptied the file |
/// | [`shared`](Self::shared) | no | whether other processes write to the file too |
/// | [`clock`](Self::clock) | the system's | what the pauses between attempts are measured by |
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::rotation::KIB;
/// use tracing_handlers::sink::{self, Sink};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("logs/app.log");
/// let mut file = sink::File::options().mode(0o640).buffer(64 * KIB as usize).open(&path)?;
/// file.write_all(b"one\n")?;
/// assert_eq!((file.pending(), std::fs::read(&path)?.len()), (1, 0));
/// Write::flush(&mut file)?;
/// assert_eq!((file.pending(), std::fs::read(&path)?.len()), (0, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    settings: Settings,
    delay: bool,
    buffer: usize,
    hold: usize,
    timer: Timer,
}

impl FileOptions {
    /// Empties the file when it is opened first (Python's `mode="w"`); not when it is opened again after an error.
    pub fn truncate(mut self, truncate: bool) -> Self {
        self.settings.opening.truncate = truncate;
        self
    }

    /// Whether missing directories are made.
    pub fn create_dirs(mut self, create_dirs: bool) -> Self {
        self.settings.opening.keep_dirs = !create_dirs;
        self
    }

    /// Opens the file at the first write: `open` succeeds then, and the write has the error.
    pub fn delay(mut self, delay: bool) -> Self {
        self.delay = delay;
        self
    }

    /// The permission bits of files it makes, exactly, whatever the umask: `0o640` is `rw-r-----`. A file that exists keeps
    /// its own. No effect off unix.
    pub fn mode(mut self, bits: u32) -> Self {
        self.settings.opening.mode = Some(bits);
        self
    }

    /// The permission bits of directories it makes, exactly, whatever the umask. No effect off unix.
    pub fn dir_mode(mut self, bits: u32) -> Self {
        self.settings.opening.dir_mode = Some(bits);
        self
    }

    /// Gathers up to so many bytes of lines before they are written; 64 KiB serve well.
    ///
    /// Lines that lie in the buffer are [`pending`](crate::Sink::pending). They go out when the next ones have no room,
    /// by `flush`, and when the file is dropped; a process that is killed loses them. While they cannot go out they stay,
    /// and what has no room beside them is refused.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// While the file cannot be written (the disk is full, the directory is gone), keeps up to so many bytes of lines in
    /// memory, what lies in the [`buffer`](Self::buffer) among them; they go out first, in order, when it works again. By
    /// default such lines are refused, so that a [`Fallback`](crate::handler::Fallback), an
    /// [`Audit`](crate::handler::Audit) or a [`Retry`](crate::handler::Retry) sees the error.
    ///
    /// What is held is taken, and [`pending`](crate::Sink::pending): a process that is killed loses it. What has no room is
    /// refused. The memory is asked for when it is needed, and given back. Held lines go out with the next record whose turn
    /// it is to try, by `flush`, and when the file is dropped; nobody waits for them.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::sink::{self, Sink};
    ///
    /// # tracing_handlers::selflog::set(|_| ());
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("logs/app.log");
    /// let mut file = sink::File::options().hold(1 << 20).delay(true).open(&path)?;
    /// std::fs::write(dir.path().join("logs"), "not a directory")?;
    /// file.write_all(b"one\n")?;
    /// assert_eq!(file.pending(), 1);
    /// std::fs::remove_file(dir.path().join("logs"))?;
    /// Write::flush(&mut file)?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "one\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hold(mut self, bytes: usize) -> Self {
        self.hold = bytes;
        self
    }

    /// What the pauses between attempts are measured by, while the file cannot be written.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.timer = Timer::new(clock);
        self
    }

    /// Begins new files by `rotation`.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.settings.rotation = Some(rotation);
        self
    }

    /// How often, at most, it looks whether the file is still there, before a line is written; by default each second.
    ///
    /// A file that was moved or removed (logrotate's `create`) is made anew, one that was emptied (`copytruncate`) is known
    /// to be short again. `Duration::ZERO` looks before each write, as Python's `WatchedFileHandler`, for about the third part
    /// of what the write itself costs; `None` never looks. Between two looks lines go on into the file that was moved away, from where
    /// they are not lost; those written after it was removed are.
    pub fn watch(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.settings.watch = interval.into().map(Watch::every);
        self
    }

    /// Whether other processes, which must say so too, write to the file and rotate it.
    ///
    /// Each write then holds a lock (`flock(2)`) on `.NAME.lock` beside the file, in which it looks where the path leads and how
    /// long the file is: lines are whole, exactly one process turns the file, and none writes to one that has ended. The
    /// system lets go of the lock of a process that dies. Use a [`Queue`](crate::Queue) or a [`buffer`](Self::buffer) for
    /// fewer writes. A lock that is not to be had for five seconds refuses the lines.
    pub fn shared(mut self, shared: bool) -> Self {
        self.settings.shared = shared;
        self
    }

    /// Opens `path`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io), with the path, where it cannot be opened, or a directory cannot be made; with
    /// [`delay`](Self::delay) the first write has that error.
    pub fn open(self, path: impl AsRef<Path>) -> Result<File, Error> {
        let mut appender = Appender::new(Place::new(path.as_ref())?, self.settings);
        if !self.delay {
            appender.open()?;
        }
        let (buffer, attempts) = (Buffer::new(self.buffer), Attempts::new(self.timer));
        Ok(File { appender, buffer, hold: self.hold, attempts, health: Health::default() })
    }
}

/// What the appender has to know.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) opening: Opening,
    pub(super) shared: bool,
    pub(super) watch: Option<Watch>,
    pub(super) rotation: Option<Rotation>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { opening: Opening::default(), shared: false, watch: Some(Watch::default()), rotation: None }
    }
}

/// How the file is opened, each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    truncate: bool,
    keep_dirs: bool,
    mode: Option<u32>,
    dir_mode: Option<u32>,
}

impl Opening {
    pub(super) fn open(&mut self, place: &Place) -> Result<Open, Error> {
        self.make_way(place)?;
        let file = self.open_or_make(&place.absolute).map_err(|error| cannot("open", &place.name, error))?;
        let mut open = Open::new(file, &place.name)?;
        if self.truncate {
            open.truncate(&place.name)?;
            self.truncate = false;
        }
        Ok(open)
    }

    pub(super) fn file_mode(&self) -> Option<u32> {
        self.mode
    }

    /// Makes the directories that are missing.
    pub(super) fn make_way(&self, place: &Place) -> Result<(), Error> {
        if self.keep_dirs { Ok(()) } else { self.make_dirs(place.absolute.parent()) }
    }

    /// Only what we make gets our permissions, so that making is a step of its own.
    fn open_or_make(&self, path: &Path) -> io::Result<fs::File> {
        let mut options = fs::OpenOptions::new();
        options.append(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match mode::make_file(path, self.mode) {
            // Somebody was faster, or it is a symbolic link to a file yet to be made.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create(true).open(path),
            made => made,
        }
    }

    /// Makes `dir` and what is missing above it.
    fn make_dirs(&self, dir: Option<&Path>) -> Result<(), Error> {
        let Some(dir) = dir.filter(|dir| !dir.is_dir()) else { return Ok(()) };
        self.make_dirs(dir.parent())?;
        match mode::make_dir(dir, self.dir_mode) {
            Err(error) if !dir.is_dir() => Err(cannot("make directory", dir, error)),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot("set the mode of", dir, error)),
            _ => Ok(()),
        }
    }
}
