//! Compresses the archives of a family, one after another, while the log is written to and rotated.

mod twin;

pub(crate) use twin::Twin;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compression::{Compression, Temporary, is_packed_name, packed_extensions, remove_leftover};
use super::family::{Family, remove};
use super::lock::Lock;
use super::reporter::Reporter;
use super::{background, direction, fault};
use crate::Error;
use crate::file::Identity;

/// A log file and its archives.
pub(super) trait Log: Send + Sync + 'static {
    /// The file in use.
    fn path(&self) -> &Path;

    /// Runs `work` with the family locked: no file of it is rotated, renamed or removed meanwhile, by this process or another.
    fn locked<R>(&self, work: impl FnOnce() -> R) -> Result<R, Error>;

    /// Lists the archives, compressed or not, in the order in which they are to be compressed.
    fn archives(&self) -> Result<Vec<PathBuf>, Error>;

    /// Whether an archive could have this name, without the extension of a compressed one.
    fn is_archive(&self, name: &OsStr) -> bool;

    /// Whether an archive is compressed, by its name.
    fn is_packed(&self, path: &Path) -> bool {
        is_packed_name(path)
    }

    /// Called with the family locked, after files of it were renamed or removed.
    fn changed(&self) {}
}

/// The log of a rotator.
#[derive(Debug)]
pub(super) struct Rotated {
    family: Family,
    lock: Arc<Lock>,
}

impl Rotated {
    pub(super) fn new(family: &Family, lock: &Arc<Lock>) -> Self {
        Self { family: family.clone(), lock: lock.clone() }
    }
}

impl Log for Rotated {
    fn path(&self) -> &Path {
        self.family.path()
    }

    fn locked<R>(&self, work: impl FnOnce() -> R) -> Result<R, Error> {
        let _held = self.lock.hold()?;
        Ok(work())
    }

    fn archives(&self) -> Result<Vec<PathBuf>, Error> {
        Ok(self.family.archives()?.into_iter().map(|archive| archive.path).collect())
    }

    fn is_archive(&self, name: &OsStr) -> bool {
        self.family.has(name)
    }

    fn is_packed(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.family.is_packed(name))
    }

    fn changed(&self) {
        self.family.forget();
    }
}

/// Compresses the archives of a log.
///
/// A crash at any moment loses the work, but no line: a compressed archive gets its name when it is completely on the disk, and
/// the uncompressed one is removed after that. If both exist, the next start removes the uncompressed one, provided that
/// they have the same content. If the compressed one is unfinished, it is made again.
#[derive(Debug)]
pub(super) struct Archive<L> {
    log: L,
    compression: Compression,
    reporter: Reporter,
}

impl<L: Log> Archive<L> {
    pub(super) fn new(log: L, compression: Compression) -> Arc<Self> {
        Arc::new(Self { log, compression, reporter: Reporter::new() })
    }

    /// Starts the work on the [background thread](super::background): after a rotation, and when the log is first opened.
    pub(super) fn begin(self: &Arc<Self>) {
        let archive = self.clone();
        background::submit("compress", self.log.path(), Box::new(move || archive.report(archive.pack_all())));
    }

    /// Compresses all archives that are not, and returns the last error. A file that cannot be compressed stays as it is.
    fn pack_all(&self) -> Result<(), Error> {
        // The directory is created at the first write.
        if !dir_of(self.log.path()).is_dir() {
            return Ok(());
        }
        let mut all = self.log.locked(|| self.remove_leftovers())?;
        let mut seen = Seen::default();
        while let Some((raw, work)) = self.log.locked(|| self.next(&mut seen))?? {
            if let Err(error) = work.and_then(|work| self.perform(&raw, work)) {
                all = Err(Error::io(format!("cannot compress {}", raw.path.display()), error));
            }
        }
        seen.unreadable.map_or(all, Err)
    }

    /// Returns the next uncompressed archive that was not seen yet, and what to do with it.
    fn next(&self, seen: &mut Seen) -> Result<Option<(Raw, io::Result<Work>)>, Error> {
        for path in self.log.archives()?.into_iter().filter(|path| !self.log.is_packed(path)) {
            let cannot = || format!("cannot open {}", path.display());
            let raw = match Raw::open(&path) {
                Ok(raw) => raw,
                // The others are compressed nevertheless.
                Err(error) => {
                    seen.unreadable = Some(Error::io(cannot(), error));
                    continue;
                }
            };
            // It was removed by a process without our lock, or is not a regular file.
            let Some(raw) = raw.filter(|raw| seen.files.insert(Identity::of(&raw.metadata))) else { continue };
            let work = match packed_twin(&raw.path) {
                Some(twin) => twin::open(&twin).map(|packed| Work::Compare(twin, packed)),
                None => Temporary::make(&raw.path, self.compression.extension()).map(Work::Pack),
            };
            return Ok(Some((raw, work)));
        }
        Ok(None)
    }

    fn perform(&self, raw: &Raw, work: Work) -> io::Result<()> {
        match work {
            Work::Pack(Some(temporary)) => self.pack(raw, temporary, None),
            Work::Pack(None) => Ok(()),
            Work::Compare(twin, packed) => self.settle_pair(raw, &twin, &packed),
        }
    }

    /// Compresses an archive, and replaces the file `unfinished`.
    fn pack(&self, raw: &Raw, temporary: Temporary, unfinished: Option<&Metadata>) -> io::Result<()> {
        fault::point("packing");
        let read = self.compression.pack(&raw.file, temporary.file())?;
        direction::copy_mark(&raw.file, temporary.file());
        temporary.finish(&raw.metadata)?;
        fault::point("packed");
        let packed = Identity::of(&temporary.file().metadata()?);
        match self.log.locked(|| self.publish(raw, read, temporary, unfinished))?? {
            true => self.remove_packed(raw, read, packed),
            false => Ok(()),
        }
    }

    /// Gives the compressed archive its name, after the current name of the uncompressed one. Returns whether it was published.
    fn publish(&self, raw: &Raw, read: u64, temporary: Temporary, unfinished: Option<&Metadata>) -> io::Result<bool> {
        // The archive was removed meanwhile.
        let Some(path) = self.find(raw)? else { return Ok(false) };
        if !raw.is_unchanged(read)? {
            return Ok(false);
        }
        let twin = packed_twin(&path);
        // Another process has compressed it under another of its names, or is doing so. The next pass compares the two.
        if twin.as_ref().is_some_and(|twin| !unfinished.is_some_and(|unfinished| twin::is_still(twin, unfinished))) {
            return Ok(false);
        }
        let packed = packed_name(&path, self.compression.extension());
        // Of this compression, beside an unfinished one of another: what it holds is not known.
        if Some(&packed) != twin.as_ref() && packed.symlink_metadata().is_ok() {
            return Ok(false);
        }
        temporary.rename(&packed)?;
        self.log.changed();
        // Of another compression.
        twin.filter(|twin| *twin != packed).map_or(Ok(()), |twin| remove(&twin))?;
        fault::point("renamed");
        Ok(true)
    }

    /// Removes the uncompressed archive, after the name of the compressed one was synced. The sync runs without the lock, so that
    /// logging threads do not wait for it; both files may move up meanwhile.
    fn remove_packed(&self, raw: &Raw, read: u64, packed: Identity) -> io::Result<()> {
        sync_dir_of(self.log.path())?;
        fault::point("synced");
        self.log.locked(|| {
            let Some(path) = self.find(raw)? else { return Ok(()) };
            let is_packed = |twin: &PathBuf| twin.metadata().is_ok_and(|twin| Identity::of(&twin) == packed);
            let Some(twin) = packed_twin(&path).filter(is_packed) else { return Ok(()) };
            if raw.is_unchanged(read)? {
                remove(&path)?;
                self.log.changed();
                fault::point("removed");
            } else if raw.has_grown(read)? {
                // The uncompressed one has everything the compressed one has, and more.
                remove(&twin)?;
                self.log.changed();
            }
            Ok(())
        })?
    }

    /// Handles an archive that exists compressed, as `twin`, and uncompressed, as after a crash. If their contents differ, both are
    /// kept.
    fn settle_pair(&self, raw: &Raw, twin: &Path, packed: &fs::File) -> io::Result<()> {
        let metadata = packed.metadata()?;
        match Twin::judge(packed, &raw.file)? {
            Twin::Same => self.remove_packed(raw, raw.metadata.len(), Identity::of(&metadata)),
            Twin::Unfinished => self.pack_again(raw, &metadata),
            Twin::Other => {
                Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} has other content", twin.display())))
            }
        }
    }

    /// Compresses an archive whose compressed file is unfinished. That one is replaced only when the new one is complete, and only
    /// if it has not been written to meanwhile: a program that is still writing it removes the archive at its end.
    fn pack_again(&self, raw: &Raw, unfinished: &Metadata) -> io::Result<()> {
        (&raw.file).rewind()?;
        let made = self.log.locked(|| {
            let path = self.find(raw)?;
            path.map_or(Ok(None), |path| Temporary::make(&path, self.compression.extension()))
        })??;
        made.map_or(Ok(()), |temporary| self.pack(raw, temporary, Some(unfinished)))
    }

    /// Returns the current path of the archive: numbered ones move up.
    fn find(&self, raw: &Raw) -> io::Result<Option<PathBuf>> {
        let identity = Identity::of(&raw.metadata);
        let is_it = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| Identity::of(&metadata) == identity);
        Ok(self.log.archives()?.into_iter().find(is_it))
    }

    /// Removes unfinished files of killed processes.
    fn remove_leftovers(&self) -> Result<(), Error> {
        let dir = dir_of(self.log.path());
        let failed = |error| Error::io(format!("cannot clean up {}", dir.display()), error);
        let mut all = Ok(());
        for entry in fs::read_dir(dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let mut sources = packed_extensions().filter_map(|extension| Temporary::source_of(&name, extension));
            if sources.any(|source| self.log.is_archive(&source)) {
                all = all.and(remove_leftover(&dir.join(&name)).map(drop).map_err(failed));
            }
        }
        all
    }

    fn report(&self, done: Result<(), Error>) {
        let name = self.log.path().display();
        let failure = done.err().map(|error| format!("file {name}: cannot compress old files: {error:#}"));
        self.reporter.report(failure, || format!("file {name}: old files are compressed again"));
    }
}

/// The archives that one pass has seen.
#[derive(Default)]
struct Seen {
    files: HashSet<Identity>,
    /// The error of the last one that could not be opened.
    unreadable: Option<Error>,
}

/// What to do with an uncompressed archive.
enum Work {
    /// Compress it. `None` if another process is compressing it.
    Pack(Option<Temporary>),
    /// Remove it, if this compressed file has the same content, or compress it again, if that is unfinished. The file is open, since
    /// both may move up meanwhile.
    Compare(PathBuf, fs::File),
}

/// An uncompressed archive. Since it is open, no other file can have its identity.
struct Raw {
    path: PathBuf,
    file: fs::File,
    metadata: Metadata,
}

impl Raw {
    /// Returns `None` if it does not exist or is not a regular file: opening a pipe would wait forever.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        match fs::File::open(path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((metadata, file)) => Ok(Some(Self { path: path.to_owned(), file, metadata })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the `read` bytes that were compressed are still the whole file: another process may have missed the rotation and
    /// appended to it.
    fn is_unchanged(&self, read: u64) -> io::Result<bool> {
        let now = self.file.metadata()?;
        Ok(now.len() == read && now.modified().ok() == self.metadata.modified().ok())
    }

    fn has_grown(&self, read: u64) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() > read)
    }
}

/// Returns the compressed file beside `path`, of any compression.
fn packed_twin(path: &Path) -> Option<PathBuf> {
    packed_extensions().map(|extension| packed_name(path, extension)).find(|twin| twin.symlink_metadata().is_ok())
}

fn packed_name(path: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(extension);
    name.into()
}

/// Whether two readers return the same bytes.
#[cfg(feature = "seal")]
pub(crate) fn is_same(one: &mut dyn io::Read, other: &mut dyn io::Read) -> io::Result<bool> {
    use std::io::Read as _;

    let (mut ours, mut theirs) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE));
    loop {
        ours.clear();
        theirs.clear();
        one.take(PIECE as u64).read_to_end(&mut ours)?;
        other.take(PIECE as u64).read_to_end(&mut theirs)?;
        if ours != theirs || ours.is_empty() {
            return Ok(ours == theirs);
        }
    }
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the name of `path` survive a power failure. Some file systems neither support nor need this.
#[cfg(unix)]
pub(super) fn sync_dir_of(path: &Path) -> io::Result<()> {
    match fs::File::open(dir_of(path))?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// On other systems a directory cannot be opened.
#[cfg(not(unix))]
pub(super) fn sync_dir_of(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(feature = "seal")]
const PIECE: usize = 64 << 10;

#[cfg(test)]
#[cfg(all(unix, feature = "gzip"))]
mod tests;
