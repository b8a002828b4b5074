use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::naming::{Mark, Naming};
use crate::Error;
use crate::clock::Timestamp;

/// A log file and the ended ones that it left.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    path: PathBuf,
    naming: Naming,
}

/// An ended file.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) mark: Mark,
    pub(super) bytes: u64,
    pub(super) modified: Timestamp,
}

/// The names that one ended file has: as it was and compressed, which both are there for a moment.
pub(super) type Slots = BTreeMap<Mark, Vec<Name>>;

#[derive(Clone, Debug)]
pub(super) struct Name {
    /// What stands behind the name that the naming gives: empty, or `.gz`.
    packed: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    /// Where the path was one, its name is what ends.
    Link,
    Other,
}

impl Name {
    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }
}

impl Kind {
    fn of(entry: &fs::DirEntry) -> Self {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => Self::File,
            Ok(kind) if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}

impl Family {
    /// `path` is absolute.
    pub(crate) fn new(path: &Path, naming: Naming) -> Self {
        Self { path: path.to_owned(), naming }
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

    /// Where the ended file with this mark lies, as it was.
    pub(super) fn place(&self, mark: &Mark) -> PathBuf {
        self.path.with_file_name(self.naming.name(self.base(), mark))
    }

    fn place_of(&self, mark: &Mark, packed: &str) -> PathBuf {
        let mut name = self.naming.name(self.base(), mark);
        name.push(packed);
        self.path.with_file_name(name)
    }

    /// The names that are taken. The file in use is none of them, also where it has such a name.
    pub(super) fn slots(&self) -> Result<Slots, Error> {
        let mut slots = Slots::new();
        for (mark, name) in self.names()? {
            slots.entry(mark).or_default().push(name);
        }
        Ok(slots)
    }

    fn names(&self) -> Result<Vec<(Mark, Name)>, Error> {
        let unreadable = |error| Error::io(format!("cannot read directory {}", self.directory().display()), error);
        let in_use = self.in_use();
        let mut names = Vec::new();
        let entries = match fs::read_dir(self.directory()) {
            // Removed by somebody: there is nothing in it, and it will be made again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            entries => entries.map_err(unreadable)?,
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let file_name = entry.file_name();
            let Some((mark, packed)) = self.parse(&file_name) else { continue };
            if in_use.as_ref() != Some(&file_name) {
                names.push((mark, Name { packed, kind: Kind::of(&entry) }));
            }
        }
        Ok(names)
    }

    /// Whether an ended file could be called that.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.parse(name).is_some()
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

    /// The name of the file in use, where that is not the path itself.
    pub(super) fn in_use(&self) -> Option<OsString> {
        if !self.naming.is_live() {
            return None;
        }
        fs::read_link(&self.path).ok()?.file_name().map(OsStr::to_owned)
    }

    /// The mark of the file in use, where that has one.
    pub(super) fn mark_in_use(&self) -> Option<Mark> {
        self.parse(&self.in_use()?).map(|(mark, _)| mark)
    }

    /// Whether the path is the link of a process that had a [live](super::Naming::live) name, and this one has not: what it
    /// leads to has ended.
    pub(super) fn is_left_live(&self) -> bool {
        let leads_to_ours =
            |target: PathBuf| target.file_name() == Some(target.as_os_str()) && self.has(target.as_os_str());
        !self.naming.is_live() && fs::read_link(&self.path).is_ok_and(leads_to_ours)
    }

    /// The ended files, the oldest first. What is no regular file is not one of ours.
    pub(super) fn archives(&self) -> Result<Vec<Archive>, Error> {
        let mut archives = Vec::new();
        for (mark, name) in self.names()? {
            let path = self.place_of(&mark, name.packed);
            // One that has gone in the meantime is none.
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_file() {
                let modified = metadata.modified().map_or(Timestamp::EPOCH, Timestamp::from);
                archives.push(Archive { path, mark, bytes: metadata.len(), modified });
            }
        }
        archives.sort_by(|one, other| match self.naming.moves_up() {
            true => other.mark.cmp(&one.mark),
            false => one.mark.cmp(&other.mark),
        });
        Ok(archives)
    }

    /// Makes the path a symbolic link to the file called `name` beside it, at one stroke.
    pub(super) fn link(&self, name: &Path) -> Result<(), Error> {
        let mut temporary = OsString::from(".");
        temporary.push(self.base());
        temporary.push(".link.tmp");
        let temporary = self.path.with_file_name(temporary);
        remove(&temporary)?;
        symlink(name, &temporary)
            .map_err(|error| Error::io(format!("cannot make the link {}", self.path.display()), error))?;
        rename(&temporary, &self.path)
    }

    /// Moves what lies at `from` to `to`, which must be free.
    pub(super) fn relocate(&self, names: &[Name], from: &Mark, to: &Mark) -> Result<(), Error> {
        for name in names {
            let (from, to) = (self.place_of(from, name.packed), self.place_of(to, name.packed));
            match name.kind {
                Kind::File | Kind::Link => rename(&from, &to)?,
                Kind::Other => return Err(in_the_way(&from)),
            }
        }
        Ok(())
    }

    /// Removes the ended file with this mark, however it is packed. Of a link it is the name, and never what it leads to; what is
    /// neither is left alone.
    pub(super) fn remove(&self, names: &[Name], mark: &Mark) -> Result<(), Error> {
        for name in names.iter().filter(|name| name.kind != Kind::Other) {
            remove(&self.place_of(mark, name.packed))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there are no symbolic links here"))
}

pub(super) fn in_the_way(path: &Path) -> Error {
    let taken = io::Error::from(io::ErrorKind::AlreadyExists);
    Error::io(format!("cannot rename: {} is in the way, and no regular file", path.display()), taken)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to)
        .map_err(|error| Error::io(format!("cannot rename {} to {}", from.display(), to.display()), error))
}

/// Gone already is as good.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Whatever is configured now: files from a time when it was another compression belong to the family too.
const PACKED: [&str; 2] = [".gz", ".zst"];
