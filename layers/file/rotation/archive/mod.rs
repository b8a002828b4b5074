//! Compresses the old files of a family, one after another, while the file in use goes on and is turned.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compression::{Compression, Temporary, is_packed_name, packed_extensions, remove_left_over, unpack};
use super::family::{Family, remove};
use super::lock::Lock;
use super::told::Told;
use super::{Identity, fault, keeper};
use crate::Error;

/// A file and its old ones.
pub(super) trait Log: Send + Sync + 'static {
    /// The file in use.
    fn path(&self) -> &Path;

    /// Does `work` while nobody else, in this process or another one, turns, renames or removes files of the family.
    fn locked<R>(&self, work: impl FnOnce() -> R) -> Result<R, Error>;

    /// The old files that are there, compressed or not, in the order in which they are to be compressed.
    fn archives(&self) -> Result<Vec<PathBuf>, Error>;

    /// Whether an old file could have that name; without the ending of a compressed one.
    fn is_archive(&self, name: &OsStr) -> bool;
}

/// What a rotator works at.
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
}

/// Has the old files of a log compressed.
///
/// A crash at any moment costs the work and no line: an archive gets its name when all of it is on the disk, and the
/// file it was made of is removed after that. Where both are there, the next start removes the latter, once it has seen
/// that they hold the same.
#[derive(Debug)]
pub(super) struct Archive<L> {
    log: L,
    compression: Compression,
    told: Told,
}

impl<L: Log> Archive<L> {
    pub(super) fn new(log: L, compression: Compression) -> Arc<Self> {
        Arc::new(Self { log, compression, told: Told::new() })
    }

    /// Asks for it, after a file was turned and when one is first opened; it is done by the [keeper](super::keeper).
    pub(super) fn begin(self: &Arc<Self>) {
        let archive = self.clone();
        keeper::submit("compress", self.log.path(), Box::new(move || archive.tell(archive.pack_all())));
    }

    /// Compresses all that is not, and comes back with the last error; a file that cannot be compressed stays as it is.
    fn pack_all(&self) -> Result<(), Error> {
        // The file is opened, and its directory made, at the first write.
        if !dir_of(self.log.path()).is_dir() {
            return Ok(());
        }
        let mut all = self.log.locked(|| self.remove_left_overs())?;
        let mut seen = HashSet::new();
        while let Some((raw, work)) = self.log.locked(|| self.next(&mut seen))?? {
            if let Err(error) = work.and_then(|work| self.perform(&raw, work)) {
                all = Err(Error::io(format!("cannot compress {}", raw.path.display()), error));
            }
        }
        all
    }

    /// The next file that is not compressed and was not seen yet, and what is to be done about it.
    fn next(&self, seen: &mut HashSet<Identity>) -> Result<Option<(Raw, io::Result<Work>)>, Error> {
        for path in self.log.archives()?.into_iter().filter(|path| !is_packed_name(path)) {
            let cannot = format!("cannot open {}", path.display());
            let raw = Raw::open(path).map_err(|error| Error::io(cannot, error))?;
            // Somebody without our lock was faster, or it is no file.
            let Some(raw) = raw.filter(|raw| seen.insert(Identity::of(&raw.metadata))) else { continue };
            let work = match packed_twin(&raw.path) {
                Some(twin) => Ok(Work::Compare(twin)),
                None => Temporary::make(&raw.path, self.compression.extension()).map(Work::Pack),
            };
            return Ok(Some((raw, work)));
        }
        Ok(None)
    }

    fn perform(&self, raw: &Raw, work: Work) -> io::Result<()> {
        match work {
            Work::Pack(Some(temporary)) => self.pack(raw, temporary),
            Work::Pack(None) => Ok(()),
            Work::Compare(twin) => self.remove_twin_of(raw, &twin),
        }
    }

    fn pack(&self, raw: &Raw, temporary: Temporary) -> io::Result<()> {
        fault::point("packing");
        let read = self.compression.pack(&raw.file, temporary.file())?;
        temporary.finish(&raw.metadata)?;
        fault::point("packed");
        let packed = Identity::of(&temporary.file().metadata()?);
        match self.log.locked(|| self.publish(raw, read, temporary))?? {
            true => self.remove_packed(raw, read, packed),
            false => Ok(()),
        }
    }

    /// Gives the archive the name that goes with the one which the file has by now.
    fn publish(&self, raw: &Raw, read: u64, temporary: Temporary) -> io::Result<bool> {
        // It was too old, and is gone.
        let Some(path) = self.find(raw)? else { return Ok(false) };
        if !raw.is_unchanged(read)? {
            return Ok(false);
        }
        if packed_twin(&path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        temporary.rename(&packed_name(&path, self.compression.extension()))?;
        fault::point("renamed");
        Ok(true)
    }

    /// Removes the file, whose archive is there under its name, when that name is on the disk. Nobody who logs waits for that:
    /// both may move up meanwhile.
    fn remove_packed(&self, raw: &Raw, read: u64, packed: Identity) -> io::Result<()> {
        sync_dir_of(self.log.path())?;
        fault::point("synced");
        self.log.locked(|| {
            let Some(path) = self.find(raw)? else { return Ok(()) };
            let is_packed = |twin: &PathBuf| twin.metadata().is_ok_and(|twin| Identity::of(&twin) == packed);
            let Some(twin) = packed_twin(&path).filter(is_packed) else { return Ok(()) };
            if raw.is_unchanged(read)? {
                remove(&path)?;
                fault::point("removed");
            } else if raw.has_grown(read)? {
                // It holds all that the archive does, and more.
                remove(&twin)?;
            }
            Ok(())
        })?
    }

    /// A crash has left both. It need not have been ours: a file that holds something else is left alone.
    fn remove_twin_of(&self, raw: &Raw, twin: &Path) -> io::Result<()> {
        let packed = fs::File::open(twin)?;
        let packed_identity = Identity::of(&packed.metadata()?);
        if !is_same(&mut &raw.file, &mut unpack(packed)?)? {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} holds something else", twin.display()),
            ));
        }
        self.remove_packed(raw, raw.metadata.len(), packed_identity)
    }

    /// Where the file is now: numbered ones move up.
    fn find(&self, raw: &Raw) -> io::Result<Option<PathBuf>> {
        let identity = Identity::of(&raw.metadata);
        let is_it = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| Identity::of(&metadata) == identity);
        Ok(self.log.archives()?.into_iter().find(is_it))
    }

    /// Removes what a killed process left in the making.
    fn remove_left_overs(&self) -> Result<(), Error> {
        let dir = dir_of(self.log.path());
        let failed = |error| Error::io(format!("cannot clean up {}", dir.display()), error);
        for entry in fs::read_dir(dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let mut sources = packed_extensions().filter_map(|extension| Temporary::source_of(&name, extension));
            if sources.any(|source| self.log.is_archive(&source)) {
                remove_left_over(&dir.join(&name)).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn tell(&self, done: Result<(), Error>) {
        let name = self.log.path().display();
        let trouble = done.err().map(|error| format!("file {name}: old files stay uncompressed: {error}"));
        self.told.tell(trouble, || format!("file {name}: old files are compressed again"));
    }
}

/// What is to be done about a file that is not compressed.
enum Work {
    /// To compress it; `None`: another process is at it.
    Pack(Option<Temporary>),
    /// To remove it, where the compressed file beside it holds the same.
    Compare(PathBuf),
}

/// An old file that is not compressed. As it is open, no other file can have its identity.
struct Raw {
    path: PathBuf,
    file: fs::File,
    metadata: Metadata,
}

impl Raw {
    /// `None`: it is gone, or no regular file; opening a pipe would wait for ever.
    fn open(path: PathBuf) -> io::Result<Option<Self>> {
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        match fs::File::open(&path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((metadata, file)) => Ok(Some(Self { path, file, metadata })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the `read` bytes that were compressed are still all of it: another process may have missed that it was
    /// turned.
    fn is_unchanged(&self, read: u64) -> io::Result<bool> {
        let now = self.file.metadata()?;
        Ok(now.len() == read && now.modified().ok() == self.metadata.modified().ok())
    }

    fn has_grown(&self, read: u64) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() > read)
    }
}

/// The compressed file beside `path`, by whatever it was compressed.
fn packed_twin(path: &Path) -> Option<PathBuf> {
    packed_extensions().map(|extension| packed_name(path, extension)).find(|twin| twin.symlink_metadata().is_ok())
}

fn packed_name(path: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(extension);
    name.into()
}

/// Whether two readers have the same bytes to give.
pub(crate) fn is_same(one: &mut dyn io::Read, other: &mut dyn io::Read) -> io::Result<bool> {
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

/// So that the name is on the disk too. Some file systems cannot, and need not.
#[cfg(unix)]
fn sync_dir_of(path: &Path) -> io::Result<()> {
    match fs::File::open(dir_of(path))?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Elsewhere a directory cannot be opened.
#[cfg(not(unix))]
fn sync_dir_of(_: &Path) -> io::Result<()> {
    Ok(())
}

const PIECE: usize = 64 << 10;

#[cfg(test)]
#[cfg(all(unix, feature = "gzip"))]
mod tests;
