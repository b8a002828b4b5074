//! The files of one log, read without the library's help.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// All files of a log, the oldest first, unpacked.
#[derive(Clone, Debug, Default)]
pub struct Family {
    pub files: Vec<Content>,
}

#[derive(Clone, Debug)]
pub struct Content {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// It is the file that is written to, not an old one.
    pub is_current: bool,
}

/// In which order the names of old files stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `app.log.1` is the newest.
    NewestFirst,
    /// `app.log.1` is the oldest; dates, and numbers behind them.
    OldestFirst,
}

impl Family {
    /// Reads `path` and its old files. Where `path` is a link, one of those is the file that is written to.
    pub fn read(path: &Path, order: Order) -> Result<Self, String> {
        let target = fs::read_link(path).ok().and_then(|target| target.file_name().map(OsStr::to_owned));
        let mut old: Vec<_> = siblings(path)?.into_iter().filter_map(|file| Some((slot(path, &file)?, file))).collect();
        // A crash may leave an old file beside its archive: it is the same, and the archive is what stays.
        old.sort();
        if order == Order::NewestFirst {
            old.sort_by_key(|(slot, _)| std::cmp::Reverse(slot.number));
        }
        let mut files = Vec::new();
        let mut last = None;
        for (slot, file) in old {
            let bytes = unpacked(&file)?;
            let place = Some((slot.date, slot.number));
            if std::mem::replace(&mut last, place.clone()) == place {
                same(&files, &file, &bytes)?;
                continue;
            }
            let is_current = target.is_some() && file.file_name() == target.as_deref();
            files.push(Content { path: file, bytes, is_current });
        }
        if target.is_some() {
            return Ok(Self { files });
        }
        match fs::read(path) {
            Ok(bytes) => files.push(Content { path: path.to_owned(), bytes, is_current: true }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        }
        Ok(Self { files })
    }

    /// Files that should not stay: temporary ones, and those that are there beside their archives.
    pub fn untidy(path: &Path) -> Result<Vec<PathBuf>, String> {
        let files = siblings(path)?;
        let slots: Vec<_> = files.iter().filter_map(|file| slot(path, file)).collect();
        let is_packed = |raw: &Slot| slots.contains(&Slot { is_raw: false, ..raw.clone() });
        let is_untidy = |file: &PathBuf| {
            file.extension().is_some_and(|ending| ending == "tmp")
                || slot(path, file).is_some_and(|slot| slot.is_raw && is_packed(&slot))
        };
        Ok(files.into_iter().filter(is_untidy).collect())
    }

    /// How many old files there are.
    pub fn old(&self) -> usize {
        self.files.iter().filter(|file| !file.is_current).count()
    }
}

fn same(files: &[Content], file: &Path, bytes: &[u8]) -> Result<(), String> {
    match files.last() {
        Some(packed) if packed.bytes == bytes => Ok(()),
        _ => Err(format!("{} differs from its archive", file.display())),
    }
}

fn siblings(path: &Path) -> Result<Vec<PathBuf>, String> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let entries =
        fs::read_dir(directory).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    entries.map_err(|error| format!("cannot list {}: {error}", directory.display()))
}

/// What the name of an old file says; sorted by it, the archive comes before the file that it was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    date: String,
    number: u64,
    is_raw: bool,
}

/// `app.log.3`, `app.log.3.gz`, `app.log.2026-11-21`, `app.log.2026-11-21.3.zst`.
fn slot(path: &Path, file: &Path) -> Option<Slot> {
    let name = file.file_name().and_then(OsStr::to_str)?;
    let rest = name.strip_prefix(path.file_name()?.to_str()?)?.strip_prefix('.')?;
    let marks = rest.strip_suffix(".gz").or(rest.strip_suffix(".zst")).unwrap_or(rest);
    let (date, number) = match marks.split_once('.') {
        Some((date, number)) => (date, number.parse().ok()?),
        None => marks.parse().map_or((marks, 0), |number| ("", number)),
    };
    let is_date = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'_');
    is_date.then(|| Slot { date: date.to_owned(), number, is_raw: marks == rest })
}

fn unpacked(file: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let source = fs::File::open(file)?;
        match file.extension().and_then(OsStr::to_str) {
            #[cfg(feature = "gzip")]
            Some("gz") => flate2::read::MultiGzDecoder::new(source).read_to_end(&mut bytes)?,
            #[cfg(feature = "zstd")]
            Some("zst") => zstd::Decoder::new(source)?.read_to_end(&mut bytes)?,
            _ => (&source).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    };
    read().map_err(|error| format!("cannot read {}: {error}", file.display()))
}
