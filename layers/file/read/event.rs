use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::Error;

/// An item of a [`Reader`](super::Reader).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A whole line.
    Line(Line),
    /// Something is missing here.
    Gap(Gap),
}

impl Event {
    /// Returns the line, if it is one. For callers that ignore gaps.
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

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The file, under the name it had when the reader was created.
    pub file: Arc<Path>,
    /// The number of the line in that file, from 1.
    pub number: u64,
    /// The line without its line feed.
    pub bytes: Vec<u8>,
}

impl Line {
    /// Creates line `number` of `file`.
    pub fn new(file: impl Into<Arc<Path>>, number: u64, bytes: impl Into<Vec<u8>>) -> Self {
        Self { file: file.into(), number, bytes: bytes.into() }
    }

    /// The line as text. Invalid UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// Something that is missing or cannot be read.
///
/// Its `Display` names the file and says what is wrong: `app.log.3: is missing`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Gap {
    /// Numbers of files are missing.
    Missing {
        /// The name of the oldest missing file, if it was not compressed.
        file: Arc<Path>,
        /// How many consecutive files are missing.
        files: u64,
    },
    /// The file cannot be opened, is damaged, no key fits it, or its compressed or encrypted data ends too early.
    /// The reader continues with the next file.
    Unreadable {
        /// The name of the file.
        file: Arc<Path>,
        /// How many of its lines were read before the error.
        lines: u64,
        /// The error.
        error: Error,
    },
    /// The file ends within a line: its writer was killed, the disk was full, or the line is being written.
    Torn {
        /// The name of the file.
        file: Arc<Path>,
        /// The number the line would have in the file, from 1.
        number: u64,
        /// The part of the line that exists.
        bytes: Vec<u8>,
    },
    /// The line is longer than [allowed](super::Reader::max_line).
    TooLong {
        /// The name of the file.
        file: Arc<Path>,
        /// The number of the line in the file, from 1.
        number: u64,
        /// The length of the line in bytes.
        len: u64,
    },
}

impl Gap {
    /// The file in which something is missing, or that is missing.
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
            Self::Missing { files, .. } => write!(f, "is missing, and {} after it", files - 1),
            Self::Unreadable { lines: 0, error, .. } => write!(f, "{error:#}"),
            Self::Unreadable { lines, error, .. } => write!(f, "{error:#}, after {lines} lines"),
            Self::Torn { number, bytes, .. } => write!(f, "ends within line {number}, after {} bytes", bytes.len()),
            Self::TooLong { number, len, .. } => write!(f, "line {number} is too long: {len} bytes"),
        }
    }
}
