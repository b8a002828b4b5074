//! Which files belong to a sealed log, and in what order.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::chain::Link;
use super::mark;
use super::resume::read;
use super::sealer::split_end;
use super::unpack;
use crate::Error;

/// A file, and where its first line says that it goes on from. What it says is not checked here.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// `None`: it does not begin with a checkpoint.
    pub(super) from: Option<Link>,
}

/// The file at `path`, and those beside it whose names begin as its name does and that are of the same chain.
pub(super) fn family(path: &Path) -> Result<Vec<Found>, Error> {
    let own = match path.exists() {
        true => Some(found(path.to_owned())?).filter(|own| !own.is_empty()),
        false => None,
    };
    let mut others = Vec::new();
    for other in siblings(path)? {
        // What cannot be read, a directory for one, is no part of the log; where it is, it will be missing from the chain.
        let Ok(found) = found(other) else { continue };
        others.extend(found.from.map(|from| (from.chain, found)));
    }
    let chain = match &own {
        Some(own) => own.from.map(|from| from.chain),
        None => others.iter().max_by_key(|(_, found)| modified(&found.path)).map(|(chain, _)| *chain),
    };
    if own.is_none() && others.is_empty() && !path.exists() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        return Err(Error::io(format!("cannot read {}", path.display()), missing));
    }
    others.retain(|(other, _)| Some(*other) == chain);
    Ok(own.into_iter().chain(others.into_iter().map(|(_, found)| found)).collect())
}

/// The file at `path`.
pub(super) fn found(path: PathBuf) -> Result<Found, Error> {
    let cannot = |error| Error::io(format!("cannot read {}", path.display()), error);
    let mut start = Vec::new();
    unpack::open(&path).map_err(cannot)?.take(FIRST).read_to_end(&mut start).map_err(cannot)?;
    let first = start.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let checkpoint = mark::take(split_end(first).0).and_then(|(before, behind, _)| read(before, behind));
    Ok(Found { from: checkpoint.map(|checkpoint| checkpoint.from), path })
}

impl Found {
    fn is_empty(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == 0)
    }
}

fn siblings(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let (Some(name), Some(stem)) = (path.file_name(), path.file_stem()) else { return Ok(Vec::new()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(folder).map_err(|error| Error::io(format!("cannot read {}", folder.display()), error))?;
    let belongs = |other: &OsStr| other != name && other.as_encoded_bytes().starts_with(stem.as_encoded_bytes());
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name())).filter(|other| belongs(other));
    Ok(names.map(|other| path.with_file_name(other)).collect())
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// More than the first line of a sealed file has.
const FIRST: u64 = 4096;
