//! A compressed file that is being written, under a temporary name.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileTimes, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file `.NAME.gz.tmp` beside NAME. Dropping this removes the file, unless it was renamed.
///
/// The process that writes it holds a lock on it (`flock`), so that it can be distinguished from one left by a killed
/// process.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    file: fs::File,
    renamed: bool,
}

impl Temporary {
    /// Creates the file for compressing `source`, with access for its owner only, and replaces one that was left behind.
    /// Returns `None` if another process is writing it.
    pub(crate) fn make(source: &Path, extension: &str) -> io::Result<Option<Self>> {
        let path = name_of(source, extension);
        if !remove_leftover(&path)? {
            return Ok(None);
        }
        let file = match create_private(&path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            created => created?,
        };
        // Another process may take it for a leftover, and remove it. File systems without locks are not shared between processes.
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            _ => Ok(Some(Self { path, file, renamed: false })),
        }
    }

    pub(crate) fn file(&self) -> &fs::File {
        &self.file
    }

    /// Copies the permissions, the owner and the times of `like`, and syncs the file.
    pub(crate) fn finish(&self, like: &Metadata) -> io::Result<()> {
        give_to_owner_of(&self.file, like)?;
        let times = like.modified().map(|modified| FileTimes::new().set_modified(modified).set_accessed(modified));
        if let Ok(times) = times {
            self.file.set_times(times)?;
        }
        self.file.sync_all()
    }

    /// Renames it to its final name, and replaces a file of that name.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }

    /// Returns the name of the source whose temporary file is called `name`.
    pub(crate) fn source_of(name: &OsStr, extension: &str) -> Option<OsString> {
        let inner =
            name.to_str()?.strip_prefix('.')?.strip_suffix(".tmp")?.strip_suffix(extension)?.strip_suffix('.')?;
        (!inner.is_empty()).then(|| inner.into())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the file that a killed process left at `path`. Returns `false` if a living process is writing it.
pub(crate) fn remove_leftover(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
        // Opening a pipe could wait forever.
        Ok(metadata) if !metadata.is_file() => return Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) => {}
    }
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Ok(false);
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}

fn name_of(source: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(source.file_name().unwrap_or_default());
    name.push(".");
    name.push(extension);
    name.push(".tmp");
    source.with_file_name(name)
}

/// Without access for others until it has the permissions of the log.
fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Like `gzip`: if the group cannot be set, the group permissions are not copied either.
#[cfg(unix)]
fn give_to_owner_of(file: &fs::File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let is_given =
        fchown(file, Some(like.uid()), Some(like.gid())).is_ok() || fchown(file, None, Some(like.gid())).is_ok();
    let bits = like.mode() & if is_given { 0o777 } else { 0o707 };
    file.set_permissions(fs::Permissions::from_mode(bits))
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &fs::File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temporary_name_contains_that_of_the_source() {
        let name = name_of(Path::new("/logs/app.log.1"), "gz");
        assert_eq!(name, Path::new("/logs/.app.log.1.gz.tmp"));
        assert_eq!(Temporary::source_of(name.file_name().unwrap(), "gz"), Some("app.log.1".into()));
        assert_eq!(Temporary::source_of(name.file_name().unwrap(), "zst"), None);
        for other in ["app.log.1.gz.tmp", ".app.log.1.gz", "..gz.tmp", ".gz.tmp"] {
            assert_eq!(Temporary::source_of(OsStr::new(other), "gz"), None, "{other}");
        }
    }

    #[test]
    fn a_leftover_file_is_replaced_and_one_in_use_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("app.log.1");
        fs::write(name_of(&source, "gz"), "half an arch").unwrap();
        let ours = Temporary::make(&source, "gz").unwrap().expect("it is not in use");
        assert_eq!(ours.file().metadata().unwrap().len(), 0);
        assert!(Temporary::make(&source, "gz").unwrap().is_none(), "it is in use");
        assert!(name_of(&source, "gz").exists());
        drop(ours);
        assert!(!name_of(&source, "gz").exists());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_private_until_it_has_the_permissions_and_the_time_of_the_log() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("app.log.1");
        fs::write(&source, "x").unwrap();
        fs::set_permissions(&source, fs::Permissions::from_mode(0o640)).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 123_456_000);
        fs::File::options().write(true).open(&source).unwrap().set_modified(time).unwrap();
        let temporary = Temporary::make(&source, "gz").unwrap().expect("it is not in use");
        let mode = |file: &fs::File| file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(temporary.file()), 0o600);
        temporary.finish(&source.metadata().unwrap()).unwrap();
        assert_eq!(mode(temporary.file()), 0o640);
        assert_eq!(temporary.file().metadata().unwrap().modified().unwrap(), time);
    }
}
