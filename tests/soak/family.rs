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

impl Family {
    /// Reads `path` and its old files, numbered from the newest on.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut old: Vec<_> =
            siblings(path)?.into_iter().filter_map(|file| slot(path, &file).map(|at| (at, file))).collect();
        // A crash may leave an old file beside its archive: it is the same, and the archive is what stays.
        old.sort_by_key(|((number, is_packed), _)| (std::cmp::Reverse(*number), !*is_packed));
        let mut files = Vec::new();
        let mut last = None;
        for ((number, _), file) in old {
            let bytes = unpacked(&file)?;
            if last.replace(number) == Some(number) {
                same(&files, &file, &bytes)?;
                continue;
            }
            files.push(Content { path: file, bytes, is_current: false });
        }
        match fs::read(path) {
            Ok(bytes) => files.push(Content { path: path.to_owned(), bytes, is_current: true }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        }
        Ok(Self { files })
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

/// The number of an old file of `path`, and whether it is packed: `app.log.3`, `app.log.3.gz`.
fn slot(path: &Path, file: &Path) -> Option<(u64, bool)> {
    let name = file.file_name().and_then(OsStr::to_str)?;
    let rest = name.strip_prefix(path.file_name()?.to_str()?)?.strip_prefix('.')?;
    let number = rest.strip_suffix(".gz").or(rest.strip_suffix(".zst")).unwrap_or(rest);
    Some((number.parse().ok()?, number != rest))
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
