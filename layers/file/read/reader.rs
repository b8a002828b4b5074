use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encrypted::{self, Bytes, Decrypt};
use super::family::{self, Count, Source, cannot};
use super::lines::{Lines, Piece};
use super::{Event, Gap, Line};
use crate::Error;
use crate::file::rotation::{is_same, unpack};

/// Reads the lines of a file and its old ones, the oldest first.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`max_line`](Self::max_line) | 64 MiB | a longer line is not read but [reported](Gap::TooLong) |
/// | `keys` (feature `encryption`) | none | encrypted files are read, and not reported as [unreadable](Gap::Unreadable) |
///
/// It is an iterator over [`Event`]s: lines and, in their places, what is missing. It never ends early: a file that
/// cannot be read is reported, and the next one is next. What is compressed is seen by its first bytes, whatever its
/// name (features `gzip`, `zstd`), and so is what is encrypted (feature `encryption`). Memory is bounded by the longest line.
///
/// ```
/// use tracing_handlers::read::{Event, Reader};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// std::fs::write(dir.path().join("app.log.3"), "the oldest\n")?;
/// std::fs::write(dir.path().join("app.log.1"), "older\n")?;
/// std::fs::write(&path, "new\n")?;
/// let shown = Reader::open(&path)?.map(|event| match event {
///     Event::Line(line) => line.text().into_owned(),
///     Event::Gap(gap) => gap.to_string().replace(&*dir.path().to_string_lossy(), ""),
/// });
/// assert_eq!(shown.collect::<Vec<_>>(), ["the oldest", "/app.log.2: is missing", "older", "new"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # While the log goes on
///
/// All files are opened before the first is read, so that renaming, compressing and removing them meanwhile changes
/// nothing: no line comes twice and none is left out. That takes one descriptor for each; those that the limit of the
/// process leaves none for are reported as [unreadable](Gap::Unreadable). What is in the family when the reader is made
/// is read, and what is appended to the file in use before its end is reached; files begun later are not. Where a crash
/// left an old file both compressed and not, it is read once, if both hold the same; if not, both are read.
pub struct Reader {
    sources: VecDeque<Source>,
    now: Option<Now>,
    max_line: usize,
    /// `None`: there are no keys.
    decrypt: Option<Decrypt>,
}

/// The file that is being read.
struct Now {
    path: Arc<Path>,
    lines: Lines,
}

impl Reader {
    /// Finds `path` and its old files by their names, and opens them all: `app.log.N`, of which 1 is the newest, and
    /// `app.log.DATE` and `app.log.DATE.N`, of which the lowest is the oldest, each with `.gz` or `.zst` behind it or
    /// not, and the same in front of the extension: `app.N.log`. Where `path` is a link to `app.log.N`, 1 is the
    /// oldest. A date begins with the year, its largest units come first: `2026-11-21`, `2026-11-21_10-40`, `20261121`.
    /// Dated files come before numbered ones.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) where there is none of them, or the directory cannot be listed;
    /// [`Timeout`](crate::ErrorKind::Timeout) where for 10 seconds there was no moment at which no file was being
    /// renamed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::count(path.as_ref(), Count::Down)
    }

    /// The same, where of `app.log.N` number 1 is the oldest.
    ///
    /// # Errors
    ///
    /// As those of [`open`](Self::open).
    pub fn open_oldest_first(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::count(path.as_ref(), Count::Up)
    }

    /// Reads these files, in this order, each opened when its turn comes.
    ///
    /// ```
    /// use tracing_handlers::read::{Event, Reader};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    /// std::fs::write(&one, "a\nb\n")?;
    /// let shown: Vec<_> = Reader::files([&one, &two]).map(|event| match event {
    ///     Event::Line(line) => format!("{} {}", line.number, line.text()),
    ///     Event::Gap(gap) => gap.file().file_name().unwrap_or_default().to_string_lossy().into_owned(),
    /// }).collect();
    /// assert_eq!(shown, ["1 a", "2 b", "two"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self::new(files.into_iter().map(|file| Source::Named(Arc::from(file.into()))).collect())
    }

    /// The greatest length of a line, in bytes, without its end.
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    #[cfg_attr(not(feature = "encryption"), expect(dead_code))]
    pub(super) fn decrypt(mut self, decrypt: Decrypt) -> Self {
        self.decrypt = Some(decrypt);
        self
    }

    fn count(path: &Path, count: Count) -> Result<Self, Error> {
        family::open(path, count).map(|sources| Self::new(sources.into()))
    }

    fn new(sources: VecDeque<Source>) -> Self {
        Self { sources, now: None, max_line: 64 << 20, decrypt: None }
    }

    /// Goes to the next file; a gap where that cannot be read.
    fn turn_to(&mut self, source: Source) -> Option<Gap> {
        let (path, opened) = match source {
            Source::Missing(file, files) => return Some(Gap::Missing { file, files }),
            Source::Failed(path, error) => (path, Err(error)),
            Source::Named(path) => {
                let opened = fs::File::open(&path);
                (path, opened)
            }
            Source::Open { file, twin: Some(twin), .. } if holds_the_same(&file, &twin) => return None,
            Source::Open { path, file, .. } => (path, Ok(file)),
        };
        let begun = opened.and_then(|file| encrypted::open(begin(&path, file)?, self.decrypt.as_ref()));
        match begun {
            Ok(from) => {
                self.now = Some(Now { path, lines: Lines::new(from, self.max_line) });
                None
            }
            Err(error) => Some(unreadable(path, 0, error)),
        }
    }
}

impl Iterator for Reader {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(now) = &mut self.now {
                match now.next() {
                    Some(event) => {
                        // Behind an error or a torn line there is nothing more.
                        self.now.take_if(|_| matches!(event, Event::Gap(Gap::Unreadable { .. } | Gap::Torn { .. })));
                        return Some(event);
                    }
                    None => self.now = None,
                }
            }
            let source = self.sources.pop_front()?;
            if let Some(gap) = self.turn_to(source) {
                return Some(Event::Gap(gap));
            }
        }
    }
}

impl Now {
    fn next(&mut self) -> Option<Event> {
        let piece = self.lines.next()?;
        let (file, number) = (self.path.clone(), self.lines.number());
        Some(match piece {
            Piece::Line(bytes) => Event::Line(Line { file, number, bytes }),
            Piece::Torn(bytes) => Event::Gap(Gap::Torn { file, number, bytes }),
            Piece::TooLong(len) => Event::Gap(Gap::TooLong { file, number, len }),
            Piece::Failed(error) => Event::Gap(unreadable(file, number, error)),
        })
    }
}

impl std::iter::FusedIterator for Reader {}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now.as_ref().map(|now| &now.path);
        f.debug_struct("Reader").field("now", &now).field("next", &self.sources).finish_non_exhaustive()
    }
}

/// Its bytes, uncompressed. A name that says that there is an archive, where there is nothing at all, is a damaged one.
fn begin(path: &Path, file: fs::File) -> io::Result<Bytes> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() && metadata.len() == 0 && crate::file::rotation::is_packed_name(path) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    unpack(file)
}

/// Whether a compressed file need not be read, because the one behind it is the same.
fn holds_the_same(packed: &fs::File, twin: &fs::File) -> bool {
    let compare = || is_same(&mut unpack(packed.try_clone()?)?, &mut &*twin);
    let same = compare().unwrap_or(false);
    // Both are to be read from their beginnings.
    let rewound = [packed, twin].into_iter().all(|mut file| file.rewind().is_ok());
    same && rewound
}

fn unreadable(file: Arc<Path>, lines: u64, error: io::Error) -> Gap {
    let error = cannot("read", Path::new(file.file_name().unwrap_or_default()), error);
    Gap::Unreadable { file, lines, error }
}
