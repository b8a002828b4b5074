use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::Error;

/// What a [`Reader`](super::Reader) comes upon next.
#[derive(Debug)]
pub enum Event {
    /// A whole line.
    Line(Line),
    /// Here something is missing.
    Gap(Gap),
}

impl Event {
    /// The line, if it is one: for those who do not ask what is missing.
    ///
    /// ```
    /// use tracing_handlers::read::{Event, Reader};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.log");
    /// std::fs::write(&path, "one\ntwo\n")?;
    /// assert_eq!(Reader::open(&path)?.filter_map(Event::line).count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn line(self) -> Option<Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gap(_) => None,
        }
    }
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file it is in, by the name it had when the reader was made.
    pub file: Arc<Path>,
    /// Which line of that file it is, from 1.
    pub number: u64,
    /// The line, without the line feed at its end.
    pub bytes: Vec<u8>,
}

impl Line {
    /// The line as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// Something that should be there, and is not or cannot be read.
///
/// Shown, it names the file and says what is wrong: `app.log.3: is missing`. New kinds may be added.
#[derive(Debug)]
#[non_exhaustive]
pub enum Gap {
    /// The numbers of the files leave some out.
    Missing {
        /// What the oldest of them would be called, if it is not compressed.
        file: Arc<Path>,
        /// How many are left out, one after another.
        files: u64,
    },
    /// The file cannot be opened, is damaged, no key fits it, or what is compressed or encrypted in it ends too early;
    /// the reader goes on with the next one.
    Unreadable {
        /// Its name.
        file: Arc<Path>,
        /// So many of its lines were read before.
        lines: u64,
        /// Why it ended there.
        error: Error,
    },
    /// The file ends within a line: whoever wrote it was killed, the disk was full, or it is being written right now.
    Torn {
        /// Its name.
        file: Arc<Path>,
        /// Which line of the file it would be, from 1.
        number: u64,
        /// What there is of it.
        bytes: Vec<u8>,
    },
    /// The line is longer than [allowed](super::Reader::max_line).
    TooLong {
        /// The name of the file.
        file: Arc<Path>,
        /// Which line of the file it is, from 1.
        number: u64,
        /// How long it is, in bytes.
        len: u64,
    },
}

impl Gap {
    /// The file in which, or in whose place, something is missing.
    pub fn file(&self) -> &Path {
        match self {
            Self::Missing { file, .. }
            | Self::Unreadable { file, .. }
            | Self::Torn { file, .. }
            | Self::TooLong { file, .. } => file,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file().display())?;
        match self {
            Self::Missing { files: 1, .. } => f.write_str("is missing"),
            Self::Missing { files, .. } => write!(f, "is missing, and {} behind it", files - 1),
            Self::Unreadable { lines: 0, error, .. } => write!(f, "{error}"),
            Self::Unreadable { lines, error, .. } => write!(f, "{error}, after {lines} lines"),
            Self::Torn { number, bytes, .. } => write!(f, "ends within line {number}, after {} bytes", bytes.len()),
            Self::TooLong { number, len, .. } => write!(f, "line {number} has {len} bytes, which is too long"),
        }
    }
}
