//! A file and its old ones: their names, their order, and all of them open at once.

mod name;

pub(super) use self::name::Count;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::name::{Name, Place};
use crate::file::rotation::Identity;
use crate::{Error, ErrorKind};

/// Where lines come from, in order.
#[derive(Debug)]
pub(super) enum Source {
    /// To be opened when its turn comes.
    Named(Arc<Path>),
    /// Open, so that it may be renamed or removed meanwhile. Where a file of the same place follows that is not
    /// compressed, that one is here too: most likely they hold the same.
    Open { path: Arc<Path>, file: fs::File, twin: Option<fs::File> },
    /// It was there, and could not be opened.
    Failed(Arc<Path>, io::Error),
    /// Numbers without a file: what the first would be called, and how many there are.
    Missing(Arc<Path>, u64),
}

/// All files of the family of `path`, the oldest first. They are those of one moment, though files may be renamed
/// meanwhile.
pub(super) fn open(path: &Path, count: Count) -> Result<Vec<Source>, Error> {
    let absolute = std::path::absolute(path).map_err(|error| cannot("read", path, error))?;
    let (Some(dir), Some(base)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::new(ErrorKind::Config, format!("{} is not the name of a file", path.display())));
    };
    // Shown as it was given: without a directory, if it had none.
    let shown = path.parent().unwrap_or(Path::new("")).to_owned();
    let count = if is_link_to_number(&absolute, base) { Count::Up } else { count };
    let family = Family { dir: dir.to_owned(), base: base.to_owned(), shown, count };
    let sources = family.snapshot()?;
    match sources.is_empty() {
        true => Err(cannot("read", path, io::ErrorKind::NotFound.into())),
        false => Ok(sources),
    }
}

/// Where the path is a link to the file in use, and that has a number, numbers count from the oldest file.
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
}

/// A file of the family, as a look at the directory found it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    name: Name,
    file: OsString,
    identity: Identity,
}

impl Family {
    /// Looks and opens until two looks, one after the other, have found the same, and all of that is open: then nothing
    /// was renamed in between. An open file keeps its identity to itself, so that no other one can be taken for it.
    fn snapshot(&self) -> Result<Vec<Source>, Error> {
        let until = Instant::now() + PATIENCE;
        let mut open = HashMap::new();
        let (mut before, mut holes) = (Vec::<Found>::new(), 0);
        loop {
            let found = self.look()?;
            if self.open_all(&found, &mut open) && found == before {
                // A number without a file may be one that is being renamed: that would be over in a moment.
                if holes >= LOOKS_AT_HOLES || !self.has_holes(&found) {
                    return Ok(self.sources(&found, open));
                }
                holes += 1;
                std::thread::sleep(MOMENT);
            }
            if Instant::now() > until {
                let name = self.dir.join(&self.base);
                let message = format!("{} is renamed faster than it can be opened", name.display());
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            before = found;
        }
    }

    /// The regular files whose names are of the family, oldest first.
    fn look(&self) -> Result<Vec<Found>, Error> {
        let failed = |error| cannot("list", &self.dir, error);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let Some(name) = Name::parse(&self.base, &file) else { continue };
            // What is gone by now shows in the next look.
            let Ok(metadata) = fs::metadata(self.dir.join(&file)) else { continue };
            if metadata.is_file() {
                all.push(Found { name, file, identity: Identity::of(&metadata) });
            }
        }
        all.sort_by(|one, other| one.name.compare(&other.name, self.count));
        Ok(all)
    }

    /// Opens what is not open yet; `false` where it has changed since it was looked at.
    fn open_all(&self, found: &[Found], open: &mut HashMap<Identity, io::Result<fs::File>>) -> bool {
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

    fn has_holes(&self, found: &[Found]) -> bool {
        let ends = found.iter().skip(1).map(|found| &found.name.place).chain([&Place::Current]);
        found.iter().zip(ends).any(|(found, next)| found.name.place.missing_before(next, self.count).is_some())
    }

    fn sources(&self, found: &[Found], mut open: HashMap<Identity, io::Result<fs::File>>) -> Vec<Source> {
        let mut sources = Vec::with_capacity(found.len());
        for (at, this) in found.iter().enumerate() {
            let next = found.get(at + 1);
            let path = self.shown(&this.file);
            let twin = next.filter(|next| next.name.place == this.name.place && !next.name.packed);
            let twin = twin.and_then(|twin| open.get(&twin.identity)?.as_ref().ok()?.try_clone().ok());
            match open.remove(&this.identity) {
                Some(Ok(file)) => sources.push(Source::Open { path, file, twin }),
                Some(Err(error)) => sources.push(Source::Failed(path, error)),
                // Another name of one that is here already.
                None => {}
            }
            let next = next.map_or(&Place::Current, |next| &next.name.place);
            if let Some((place, count)) = this.name.place.missing_before(next, self.count) {
                sources.push(Source::Missing(self.shown(&this.name.at(&place, &self.base)), count));
            }
        }
        sources
    }

    fn shown(&self, name: &OsStr) -> Arc<Path> {
        self.shown.join(name).into()
    }
}

pub(super) fn cannot(step: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {step} {}", path.display()), error)
}

/// How long it is tried to find all files at rest.
const PATIENCE: Duration = Duration::from_secs(10);
/// Numbers without a file are looked at so often before they are believed,
const LOOKS_AT_HOLES: u32 = 5;
/// with this pause in between.
const MOMENT: Duration = Duration::from_millis(2);
