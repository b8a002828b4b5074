use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::open::Open;
use super::place::{Place, cannot};
use crate::Error;
use crate::file::ownership::{self, Ownership};

/// How the file is opened each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    pub(super) truncate: bool,
    pub(super) keep_dirs: bool,
    pub(super) follow_links: bool,
    pub(super) ownership: Ownership,
    /// Whether new files and directories must survive a power failure.
    pub(super) is_durable: bool,
}

impl Opening {
    pub(super) fn open(&self, place: &Place) -> Result<Open, Error> {
        self.open_after(None, place)
    }

    /// Opens the successor of a file with the metadata `before`.
    pub(super) fn open_after(&self, before: Option<&fs::Metadata>, place: &Place) -> Result<Open, Error> {
        self.create_missing_dirs(place)?;
        let file = self.open_or_make(&place.absolute, before).map_err(|error| cannot("open", &place.name, error))?;
        Open::new(file, place)
    }

    /// Empties the file that is opened first, if that is wanted.
    pub(super) fn empty_once(&mut self, open: &mut Open, place: &Place) -> Result<(), Error> {
        if std::mem::take(&mut self.truncate) { open.truncate(&place.name) } else { Ok(()) }
    }

    pub(super) fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Creates missing directories.
    pub(super) fn create_missing_dirs(&self, place: &Place) -> Result<(), Error> {
        if self.keep_dirs { Ok(()) } else { self.make_dirs(place.absolute.parent()) }
    }

    /// Only files created here get the permissions that are set, so creating is a separate step.
    fn open_or_make(&self, path: &Path, before: Option<&fs::Metadata>) -> io::Result<fs::File> {
        match self.open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let made = match self.make(path, before) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_late(path, before),
            made => made,
        };
        made.and_then(|file| self.sync_parent(path.parent()).map(|()| file).map_err(io::Error::from))
    }

    /// Another process created it first, or it is a symbolic link to a file that does not exist yet.
    fn open_late(&self, path: &Path, before: Option<&fs::Metadata>) -> io::Result<fs::File> {
        match self.open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.target_of(path) {
                Some(target) => self.make_target(path, &target, before),
                None => Err(error),
            },
            opened => opened,
        }
    }

    /// Creates `path`, the target of the symbolic link `link`.
    fn make_target(&self, link: &Path, path: &Path, before: Option<&fs::Metadata>) -> io::Result<fs::File> {
        match self.make(path, before) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_existing(link),
            made => made.and_then(|file| self.sync_parent(path.parent()).map(|()| file).map_err(io::Error::from)),
        }
    }

    fn make(&self, path: &Path, before: Option<&fs::Metadata>) -> io::Result<fs::File> {
        match before {
            Some(before) => self.ownership.make_successor(path, before),
            None => self.ownership.make_file(path),
        }
    }

    fn open_existing(&self, path: &Path) -> io::Result<fs::File> {
        match self.follow_links {
            true => ownership::open_following(path),
            false => ownership::open(path, self.ownership.owner_id()),
        }
    }

    /// Where a file may be created that the dangling link at `path` leads to.
    fn target_of(&self, path: &Path) -> Option<PathBuf> {
        if self.follow_links { Some(ownership::target(path)) } else { ownership::permitted_target(path) }
    }

    /// Creates `dir` and its missing parents.
    fn make_dirs(&self, dir: Option<&Path>) -> Result<(), Error> {
        let Some(dir) = dir.filter(|dir| !dir.is_dir()) else { return Ok(()) };
        self.make_dirs(dir.parent())?;
        match self.ownership.make_dir(dir) {
            Err(error) if !dir.is_dir() => Err(cannot("create directory", dir, error)),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot("set the mode of", dir, error)),
            _ => self.sync_parent(dir.parent()),
        }
    }

    /// Syncs `dir`, in which an entry was created, if that must survive a power failure.
    fn sync_parent(&self, dir: Option<&Path>) -> Result<(), Error> {
        match dir {
            Some(dir) if self.is_durable => sync_directory(dir),
            _ => Ok(()),
        }
    }
}

/// Syncs `dir`, so that a new or changed name in it survives a power failure.
///
/// # Errors
///
/// If the directory cannot be opened or synced.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> Result<(), Error> {
    let synced = fs::File::open(dir).and_then(|open| open.sync_all());
    synced.map_err(|error| cannot("sync directory", dir, error))
}

/// On other systems a directory cannot be synced, or need not be.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<(), Error> {
    Ok(())
}
