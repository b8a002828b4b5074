//! Which files belong to a sealed log.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::chain::{Link, Sealing};
use super::flaw::Flaw;
use super::line::SealedLine;
use super::unpack;
use crate::file::{Identity, read, rotation};
use crate::{Error, ErrorKind};

/// A file, and how it begins.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    begin: Begin,
}

/// The beginning of a file.
#[derive(Clone, Copy, Debug)]
enum Begin {
    /// The file is empty.
    Empty,
    /// Its first line ends too early.
    Torn,
    /// A checkpoint with a genuine seal, which continues from this place.
    Genuine(Link),
    /// A line that claims to be a checkpoint of this key.
    Forged(Link),
    /// A checkpoint of another key.
    OtherKey(Link, Flaw),
    /// Another line.
    Line,
}

/// The files of a log.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// Those of its chain, and the current one.
    pub(super) members: Vec<Found>,
    /// Other files that a reader takes for files of this log.
    pub(super) strays: Vec<Found>,
    /// Files that are named like archives, but that no reader takes for files of this log.
    pub(super) others: Vec<Found>,
}

/// Finds the files of the log at `path`: all that [`read::Reader`] reads under that name, and those files beside it whose names start
/// like its name and that belong to the same chain.
pub(super) fn family(path: &Path, sealing: &Sealing) -> Result<Family, Error> {
    let shown = shown(path, sealing)?;
    let hidden = hidden(path, &shown, sealing)?;
    if shown.is_empty() && hidden.iter().all(|found| found.from().is_none()) && !path.exists() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        return Err(Error::io(format!("cannot read {}", path.display()), missing));
    }
    let chain = chain_of(path, shown.iter().chain(&hidden));
    let is_member = |found: &Found| found.from().is_some_and(|from| Some(from.chain) == chain);
    let (members, strays): (Vec<_>, Vec<_>) =
        shown.into_iter().partition(|found| is_named(&found.path, path) || is_member(found));
    let (hidden, mut others): (Vec<_>, Vec<_>) = hidden.into_iter().partition(is_member);
    others.retain(|found| is_named_like_archive(&found.path, path));
    Ok(Family { members: members.into_iter().chain(hidden).collect(), strays, others })
}

/// Looks at the files that a reader reads, except those that show nothing.
fn shown(path: &Path, sealing: &Sealing) -> Result<Vec<Found>, Error> {
    let shown = match read::shown(path) {
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        shown => shown?,
    };
    let found = shown.into_iter().map(|file| found(file.to_path_buf(), sealing));
    // It may be renamed or removed meanwhile.
    let found: Result<Vec<_>, _> = found.filter(|found| !found.as_ref().is_err_and(is_missing)).collect();
    Ok(found?.into_iter().filter(|found| !matches!(found.begin, Begin::Empty)).collect())
}

/// Looks at the files beside the log whose names start like its name, but that no reader reads. One that cannot be read is not
/// counted as part of the log; if it is one, the chain has a gap.
fn hidden(path: &Path, shown: &[Found], sealing: &Sealing) -> Result<Vec<Found>, Error> {
    let mut known: HashSet<_> = shown.iter().filter_map(Found::identity).collect();
    let found = siblings(path)?.into_iter().filter_map(|other| found(other, sealing).ok());
    let files: Vec<_> = found.filter(|file| file.identity().is_none_or(|identity| known.insert(identity))).collect();
    let twins: HashSet<_> = files
        .iter()
        .filter(|file| files.iter().any(|other| file.is_packed(other)))
        .map(|file| file.path.clone())
        .collect();
    Ok(files.into_iter().filter(|file| !twins.contains(&file.path)).collect())
}

/// The chain of the current file or, if that has none, of the newest file that has one.
fn chain_of<'a>(path: &Path, files: impl Iterator<Item = &'a Found> + Clone) -> Option<[u8; 16]> {
    let own = files.clone().find(|found| is_named(&found.path, path));
    match own {
        Some(own) if !matches!(own.begin, Begin::Torn) => own.from().map(|from| from.chain),
        _ => {
            let others = files.filter_map(|found| Some((found.from()?.chain, modified(&found.path))));
            others.max_by_key(|(_, modified)| *modified).map(|(chain, _)| chain)
        }
    }
}

/// Reads the first line of the file at `path`.
pub(super) fn found(path: PathBuf, sealing: &Sealing) -> Result<Found, Error> {
    let cannot = |error| Error::io(format!("cannot read {}", path.display()), error);
    let mut start = Vec::new();
    unpack::open(&path).map_err(cannot)?.take(FIRST).read_to_end(&mut start).map_err(cannot)?;
    let begin = Begin::of(start.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default(), sealing);
    Ok(Found { begin, path })
}

impl Begin {
    fn of(first: &[u8], sealing: &Sealing) -> Self {
        let line = SealedLine::parse(first);
        let checkpoint = line.and_then(|line| line.checkpoint());
        match (line, checkpoint) {
            _ if first.is_empty() => Self::Empty,
            _ if !first.ends_with(b"\n") && (first.len() as u64) < FIRST => Self::Torn,
            (Some(_), Some(checkpoint)) if checkpoint.key != sealing.key => {
                Self::OtherKey(checkpoint.from, Flaw::WrongKey { of_file: checkpoint.key, given: sealing.key })
            }
            (Some(line), Some(checkpoint)) if line.is_checkpoint_after(&checkpoint.from, sealing) => {
                Self::Genuine(checkpoint.from)
            }
            (Some(_), Some(checkpoint)) => Self::Forged(checkpoint.from),
            _ => Self::Line,
        }
    }
}

impl Found {
    /// The place that its first line claims to continue from.
    pub(super) fn from(&self) -> Option<Link> {
        match self.begin {
            Begin::Genuine(from) | Begin::Forged(from) | Begin::OtherKey(from, _) => Some(from),
            Begin::Empty | Begin::Torn | Begin::Line => None,
        }
    }

    /// What is wrong with it, if it is not of the chain.
    pub(super) fn flaw(&self) -> Flaw {
        match self.begin {
            Begin::Genuine(_) => Flaw::OtherChain,
            Begin::OtherKey(_, flaw) => flaw,
            _ => Flaw::NoBegin,
        }
    }

    /// Whether its first line was made with this key, or claims so.
    pub(super) fn is_forged(&self) -> bool {
        matches!(self.begin, Begin::Forged(_))
    }

    /// Whether it begins with a checkpoint of another chain or of another key.
    pub(super) fn is_of_others(&self) -> bool {
        matches!(self.begin, Begin::Genuine(_) | Begin::OtherKey(..))
    }

    fn identity(&self) -> Option<Identity> {
        fs::metadata(&self.path).ok().as_ref().map(Identity::of)
    }

    /// Whether this is the compressed form of `other`, which was not removed yet.
    fn is_packed(&self, other: &Self) -> bool {
        let is_same = || rotation::is_same(&mut unpack::open(&self.path)?, &mut unpack::open(&other.path)?);
        rotation::is_packed_name(&self.path) && self.path.with_extension("") == other.path && is_same().unwrap_or(false)
    }
}

/// Whether the name differs from that of the log only by numbers and dates: `app.log.1.gz`, `app.2026-11-21.log`.
fn is_named_like_archive(path: &Path, log: &Path) -> bool {
    // The log itself may be called `app.gz`, and its archive `app.1.gz`.
    differs_by_number(path, log) || rotation::is_packed_name(path) && differs_by_number(&path.with_extension(""), log)
}

fn differs_by_number(path: &Path, log: &Path) -> bool {
    let bytes = |part: Option<&OsStr>| part.map(OsStr::as_encoded_bytes).unwrap_or_default().to_vec();
    let (name, log_name) = (bytes(path.file_name()), bytes(log.file_name()));
    let (stem, extension) = (bytes(log.file_stem()), log_name[bytes(log.file_stem()).len()..].to_vec());
    let middle = name.strip_prefix(&*log_name).or_else(|| name.strip_prefix(&*stem)?.strip_suffix(&*extension));
    middle.is_some_and(|middle| {
        middle.iter().any(u8::is_ascii_digit)
            && middle.iter().all(|byte| byte.is_ascii_digit() || b".-_".contains(byte))
    })
}

fn is_named(path: &Path, log: &Path) -> bool {
    path.file_name() == log.file_name()
}

fn siblings(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let (Some(name), Some(stem)) = (path.file_name(), path.file_stem()) else { return Ok(Vec::new()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(folder).map_err(|error| Error::io(format!("cannot read {}", folder.display()), error))?;
    let is_sibling = |other: &OsStr| {
        other.as_encoded_bytes().starts_with(stem.as_encoded_bytes()) && !read::is_of_family(name, other)
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name())).filter(|other| is_sibling(other));
    // Opening a pipe would wait for its writer.
    Ok(names.map(|other| path.with_file_name(other)).filter(|other| other.is_file()).collect())
}

fn is_missing(error: &Error) -> bool {
    error.kind() == ErrorKind::Io && error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// An upper bound for the length of the first line of a sealed file.
const FIRST: u64 = 4096;
