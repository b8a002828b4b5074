#[cfg(feature = "encryption")]
mod encrypt;
#[cfg(feature = "seal")]
mod seal;

use std::path::Path;
use std::time::Duration;

use super::attempts::Timer;
use super::durability::Durability;
use super::encoder::Encoder;
use super::opening::Opening;
use super::watch::Watch;
use crate::clock::Clock;
use crate::file::ownership::Account;
use crate::file::rotation::{Rotation, With};
use crate::record::Severity;
use crate::{Error, ErrorKind};

/// Settings for opening and writing a [`File`](super::File).
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`truncate`](Self::truncate) | no | empties the file when it is first opened |
/// | [`create_dirs`](Self::create_dirs) | yes | creates missing directories |
/// | [`delay`](Self::delay) | no | opens the file at the first write |
/// | [`mode`](Self::mode) | the umask decides | permissions of new files (Unix) |
/// | [`dir_mode`](Self::dir_mode) | the umask decides | permissions of new directories (Unix) |
/// | [`owner`](Self::owner), [`group`](Self::group) | the process's | ownership of new files and directories (Unix) |
/// | [`follow_links`](Self::follow_links) | in private directories | writes to links and to files of other users (Unix) |
/// | [`buffer`](Self::buffer) | 0 bytes: none | collects lines for fewer, longer writes |
/// | [`flush_after`](Self::flush_after) | 1 s | how long lines may lie in the buffer |
/// | [`durability`](Self::durability) | [`Flushed`](Durability::Flushed) | what a killed process or a power failure can lose |
/// | [`sync_after`](Self::sync_after) | none | records of this severity are on the disk when their call returns |
/// | [`hold`](Self::hold) | 0 bytes: refuse | keeps lines in memory while the file cannot be written |
/// | [`rotation`](Self::rotation) | none | when a new file is started |
/// | [`watch`](Self::watch) | 1 s | how often to check whether the file was moved, removed or emptied |
/// | [`shared`](Self::shared) | no | lets several processes write to the file |
/// | [`retry_clock`](Self::retry_clock) | the system's | the time source for pauses between attempts |
/// | `seal` (feature `seal`) | no | makes changes of the file detectable |
/// | `encrypt` (feature `encryption`) | no | encrypts the file |
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
#[must_use = "options do nothing until a file is opened with them"]
#[derive(Clone, Debug)]
pub struct FileOptions {
    pub(super) opening: Opening,
    pub(super) delay: bool,
    /// Overrides the buffer of the durability level.
    buffer: Option<usize>,
    pub(super) flush_after: Option<Duration>,
    pub(super) hold: usize,
    pub(super) durability: Durability,
    pub(super) sync_after: Option<Severity>,
    pub(super) rotation: Option<Rotation>,
    pub(super) watch: Option<Watch>,
    pub(super) shared: bool,
    pub(super) timer: Timer,
    pub(super) encoder: Option<Box<dyn Encoder>>,
    /// More than one encoder was set, which is an error.
    several_encoders: bool,
}

impl FileOptions {
    /// Empties the file when it is first opened (Python's `mode="w"`), but not when it is opened again after an error, nor while
    /// this process has it open already: what is in it then are lines of this process.
    pub fn truncate(mut self, truncate: bool) -> Self {
        self.opening.truncate = truncate;
        self
    }

    /// Whether missing directories are created. Default: yes.
    pub fn create_dirs(mut self, create_dirs: bool) -> Self {
        self.opening.keep_dirs = !create_dirs;
        self
    }

    /// Opens the file at the first write, which then returns the errors that `open` would return.
    pub fn delay(mut self, delay: bool) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the exact permission bits of new files, regardless of the umask: `0o640` is `rw-r-----`. An existing file keeps
    /// its own. Has an effect only on Unix.
    pub fn mode(mut self, bits: u32) -> Self {
        self.opening.ownership.mode = Some(bits);
        self
    }

    /// Sets the exact permission bits of new directories, regardless of the umask. Has an effect only on Unix.
    pub fn dir_mode(mut self, bits: u32) -> Self {
        self.opening.ownership.dir_mode = Some(bits);
        self
    }

    /// Sets the owner of new files and directories, by number or by name, including files that [rotation](Self::rotation)
    /// creates. An existing file keeps its owner. A typical use is a service that opens its files as root and then switches to
    /// another user.
    ///
    /// Changing the owner requires root's privileges (`CAP_CHOWN`); without them opening fails, and leaves nothing behind. If the
    /// owner may write to the directory, it counts among the other users of [`follow_links`](Self::follow_links), but its files
    /// are accepted.
    ///
    /// ```
    /// use tracing_handlers::sink;
    ///
    /// let error = sink::File::options().owner("no such user").delay(true).open("app.log").unwrap_err();
    /// assert_eq!(error.to_string(), "there is no user \"no such user\"");
    /// ```
    pub fn owner(mut self, user: impl Into<Account>) -> Self {
        self.opening.ownership.owner = Some(user.into());
        self
    }

    /// Sets the group of new files and directories, by number or by name. A group that the process belongs to needs no
    /// privileges; otherwise as for [`owner`](Self::owner).
    ///
    /// ```no_run
    /// use tracing_handlers::sink;
    ///
    /// // Debian's log readers.
    /// sink::File::options().group("adm").mode(0o640).open("/var/log/shop/app.log")?;
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn group(mut self, group: impl Into<Account>) -> Self {
        self.opening.ownership.group = Some(group.into());
        self
    }

    /// Whether links are followed, and files of other users written to, in every directory. By default this is allowed only in
    /// directories where other users cannot create them, so that another user can neither redirect this process's writes to a
    /// file that only this process may write to, nor read what it writes.
    ///
    /// Other users can create them if the directory of the file is writable by all (`/tmp`; the sticky bit does not help) or
    /// by a group that is neither root's nor the process's own, or if it is owned by a user other than root and the user of this
    /// process. In such a directory these are refused by default:
    ///
    /// - a symbolic link, regardless of its owner;
    /// - a file with more than one hard link;
    /// - a file or pipe that belongs neither to the user of this process, nor to root, nor to the directory's owner, nor to the
    ///   [`owner`](Self::owner) that is set.
    ///
    /// If those others are a group to which the process belongs, also as one of its supplementary groups, and the sticky bit is not
    /// set, its members share the directory: a Kubernetes volume with `fsGroup`, for example. A regular file may then belong to any
    /// user, and a symbolic link may lead to a file in the same directory, as [`live`](crate::rotation::Naming::live) names do.
    ///
    /// The opened file itself is checked, so that there is no race. `/dev/stdout`, `/dev/fd/3` and the like are
    /// always followed. Directories above that of the file, and access lists, are not checked. Has an effect only on Unix.
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
    /// assert!(format!("{error:#}").contains("it is a symbolic link, and others can write to its directory"));
    /// assert!(sink::File::options().follow_links(true).open(&path).is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn follow_links(mut self, follow: bool) -> Self {
        self.opening.follow_links = follow;
        self
    }

    /// Collects up to `bytes` bytes of lines before they are written; 64 KiB is a good choice.
    ///
    /// Lines in the buffer are [`pending`](crate::Sink::pending). They are written when the next lines have no room, when a
    /// [`Queue`](crate::Queue) in front has run out of records, [a second](Self::flush_after) after the first of them, by `flush`, and
    /// when the file is dropped; a process that is killed loses them. While they cannot be written they are kept, and lines for which
    /// there is no room are refused.
    ///
    /// This is the short form of [`Durability::Buffered`], and can be combined with every other level: with `Synced` and `Grouped`
    /// a flush writes the buffer and syncs it; with `Synced`, a line for which the buffer has no room does so too.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = Some(bytes);
        self
    }

    /// Sets how long lines may lie in the [`buffer`](Self::buffer), from the first one on. Default: a second. `None` and
    /// `Duration::MAX` set no limit, as log4j2's `immediateFlush="false"`.
    ///
    /// The buffer is then written by the thread `log-timer`, which sleeps while all buffers are empty. It is not synced then: with
    /// [`Synced`](Durability::Synced), `flush` and lines that are written past the buffer still do that. Lines that are
    /// [held](Self::hold) because they could not be written are tried again at the same interval, but at most once a second.
    ///
    /// This requires an owner of the file that gives it a [`Reminder`](crate::sink::Reminder), as [`Output`](crate::Output) and
    /// [`Writer`](crate::sink::Writer) do. A `File` that a program writes to by itself, as an `io::Write`, has no limit.
    ///
    /// ```
    /// use std::io::Write;
    /// use std::time::Duration;
    /// use tracing_handlers::sink::{File, Writer};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// let file = File::options().buffer(64 << 10).flush_after(Duration::from_millis(20)).open(&path)?;
    /// let mut writer = Writer::new(file);
    /// writeln!(writer, "the last line for hours")?;
    /// # let start = std::time::Instant::now();
    /// while std::fs::read_to_string(&path)?.is_empty() {
    ///     std::thread::sleep(Duration::from_millis(20));
    /// #   assert!(start.elapsed() < Duration::from_secs(60));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.flush_after = time.into();
        self
    }

    /// Sets what a line can survive once its call has returned: see [`Durability`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self.opening.is_durable = durability.syncs() || self.sync_after.is_some();
        self
    }

    /// Syncs after each record of at least `severity`, at any [`Durability`]: the record, and everything logged before it, is on
    /// the disk when its call returns. journald does so from `CRIT` on.
    ///
    /// The call writes the buffer and waits for a sync. If that fails, the lines of its batch count as failed. Behind a
    /// [`Queue`](crate::Queue) the queue's thread waits, and logging threads do not. Files that were left before, by
    /// rotation or because they were moved, are synced too.
    ///
    /// ```
    /// use tracing_handlers::sink::{Framed, File, RecordEnd, Sink};
    /// use tracing_handlers::Severity;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// let mut file = File::options().buffer(4096).sync_after(Severity::ERROR).open(&path)?;
    /// let mut log = |severity, line: &[u8]| {
    ///     file.write(Framed::new(line, &[RecordEnd::new(line.len(), severity)])).map_err(|partial| partial.error)?;
    ///     Ok::<_, tracing_handlers::Error>(file.pending())
    /// };
    /// assert_eq!(log(Severity::INFO, b"fine\n")?, 1);
    /// assert_eq!(log(Severity::ERROR, b"not fine\n")?, 0);
    /// assert_eq!(std::fs::read_to_string(&path)?, "fine\nnot fine\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sync_after(mut self, severity: impl Into<Severity>) -> Self {
        self.sync_after = Some(severity.into());
        self.opening.is_durable = true;
        self
    }

    /// Holds up to `bytes` bytes of lines in memory while the file cannot be written (the disk is full, the directory is gone),
    /// including those in the [`buffer`](Self::buffer). They are written first, in order, when the file works again. By
    /// default such lines are refused, so that a [`Fallback`](crate::handler::Fallback), an
    /// [`Audit`](crate::handler::Audit) or a [`Retry`](crate::handler::Retry) sees the error.
    ///
    /// Held lines are taken, and [`pending`](crate::Sink::pending): a process that is killed loses them. Lines for which there is
    /// no room are refused. The memory is allocated on demand and freed again. Held lines are written at the next attempt that a
    /// record or the [time limit](Self::flush_after) makes, by `flush`, and when the file is dropped; no call waits for them.
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

    /// Sets the time source for the pauses between attempts while the file cannot be written.
    pub fn retry_clock(mut self, clock: impl Clock) -> Self {
        self.timer = Timer::new(clock);
        self
    }

    /// Rotates the file by `rotation`.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// Sets how often, at most, to check before a write whether the file is still in place. Default: each second.
    ///
    /// If the file was moved or removed (logrotate's `create`), a new one is created; if it was emptied (`copytruncate`), its
    /// length is updated. `Duration::ZERO` checks before each write, as Python's `WatchedFileHandler` does, for about a third
    /// of the cost of the write itself; `None` never checks. Between two checks, lines are still written to a file that was
    /// moved, where they are not lost, or to one that was removed, where they are.
    pub fn watch(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.watch = interval.into().map(Watch::every);
        self
    }

    /// Whether several processes write to the file and rotate it. All of them must set this.
    ///
    /// Each write then holds a lock (`flock(2)`) on `.NAME.lock` beside the file, and checks where the path leads and how long
    /// the file is: lines are whole, exactly one process rotates the file, and no process writes to a file that has ended. The
    /// system releases the lock of a process that dies. Use a [`Queue`](crate::Queue) or a [`buffer`](Self::buffer) for
    /// fewer writes. If the lock cannot be acquired within five seconds, the lines are refused.
    pub fn shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    #[cfg_attr(not(any(feature = "seal", feature = "encryption")), expect(dead_code))]
    fn encoder(mut self, encoder: Box<dyn Encoder>) -> Self {
        self.several_encoders |= self.encoder.is_some();
        self.encoder = Some(encoder);
        self
    }
}

impl FileOptions {
    /// The capacity of the buffer in bytes.
    pub(super) fn buffer_capacity(&self) -> usize {
        self.buffer.unwrap_or(match self.durability {
            Durability::Buffered(bytes) => bytes,
            _ => 0,
        })
    }

    /// Looks up accounts, and rejects settings that cannot be combined.
    pub(super) fn check(&mut self, path: &Path) -> Result<(), Error> {
        self.opening.ownership.resolve()?;
        let what = match &self {
            _ if self.several_encoders => "`seal` and `encrypt` cannot be combined",
            Self { encoder: Some(_), shared: true, .. } => "a shared file cannot be sealed or encrypted",
            Self { encoder: Some(encoder), rotation: Some(rotation), .. }
                if rotation.compresses() && !encoder.can_be_compressed() =>
            {
                "an encrypted file cannot be compressed"
            }
            _ => return self.check_rotation(path),
        };
        Err(Error::new(ErrorKind::Config, format!("file {}: {what}", path.display())))
    }

    fn check_rotation(&self, path: &Path) -> Result<(), Error> {
        let default = self.shared.then(Rotation::on_request);
        let Some(rotation) = self.rotation.as_ref().or(default.as_ref()) else { return Ok(()) };
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        rotation.check(&absolute, With { shared: self.shared, encoded: self.encoder.is_some() })
    }
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            opening: Opening::default(),
            delay: false,
            buffer: None,
            flush_after: Some(Duration::from_secs(1)),
            hold: 0,
            durability: Durability::default(),
            sync_after: None,
            rotation: None,
            watch: Some(Watch::default()),
            shared: false,
            timer: Timer::default(),
            encoder: None,
            several_encoders: false,
        }
    }
}
