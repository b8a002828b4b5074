//! A log file and its archives: their names, their order, and how all of them are opened at one moment.

mod name;
mod order;

pub(super) use self::name::Count;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::name::{Name, Place};
use self::order::Witness;
use crate::file::Identity;
use crate::{Error, ErrorKind};

/// A source of lines.
#[derive(Debug)]
pub(super) enum Source {
    /// A file that is opened when the reader reaches it.
    Named(Arc<Path>),
    /// An open file, which may be renamed or removed meanwhile. `twin` is the uncompressed file at the same place, if it
    /// follows: most likely it has the same content.
    ///
    /// A file whose name `is_packed` is compressed, unless it is damaged.
    Open { path: Arc<Path>, file: fs::File, twin: Option<fs::File>, is_packed: bool },
    /// A file that exists but could not be opened.
    Failed(Arc<Path>, io::Error),
    /// Numbers without a file: the name of the first, and how many there are.
    Missing(Arc<Path>, u64),
}

/// Opens all files of the family of `path`, oldest first, as they were at one moment, even if files are renamed meanwhile.
pub(super) fn open(path: &Path, count: Count) -> Result<Vec<Source>, Error> {
    let absolute = std::path::absolute(path).map_err(|error| cannot("read", path, error))?;
    let (Some(dir), Some(base)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::new(ErrorKind::Config, format!("{} has no file name", path.display())));
    };
    // Displayed as it was given: without a directory, if it had none.
    let shown = path.parent().unwrap_or(Path::new("")).to_owned();
    let is_certain = is_link_to_number(&absolute, base);
    let count = if is_certain { Count::Up } else { count };
    let family = Family { dir: dir.to_owned(), base: base.to_owned(), shown, count, is_certain };
    let sources = family.snapshot()?;
    match sources.is_empty() {
        true => Err(cannot("read", path, io::ErrorKind::NotFound.into())),
        false => Ok(sources),
    }
}

/// Whether a file called `name` belongs to the family of a file called `base`.
#[cfg(feature = "seal")]
pub(crate) fn is_of_family(base: &OsStr, name: &OsStr) -> bool {
    Name::parse(base, name).is_some()
}

/// Whether the path is a link to a live file with a number: then number 1 is the oldest.
fn is_link_to_number(path: &Path, base: &OsStr) -> bool {
    let target = fs::read_link(path).ok();
    let name = target.as_deref().and_then(Path::file_name).and_then(|name| Name::parse(base, name));
    name.is_some_and(|name| matches!(name.place, Place::Numbered(_)))
}

struct Family {
    dir: PathBuf,
    base: OsString,
    shown: PathBuf,
    count: Count,
    /// Whether that is the direction, whatever the files tell.
    is_certain: bool,
}

type Opened = HashMap<Identity, io::Result<fs::File>>;

/// A file of the family, as found in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    name: Name,
    file: OsString,
    identity: Identity,
}

impl Family {
    /// Lists the directory and opens files until two consecutive listings are equal and all files are open: then nothing
    /// was renamed in between. No other file can get the identity of an open file.
    fn snapshot(&self) -> Result<Vec<Source>, Error> {
        let until = Instant::now() + PATIENCE;
        let mut open = HashMap::new();
        let (mut before, mut holes) = (Vec::<Found>::new(), 0);
        loop {
            let found = self.list()?;
            if self.open_all(&found, &mut open) && found == before {
                let (found, count) = self.in_proven_order(found.clone(), &open);
                // A missing number may belong to a file that is being renamed.
                if holes >= HOLE_CHECKS || !has_holes(&found, count) {
                    return Ok(self.sources(&found, open, count));
                }
                holes += 1;
                std::thread::sleep(HOLE_PAUSE);
            }
            if Instant::now() > until {
                let name = self.dir.join(&self.base);
                let message = format!("files of {} are renamed faster than they can be opened", name.display());
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            before = found;
        }
    }

    /// Lists the regular files of the family, oldest first.
    fn list(&self) -> Result<Vec<Found>, Error> {
        let failed = |error| cannot("list", &self.dir, error);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let Some(name) = Name::parse(&self.base, &file) else { continue };
            // A file that was removed meanwhile is missing from the next listing.
            let Ok(metadata) = fs::metadata(self.dir.join(&file)) else { continue };
            if metadata.is_file() {
                all.push(Found { name, file, identity: Identity::of(&metadata) });
            }
        }
        all.sort_by(|one, other| one.name.compare(&other.name, self.count));
        Ok(all)
    }

    /// Opens files that are not open yet. Returns `false` if the directory has changed since it was listed.
    fn open_all(&self, found: &[Found], open: &mut Opened) -> bool {
        found.iter().all(|found| {
            if matches!(open.get(&found.identity), Some(Ok(_))) {
                return true;
            }
            let opened = fs::File::open(self.dir.join(&found.file)).and_then(|file| Ok((file.metadata()?, file)));
            match opened {
                Ok((metadata, file)) => {
                    let identity = Identity::of(&metadata);
                    open.insert(identity, Ok(file));
                    identity == found.identity
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => {
                    open.insert(found.identity, Err(error));
                    true
                }
            }
        })
    }

    /// Orders the files by what they tell themselves, or else as they were ordered before.
    fn in_proven_order(&self, mut found: Vec<Found>, open: &Opened) -> (Vec<Found>, Count) {
        let witness = |found: &Found| Witness::of(open.get(&found.identity)?.as_ref().ok()?);
        let (mut archives, mut current) = (Vec::new(), None);
        for file in &found {
            match (&file.name.place, witness(file)) {
                (Place::Numbered(number), Some(witness)) => archives.push((*number, witness)),
                (Place::Current, witness) => current = witness,
                _ => {}
            }
        }
        archives.dedup_by_key(|(number, _)| *number);
        let count = if self.is_certain { None } else { order::proven(&archives, current) }.unwrap_or(self.count);
        found.sort_by(|one, other| one.name.compare(&other.name, count));
        (found, count)
    }

    fn sources(&self, found: &[Found], mut open: Opened, count: Count) -> Vec<Source> {
        let mut sources = Vec::with_capacity(found.len());
        for (at, this) in found.iter().enumerate() {
            let next = found.get(at + 1);
            let path = self.shown(&this.file);
            let twin = next.filter(|next| next.name.place == this.name.place && !next.name.packed);
            let twin = twin.and_then(|twin| open.get(&twin.identity)?.as_ref().ok()?.try_clone().ok());
            match open.remove(&this.identity) {
                Some(Ok(file)) => {
                    let is_packed = this.name.packed;
                    sources.push(Source::Open { path, file, twin, is_packed });
                }
                Some(Err(error)) => sources.push(Source::Failed(path, error)),
                // Another name of a file that is included already.
                None => {}
            }
            let next = next.map_or(&Place::Current, |next| &next.name.place);
            if let Some((place, files)) = this.name.place.missing_before(next, count) {
                sources.push(Source::Missing(self.shown(&this.name.at(&place, &self.base)), files));
            }
        }
        sources
    }

    fn shown(&self, name: &OsStr) -> Arc<Path> {
        self.shown.join(name).into()
    }
}

fn has_holes(found: &[Found], count: Count) -> bool {
    let ends = found.iter().skip(1).map(|found| &found.name.place).chain([&Place::Current]);
    found.iter().zip(ends).any(|(found, next)| found.name.place.missing_before(next, count).is_some())
}

pub(super) fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}

/// How long to wait for a moment without renames.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the directory is listed again before a missing number is believed.
const HOLE_CHECKS: u32 = 5;
/// The pause between these listings.
const HOLE_PAUSE: Duration = Duration::from_millis(2);
