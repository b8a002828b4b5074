use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::appender::Appender;
use super::attempts::{Attempts, Timer};
use super::buffer::Buffer;
use super::coat::Coat;
use super::durability::Durability;
use super::durable;
use super::open::Open;
use super::watch::Watch;
use super::{File, Place, cannot};
use crate::clock::Clock;
use crate::ownership::{self, Account, Ownership};
use crate::record::Severity;
use crate::rotation::Rotation;
use crate::selflog::Health;
use crate::{Error, ErrorKind};

/// How a [`File`] is opened, and what becomes of what is written.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`truncate`](Self::truncate) | no | empties the file when it is opened first |
/// | [`create_dirs`](Self::create_dirs) | yes | makes missing directories |
/// | [`delay`](Self::delay) | no | opens, and makes, the file at the first write |
/// | [`mode`](Self::mode) | the umask decides | permissions of files it makes (unix) |
/// | [`dir_mode`](Self::dir_mode) | the umask decides | permissions of directories it makes (unix) |
/// | [`owner`](Self::owner), [`group`](Self::group) | the process's | whose the files and directories are that it makes (unix) |
/// | [`follow_links`](Self::follow_links) | in private directories | whether links and files of others are written to (unix) |
/// | [`buffer`](Self::buffer) | 0 bytes: none | gathers lines for fewer, longer writes |
/// | [`durability`](Self::durability) | [`Flushed`](Durability::Flushed) | what a killed process, or a loss of power, can take away |
/// | [`sync_after`](Self::sync_after) | none | records this important are on the disk when their call returns |
/// | [`hold`](Self::hold) | 0 bytes: refuse | keeps lines in memory while the file cannot be written |
/// | [`rotation`](Self::rotation) | none | when a new file is begun |
/// | [`watch`](Self::watch) | 1 s | how often it looks whether others moved, removed or emptied the file |
/// | [`shared`](Self::shared) | no | whether other processes write to the file too |
/// | [`clock`](Self::clock) | the system's | what the pauses between attempts are measured by |
/// | `seal` (feature `seal`) | no | changes of the file show |
/// | `encrypt` (feature `encryption`) | no | only a key opens the file |
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
    /// Before that of the level.
    buffer: Option<usize>,
    hold: usize,
    timer: Timer,
    /// Two coats do not go together.
    several_coats: bool,
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
        self.settings.opening.ownership.mode = Some(bits);
        self
    }

    /// The permission bits of directories it makes, exactly, whatever the umask. No effect off unix.
    pub fn dir_mode(mut self, bits: u32) -> Self {
        self.settings.opening.ownership.dir_mode = Some(bits);
        self
    }

    /// Whose the files and directories are that it makes, by number or by name: those that [rotation](Self::rotation) begins
    /// too. A file that exists keeps its own. The usual case is a service that opens its files as root and then becomes
    /// somebody else.
    ///
    /// To give files away takes root's rights (`CAP_CHOWN`); without them the opening fails, and leaves nothing behind. An owner
    /// who may write to the directory is one of the others of [`follow_links`](Self::follow_links), but files of theirs are
    /// taken.
    ///
    /// ```
    /// use tracing_handlers::sink;
    ///
    /// let error = sink::File::options().owner("nobody at all").delay(true).open("app.log").unwrap_err();
    /// assert_eq!(error.to_string(), "there is no user \"nobody at all\"");
    /// ```
    pub fn owner(mut self, user: impl Into<Account>) -> Self {
        self.settings.opening.ownership.owner = Some(user.into());
        self
    }

    /// The group of the files and directories that it makes, by number or by name. One that the process belongs to needs no
    /// rights; otherwise as [`owner`](Self::owner).
    ///
    /// ```no_run
    /// use tracing_handlers::sink;
    ///
    /// // Debian's log readers.
    /// sink::File::options().group("adm").mode(0o640).open("/var/log/shop/app.log")?;
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn group(mut self, group: impl Into<Account>) -> Self {
        self.settings.opening.ownership.group = Some(group.into());
        self
    }

    /// Whether it writes through links, and to files of others, wherever the file lies. By default it does where nobody else can
    /// put them there, and refuses them elsewhere, so that nobody can have this process write to a file that only it may write
    /// to, or read what it writes.
    ///
    /// Others can put them where the directory that holds the file is writable by all (`/tmp`; the sticky bit does not help) or
    /// by a group that is neither root's nor the process's own, or belongs to somebody who is neither root nor the user of this
    /// process. There these are refused:
    ///
    /// - a symbolic link, whosever it is;
    /// - a file with more than one hard link;
    /// - a file or pipe that belongs neither to the user of this process, nor to root, nor to the directory's owner, nor to the
    ///   [`owner`](Self::owner) that is set.
    ///
    /// The opened file itself is looked at, so that there is no moment in between. `/dev/stdout`, `/dev/fd/3` and the like are
    /// always followed. Not looked at: the directories above the one that holds the file, and access lists. No effect off unix.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::os::unix::fs::{PermissionsExt, symlink};
    /// use tracing_handlers::sink;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("app.log");
    /// symlink(dir.path().join("precious"), &path)?;
    /// # drop((sink::File::open(&path)?, std::fs::remove_file(dir.path().join("precious"))));
    /// std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o1777))?;
    /// let error = sink::File::open(&path).unwrap_err();
    /// assert!(error.to_string().contains("it is a symbolic link, and others can write to its directory"));
    /// assert!(sink::File::options().follow_links(true).open(&path).is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn follow_links(mut self, follow: bool) -> Self {
        self.settings.opening.follow_links = follow;
        self
    }

    /// Gathers up to so many bytes of lines before they are written; 64 KiB serve well.
    ///
    /// Lines that lie in the buffer are [`pending`](crate::Sink::pending). They go out when the next ones have no room,
    /// by `flush`, and when the file is dropped; a process that is killed loses them. While they cannot go out they stay,
    /// and what has no room beside them is refused.
    ///
    /// It is the short form of [`Durability::Buffered`], and goes with every other level: with `Synced` and `Grouped` a flush
    /// writes the buffer and syncs it; with `Synced` the line for which it has no room does so too.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = Some(bytes);
        self
    }

    /// What has become of a line when its call returns: see [`Durability`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self.settings.opening.is_durable = self.settings.is_durable();
        self
    }

    /// A record of this severity, or a more important one, is on the disk when its call returns, whatever the level; all that
    /// was logged before it is too. journald does so from `CRIT` on.
    ///
    /// The call writes the buffer and waits for a sync. When that fails, the lines of its batch count as failed. Behind a
    /// [`Queue`](crate::Queue) the call is that of the queue's thread: who logs does not wait. A file that is left before, by
    /// rotation or because it was moved, is synced too.
    ///
    /// ```
    /// use tracing_handlers::sink::{Framed, File, Line, Sink};
    /// use tracing_handlers::Severity;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// let mut file = File::options().buffer(4096).sync_after(Severity::ERROR).open(&path)?;
    /// let mut log = |severity, line: &[u8]| {
    ///     file.write(Framed::new(line, &[Line { end: line.len(), severity }])).map_err(|partial| partial.error)?;
    ///     Ok::<_, tracing_handlers::Error>(file.pending())
    /// };
    /// assert_eq!(log(Severity::INFO, b"fine\n")?, 1);
    /// assert_eq!(log(Severity::ERROR, b"not fine\n")?, 0);
    /// assert_eq!(std::fs::read_to_string(&path)?, "fine\nnot fine\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sync_after(mut self, severity: impl Into<Severity>) -> Self {
        self.settings.sync_after = Some(severity.into());
        self.settings.opening.is_durable = true;
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

    #[cfg_attr(not(any(feature = "seal", feature = "encryption")), expect(dead_code))]
    pub(super) fn coat(mut self, coat: Box<dyn Coat>) -> Self {
        self.several_coats |= self.settings.coat.is_some();
        self.settings.coat = Some(coat);
        self
    }

    /// Opens `path`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io), with the path, where it cannot be opened, or a directory cannot be made; with
    /// [`delay`](Self::delay) the first write has that error. [`Config`](crate::ErrorKind::Config) for an
    /// [`owner`](Self::owner) or a [`group`](Self::group) that there is not, and, off unix, for any; where settings do
    /// not go together, and where a sealed or encrypted file is not open to the key.
    pub fn open(mut self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.settings.opening.ownership.resolve()?;
        self.check(path.as_ref())?;
        let buffer = self.buffer.unwrap_or(match self.settings.durability {
            Durability::Buffered(bytes) => bytes,
            _ => 0,
        });
        let mut appender = Appender::new(Place::new(path.as_ref())?, self.settings);
        if !self.delay {
            appender.begin_open()?;
        }
        let (buffer, attempts) = (Buffer::new(buffer), Attempts::new(self.timer));
        Ok(File { appender, buffer, hold: self.hold, attempts, health: Health::default() })
    }
}

impl FileOptions {
    /// What goes together.
    fn check(&self, path: &Path) -> Result<(), Error> {
        let what = match &self.settings {
            _ if self.several_coats => "`seal` and `encrypt` cannot be combined",
            Settings { coat: Some(_), shared: true, .. } => "a shared file cannot be sealed or encrypted",
            Settings { coat: Some(coat), rotation: Some(rotation), .. }
                if rotation.compresses() && !coat.can_be_compressed() =>
            {
                "an encrypted file cannot be compressed"
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Config, format!("file {}: {what}", path.display())))
    }
}

/// What the appender has to know.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) opening: Opening,
    pub(super) shared: bool,
    pub(super) watch: Option<Watch>,
    pub(super) rotation: Option<Rotation>,
    pub(super) durability: Durability,
    pub(super) sync_after: Option<Severity>,
    pub(super) coat: Option<Box<dyn Coat>>,
}

impl Settings {
    /// Whether anything is ever synced.
    fn is_durable(&self) -> bool {
        self.durability.syncs() || self.sync_after.is_some()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            opening: Opening::default(),
            shared: false,
            watch: Some(Watch::default()),
            rotation: None,
            durability: Durability::default(),
            sync_after: None,
            coat: None,
        }
    }
}

/// How the file is opened, each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    truncate: bool,
    keep_dirs: bool,
    follow_links: bool,
    ownership: Ownership,
    /// What is made is there after a loss of power.
    is_durable: bool,
}

impl Opening {
    pub(super) fn open(&mut self, place: &Place) -> Result<Open, Error> {
        self.make_way(place)?;
        let file = self.open_or_make(&place.absolute).map_err(|error| cannot("open", &place.name, error))?;
        let mut open = Open::new(file, place)?;
        if self.truncate {
            open.truncate(&place.name)?;
            self.truncate = false;
        }
        Ok(open)
    }

    pub(super) fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Makes the directories that are missing.
    pub(super) fn make_way(&self, place: &Place) -> Result<(), Error> {
        if self.keep_dirs { Ok(()) } else { self.make_dirs(place.absolute.parent()) }
    }

    /// Only what we make gets our permissions, so that making is a step of its own.
    fn open_or_make(&self, path: &Path) -> io::Result<fs::File> {
        match self.open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let made = match self.ownership.make_file(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_late(path),
            made => made,
        };
        made.and_then(|file| self.made(path.parent()).map(|()| file).map_err(io::Error::from))
    }

    /// Somebody was faster, or it is a symbolic link to a file yet to be made.
    fn open_late(&self, path: &Path) -> io::Result<fs::File> {
        match self.open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.follows(path) => self.make_target(path),
            opened => opened,
        }
    }

    /// Makes the file that a symbolic link leads to, as any other one.
    fn make_target(&self, link: &Path) -> io::Result<fs::File> {
        let path = ownership::target(link);
        match self.ownership.make_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_existing(link),
            made => made.and_then(|file| self.made(path.parent()).map(|()| file).map_err(io::Error::from)),
        }
    }

    fn open_existing(&self, path: &Path) -> io::Result<fs::File> {
        match self.follow_links {
            true => fs::OpenOptions::new().append(true).open(path),
            false => ownership::open(path, self.ownership.owner_id()),
        }
    }

    fn follows(&self, path: &Path) -> bool {
        self.follow_links || ownership::in_private_directory(path)
    }

    /// Makes `dir` and what is missing above it.
    fn make_dirs(&self, dir: Option<&Path>) -> Result<(), Error> {
        let Some(dir) = dir.filter(|dir| !dir.is_dir()) else { return Ok(()) };
        self.make_dirs(dir.parent())?;
        match self.ownership.make_dir(dir) {
            Err(error) if !dir.is_dir() => Err(cannot("make directory", dir, error)),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot("set the mode of", dir, error)),
            _ => self.made(dir.parent()),
        }
    }

    /// Something was made in `dir`.
    fn made(&self, dir: Option<&Path>) -> Result<(), Error> {
        match dir {
            Some(dir) if self.is_durable => durable::made(dir),
            _ => Ok(()),
        }
    }
}
