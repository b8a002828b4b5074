use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::known::Known;
use super::naming::{Mark, Naming};
use super::register;
use super::slots::{Kind, Name, Slots};
use crate::Error;
use crate::clock::Timestamp;

/// A log file and its archives.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    path: PathBuf,
    naming: Naming,
    /// How many archives are kept.
    keep: usize,
    /// The directory as the [register](super::register) knows it.
    register: PathBuf,
    /// Other processes rename its files too.
    shared: bool,
    known: Known,
}

/// An archive: a file that rotation left behind.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) mark: Mark,
    pub(super) bytes: u64,
    pub(super) modified: Timestamp,
}

impl Family {
    /// `path` must be absolute.
    pub(crate) fn new(path: &Path, naming: Naming, keep: usize) -> Self {
        let register = register::directory_of(path);
        Self { path: path.to_owned(), naming, keep, register, shared: false, known: Known::default() }
    }

    /// Sets whether other processes rename its files too: what was listed before is then of no use.
    pub(super) fn shared(self, shared: bool) -> Self {
        Self { shared, ..self }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn directory(&self) -> &Path {
        self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn base(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// The path of the uncompressed archive with this mark.
    pub(super) fn place(&self, mark: &Mark) -> PathBuf {
        self.path.with_file_name(self.naming.name(self.base(), mark))
    }

    fn place_of(&self, mark: &Mark, packed: &str) -> PathBuf {
        let mut name = self.naming.name(self.base(), mark);
        name.push(packed);
        self.path.with_file_name(name)
    }

    /// Returns the archives that a rotation renames or removes. The file in use is not included, even if it is named like an archive.
    ///
    /// If the directory has many entries, numbers are looked up one by one, and other names are known from the last listing.
    pub(super) fn slots(&self) -> Result<Slots, Error> {
        if self.naming.counts_down() && self.known.crowded(self.directory()).is_some() {
            return self.look_up_numbers();
        }
        self.all_slots()
    }

    /// Whether listing the archives takes long, if they are not known.
    pub(super) fn is_slow_to_list(&self) -> bool {
        !self.naming.counts_down() && !self.shared && self.known.crowded(self.directory()).is_some()
    }

    /// Returns all archives.
    fn all_slots(&self) -> Result<Slots, Error> {
        let state = self.known.crowded(self.directory()).filter(|_| !self.shared);
        if let Some(known) = state.and_then(|state| self.known.get(&state)) {
            return Ok(known);
        }
        let slots = self.list()?;
        self.known.set(state, &slots);
        Ok(slots)
    }

    /// Remembers what a rotation has left.
    pub(super) fn remember(&self, slots: &Slots) {
        let state = if self.is_slow_to_list() { self.known.crowded(self.directory()) } else { None };
        self.known.set(state, slots);
    }

    /// Makes the next call list the archives. Returns whether they would have been known.
    pub(super) fn forget(&self) -> bool {
        self.known.forget()
    }

    /// Forgets and lists the archives, after files were removed on the background thread.
    pub(super) fn list_again(&self) {
        self.forget();
        if self.is_slow_to_list() {
            // If it fails, the rotation tries it again, and reports that.
            drop(self.all_slots());
        }
    }

    /// Returns the archives with numbers from 1 on, up to the first that is free: a rotation needs no others.
    fn look_up_numbers(&self) -> Result<Slots, Error> {
        let mut slots = Slots::new();
        for mark in (1..u64::MAX).map(Mark::numbered) {
            let names = self.look_up(&mark)?;
            if names.is_empty() {
                break;
            }
            slots.insert(mark, names);
        }
        Ok(slots)
    }

    fn look_up(&self, mark: &Mark) -> Result<Vec<Name>, Error> {
        let mut names = Vec::new();
        for packed in [""].into_iter().chain(PACKED) {
            let path = self.place_of(mark, packed);
            let file_name = path.file_name().unwrap_or_default();
            match path.symlink_metadata() {
                // A custom name that does not lead back to its number is not one of ours.
                Ok(_) if file_name == self.base() || !self.has(file_name) => {}
                Ok(metadata) => names.push(Name { packed, kind: self.kind_of(file_name, metadata.file_type()) }),
                Err(error) if is_nothing(&error) => {}
                Err(error) => return Err(Error::io(format!("cannot inspect {}", path.display()), error)),
            }
        }
        Ok(names)
    }

    fn kind_of(&self, name: &OsStr, kind: fs::FileType) -> Kind {
        if register::is_open(&self.register, name) { Kind::Log } else { Kind::of(kind) }
    }

    fn list(&self) -> Result<Slots, Error> {
        let unreadable = |error| Error::io(format!("cannot read directory {}", self.directory().display()), error);
        let in_use = self.in_use();
        let mut slots = Slots::new();
        let entries = match fs::read_dir(self.directory()) {
            // The directory was removed: there are no archives, and it will be created again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(slots),
            entries => entries.map_err(unreadable)?,
        };
        let mut count = 0;
        for entry in entries {
            count += 1;
            let entry = entry.map_err(unreadable)?;
            let file_name = entry.file_name();
            let Some((mark, packed)) = self.parse(&file_name) else { continue };
            if in_use.as_ref() != Some(&file_name) && file_name != self.base() {
                let kind = entry.file_type().map_or(Kind::Other, |kind| self.kind_of(&file_name, kind));
                slots.entry(mark).or_default().push(Name { packed, kind });
            }
        }
        self.known.listed(count);
        let mut own = slots.keys().copied().collect();
        self.naming.retain_own(&mut own, self.keep);
        slots.retain(|mark, _| own.contains(mark));
        Ok(slots)
    }

    /// Whether there is anything with the name of this archive, compressed or not.
    pub(super) fn is_taken(&self, mark: &Mark) -> bool {
        let is_there = |packed| self.place_of(mark, packed).symlink_metadata().is_ok();
        is_there("") || PACKED.into_iter().any(is_there)
    }

    /// Whether rotation gives this name to an archive sooner or later.
    pub(crate) fn may_produce(&self, name: &OsStr) -> bool {
        self.parse(name).is_some_and(|(mark, _)| self.naming.may_reach(&mark, self.keep))
    }

    /// Whether an archive could have this name.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.parse(name).is_some()
    }

    /// Whether an archive with this name is compressed. A log may be called `app.gz`.
    pub(super) fn is_packed(&self, name: &OsStr) -> bool {
        self.parse(name).is_some_and(|(_, packed)| !packed.is_empty())
    }

    fn parse(&self, name: &OsStr) -> Option<(Mark, &'static str)> {
        if let Some(mark) = self.naming.parse(self.base(), name) {
            return Some((mark, ""));
        }
        let name = Path::new(name);
        let extension = name.extension()?;
        let packed = PACKED.iter().find(|packed| packed.strip_prefix('.').is_some_and(|known| known == extension))?;
        Some((self.naming.parse(self.base(), name.file_stem()?)?, packed))
    }

    /// The name of the file in use, if the path is a link to it.
    pub(super) fn in_use(&self) -> Option<OsString> {
        if !self.naming.is_live() {
            return None;
        }
        let target = fs::read_link(&self.path).ok()?;
        self.is_beside(&target).then(|| target.file_name().map(OsStr::to_owned))?
    }

    /// Whether what a link at the path leads to is in the same directory.
    fn is_beside(&self, target: &Path) -> bool {
        let directory = target.parent().unwrap_or(Path::new(""));
        let canonical = |directory: &Path| directory.canonicalize().ok();
        directory.as_os_str().is_empty()
            || canonical(&self.directory().join(directory))
                .is_some_and(|there| canonical(self.directory()) == Some(there))
    }

    /// The mark of the file in use, if the path is a link to it.
    pub(super) fn mark_in_use(&self) -> Option<Mark> {
        self.parse(&self.in_use()?).map(|(mark, _)| mark)
    }

    /// Whether the path is the link of an earlier process whose names were [live](super::Naming::live), unlike those of this one.
    pub(super) fn is_left_live(&self) -> bool {
        let leads_to_ours =
            |target: PathBuf| target.file_name() == Some(target.as_os_str()) && self.has(target.as_os_str());
        fs::read_link(&self.path).is_ok_and(leads_to_ours)
    }

    /// Lists the archives, oldest first. Files that are not regular are ignored.
    pub(super) fn archives(&self) -> Result<Vec<Archive>, Error> {
        let mut archives = Vec::new();
        let slots = self.all_slots()?;
        let names = slots.iter().flat_map(|(mark, names)| names.iter().map(move |name| (mark, name)));
        for (mark, name) in names.filter(|(_, name)| !name.is_log()) {
            let path = self.place_of(mark, name.packed);
            // It was removed meanwhile.
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_file() {
                let modified = metadata.modified().map_or(Timestamp::EPOCH, Timestamp::from);
                archives.push(Archive { path, mark: *mark, bytes: metadata.len(), modified });
            }
        }
        archives.sort_by(|one, other| self.naming.compare_age(&one.mark, &other.mark));
        Ok(archives)
    }

    /// When each of its files was last written to, in the order of the archives, and the file in use after them.
    pub(super) fn times_written(&self) -> Result<Vec<Timestamp>, Error> {
        let in_use = self.path.metadata().and_then(|metadata| metadata.modified()).ok().map(Timestamp::from);
        Ok(self.archives()?.iter().map(|archive| archive.modified).chain(in_use).collect())
    }

    /// Makes the path a symbolic link to the file called `name` beside it, atomically.
    pub(super) fn link(&self, name: &Path) -> Result<(), Error> {
        let mut temporary = OsString::from(".");
        temporary.push(self.base());
        temporary.push(".link.tmp");
        let temporary = self.path.with_file_name(temporary);
        remove(&temporary)?;
        symlink(name, &temporary)
            .map_err(|error| Error::io(format!("cannot create the link {}", self.path.display()), error))?;
        rename(&temporary, &self.path)
    }

    /// Renames the archive `from` to `to`, which must be free.
    pub(super) fn relocate(&self, names: &[Name], from: &Mark, to: &Mark) -> Result<(), Error> {
        for name in names {
            let (from, to) = (self.place_of(from, name.packed), self.place_of(to, name.packed));
            match name.kind {
                Kind::File | Kind::Link => rename(&from, &to)?,
                Kind::Log | Kind::Other => return Err(in_the_way(&from)),
            }
        }
        Ok(())
    }

    /// Removes the archive with this mark, compressed or not. Of a link only the link is removed. Anything else is ignored.
    pub(super) fn remove(&self, names: &[Name], mark: &Mark) -> Result<(), Error> {
        let removable = names.iter().filter(|name| name.can_move());
        removable.map(|name| remove(&self.place_of(mark, name.packed))).fold(Ok(()), Result::and)
    }
}

/// Whether this error of looking at a path says that there is nothing.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "symbolic links are not supported on this system"))
}

pub(super) fn in_the_way(path: &Path) -> Error {
    let taken = io::Error::from(io::ErrorKind::AlreadyExists);
    Error::io(format!("cannot rename: {} is in the way and is not a regular file", path.display()), taken)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to)
        .map_err(|error| Error::io(format!("cannot rename {} to {}", from.display(), to.display()), error))
}

/// Removes a file. Succeeds if it does not exist.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Independent of the configured compression: files compressed by an earlier configuration belong to the family too.
const PACKED: [&str; 2] = [".gz", ".zst"];
