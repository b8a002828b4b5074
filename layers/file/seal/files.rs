//! Which files belong to a sealed log, and in what order.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::chain::Link;
use super::line::SealedLine;
use super::unpack;
use crate::Error;
use crate::file::{Identity, rotation};

/// A file, and the place its first line claims to continue from. The claim is not checked here.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// `None` if the file does not begin with a checkpoint.
    pub(super) from: Option<Link>,
    /// Whether the first line is whole.
    has_line: bool,
    /// The first line, or as much of it as exists.
    pub(super) first: Vec<u8>,
}

/// Returns the file at `path` with the files of the same chain beside it whose names begin like its name; and, separately, the
/// files of no or another chain that are named like archives of this log.
pub(super) fn family(path: &Path) -> Result<(Vec<Found>, Vec<Found>), Error> {
    let own = match path.exists() {
        true => Some(found(path.to_owned())?).filter(|own| !own.is_empty()),
        false => None,
    };
    // A file that cannot be read is not counted as part of the log; if it is one, the chain has a gap.
    let others: Vec<_> = siblings(path)?.into_iter().filter_map(|other| found(other).ok()).collect();
    let (others, mut strays): (Vec<_>, Vec<_>) = others.into_iter().partition(|found| found.from.is_some());
    if own.is_none() && others.is_empty() && !path.exists() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        return Err(Error::io(format!("cannot read {}", path.display()), missing));
    }
    let chain = match &own {
        Some(own) if own.has_line => own.from.map(|from| from.chain),
        _ => others.iter().max_by_key(|found| modified(&found.path)).and_then(|found| Some(found.from?.chain)),
    };
    let (others, of_other_chains): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|found| found.from.map(|from| from.chain) == chain);
    strays.extend(of_other_chains);
    strays.retain(|found| is_named_like_archive(&found.path, path));
    Ok((once(own.into_iter().chain(others).collect()), strays))
}

/// Reads the first line of the file at `path`.
pub(super) fn found(path: PathBuf) -> Result<Found, Error> {
    let cannot = |error| Error::io(format!("cannot read {}", path.display()), error);
    let mut start = Vec::new();
    unpack::open(&path).map_err(cannot)?.take(FIRST).read_to_end(&mut start).map_err(cannot)?;
    let first = start.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let checkpoint = SealedLine::parse(first).and_then(|line| line.checkpoint());
    let has_line = first.ends_with(b"\n") || first.len() as u64 == FIRST;
    let from = checkpoint.filter(|_| has_line).map(|checkpoint| checkpoint.from);
    Ok(Found { from, has_line, first: first.to_vec(), path })
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

impl Found {
    fn is_empty(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == 0)
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

/// Removes files that are listed already under another name (a link, for example), or uncompressed.
fn once(files: Vec<Found>) -> Vec<Found> {
    let mut identities = HashSet::new();
    let mut files: Vec<_> =
        files.into_iter().filter(|file| file.identity().is_none_or(|identity| identities.insert(identity))).collect();
    let twins: Vec<_> = files.iter().map(|file| files.iter().any(|other| file.is_packed(other))).collect();
    let mut twins = twins.into_iter();
    files.retain(|_| twins.next() != Some(true));
    files
}

fn siblings(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let (Some(name), Some(stem)) = (path.file_name(), path.file_stem()) else { return Ok(Vec::new()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(folder).map_err(|error| Error::io(format!("cannot read {}", folder.display()), error))?;
    let belongs = |other: &OsStr| other != name && other.as_encoded_bytes().starts_with(stem.as_encoded_bytes());
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name())).filter(|other| belongs(other));
    // Opening a pipe would wait for its writer.
    Ok(names.map(|other| path.with_file_name(other)).filter(|other| other.is_file()).collect())
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// An upper bound for the length of the first line of a sealed file.
const FIRST: u64 = 4096;
