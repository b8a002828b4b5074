use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encrypted::{self, Bytes, Decrypt};
use super::event::{Event, Gap, Line};
use super::family::{self, Count, Source, cannot};
use super::lines::{Lines, Piece};
use crate::Error;
use crate::file::rotation::{Twin, is_packed_name, unpack};

/// Reads the lines of a file and its archives, oldest first.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`max_line`](Self::max_line) | 16 MiB | longer lines are [reported](Gap::TooLong) instead of read |
/// | `keys` (feature `encryption`) | none | encrypted files are read instead of reported as [unreadable](Gap::Unreadable) |
///
/// It is an iterator over [`Event`]s: lines and, where something is missing, gaps. It never ends early: a file that
/// cannot be read is reported, and reading continues with the next one. Compressed files (features `gzip`, `zstd`) and encrypted
/// files (feature `encryption`) are detected by their first bytes, whatever their names are. Memory use is bounded by the longest
/// line.
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
///     other => panic!("{other:?}"),
/// });
/// assert_eq!(shown.collect::<Vec<_>>(), ["the oldest", "/app.log.2: is missing", "older", "new"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reading a log that is in use
///
/// All files are opened before the first one is read, so that they may be renamed, compressed and removed meanwhile:
/// no line is read twice or skipped. This takes one file descriptor per file; files beyond the limit of the
/// process are reported as [unreadable](Gap::Unreadable). The reader covers the files that exist when it is created, and lines
/// appended to the live file until its end is reached, but not files started later. If a crash left an archive both
/// compressed and uncompressed, it is read once if both have the same content or the compressed one is unfinished; otherwise
/// both are read.
pub struct Reader {
    sources: VecDeque<Source>,
    current: Option<CurrentFile>,
    max_line: usize,
    /// `None` if there are no keys.
    decrypt: Option<Decrypt>,
}

/// The file that is being read.
struct CurrentFile {
    path: Arc<Path>,
    lines: Lines,
}

impl Reader {
    /// Finds `path` and its archives by their names, and opens all of them: `app.log.N`, of which 1 is the newest, and
    /// `app.log.DATE` and `app.log.DATE.N`, of which the lowest is the oldest, each optionally followed by `.gz` or `.zst`;
    /// also with the number or date before the extension: `app.N.log`. If `path` is a link to `app.log.N`, 1 is the
    /// oldest. A date starts with the year and continues with smaller units: `2026-11-21`, `2026-11-21_10-40`, `20261121`.
    /// Dated files come before numbered ones.
    ///
    /// If the numbers count from the oldest file, this is detected: by the mark (an attribute, on Linux) that rotation gives to such
    /// files, or by the times of the files, if each was begun after the one before it had ended. Copies have neither; for them
    /// there is [`open_oldest_first`](Self::open_oldest_first).
    ///
    /// # Errors
    ///
    /// - [`Io`](crate::ErrorKind::Io) if there is no such file, or the directory cannot be listed.
    /// - [`Timeout`](crate::ErrorKind::Timeout) if files were renamed continuously for 10 seconds.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::count(path.as_ref(), Count::Down)
    }

    /// Like [`open`](Self::open), but number 1 of `app.log.N` is the oldest, unless the times of the files prove that it is the newest.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_oldest_first(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::count(path.as_ref(), Count::Up)
    }

    /// Reads these files in this order. Each is opened when the reader reaches it.
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
    ///     other => panic!("{other:?}"),
    /// }).collect();
    /// assert_eq!(shown, ["1 a", "2 b", "two"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self::new(files.into_iter().map(|file| Source::Named(Arc::from(file.into()))).collect())
    }

    /// Sets the maximum length of a line in bytes, not counting its end.
    #[must_use]
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
        Self { sources, current: None, max_line: 16 << 20, decrypt: None }
    }

    /// Starts the next file. Returns a gap if it cannot be read.
    fn start(&mut self, source: Source) -> Option<Gap> {
        let (path, opened, is_packed) = match source {
            Source::Missing(file, files) => return Some(Gap::Missing { file, files }),
            Source::Failed(path, error) => (path, Err(error), false),
            Source::Named(path) => {
                let (opened, is_packed) = (fs::File::open(&path), is_packed_name(&path));
                (path, opened, is_packed)
            }
            Source::Open { file, twin: Some(twin), .. } if is_in_twin(&file, &twin) => return None,
            Source::Open { path, file, is_packed, .. } => (path, Ok(file), is_packed),
        };
        let begun = opened.and_then(|file| encrypted::open(begin(is_packed, file)?, self.decrypt.as_ref()));
        match begun {
            Ok(from) => {
                self.current = Some(CurrentFile { path, lines: Lines::new(from, self.max_line) });
                None
            }
            Err(error) => Some(unreadable(path, 0, error)),
        }
    }
}

/// Returns the files whose lines a [`Reader`] of `path` returns, and those that it cannot read.
///
/// # Errors
///
/// As for [`Reader::open`].
#[cfg(feature = "seal")]
pub(crate) fn shown(path: &Path) -> Result<Vec<Arc<Path>>, Error> {
    let sources = family::open(path, Count::Down)?;
    let shown = sources.into_iter().filter_map(|source| match source {
        Source::Missing(..) => None,
        Source::Open { file, twin: Some(twin), .. } if is_in_twin(&file, &twin) => None,
        Source::Open { path, .. } | Source::Named(path) | Source::Failed(path, _) => Some(path),
    });
    Ok(shown.collect())
}

impl Iterator for Reader {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(current) = &mut self.current {
                match current.next() {
                    Some(event) => {
                        // Nothing follows an error or a torn line.
                        self.current
                            .take_if(|_| matches!(event, Event::Gap(Gap::Unreadable { .. } | Gap::Torn { .. })));
                        return Some(event);
                    }
                    None => self.current = None,
                }
            }
            let source = self.sources.pop_front()?;
            if let Some(gap) = self.start(source) {
                return Some(Event::Gap(gap));
            }
        }
    }
}

impl CurrentFile {
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
        let current = self.current.as_ref().map(|current| &current.path);
        f.debug_struct("Reader").field("current", &current).field("next", &self.sources).finish_non_exhaustive()
    }
}

/// Returns the content, uncompressed. An empty file with the name of a compressed one is damaged.
fn begin(is_packed: bool, file: fs::File) -> io::Result<Bytes> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() && metadata.len() == 0 && is_packed {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    unpack(file)
}

/// Whether the uncompressed twin of a compressed file has all that this one has, so that the twin suffices.
fn is_in_twin(packed: &fs::File, twin: &fs::File) -> bool {
    let is_in_twin = matches!(Twin::judge(packed, twin), Ok(Twin::Same | Twin::Unfinished));
    // Both are read from the beginning later.
    let rewound = [packed, twin].into_iter().all(|mut file| file.rewind().is_ok());
    is_in_twin && rewound
}

fn unreadable(file: Arc<Path>, lines: u64, error: io::Error) -> Gap {
    let error = cannot("read", Path::new(file.file_name().unwrap_or_default()), error);
    Gap::Unreadable { file, lines, error }
}
