//! A line of a sealed file, split into its parts.

use super::chain::{Link, Sealing, Started};
use super::checkpoint::Checkpoint;
use super::lines::Text;
use super::mark::{self, Code};

/// A line that ends in a seal. Whether the seal is genuine is not checked yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct SealedLine<'a> {
    /// The text before the seal. Of a long line, the part from which its seal is not computed yet.
    before: &'a [u8],
    /// The text after the seal: the closing brace of an object, or nothing.
    behind: &'a [u8],
    /// The line end.
    end: &'static [u8],
    pub(super) code: Code,
    /// Of a long line: what was computed from the text before `before`.
    started: Option<&'a [Started]>,
}

impl<'a> SealedLine<'a> {
    /// Returns `None` if the line has no seal.
    pub(super) fn parse(line: impl Into<Text<'a>>) -> Option<Self> {
        let line = line.into();
        let (text, end) = split_end(line.bytes);
        let (before, behind, code) = mark::take(text)?;
        let before = if line.started.is_some() { before.get(1..)? } else { before };
        Some(Self { before, behind, end, code, started: line.started })
    }

    /// The same line with another line end.
    pub(super) fn with_end(self, end: &'static [u8]) -> Self {
        Self { end, ..self }
    }

    /// Returns the content of a checkpoint, or `None` if this is a line of the log.
    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        if self.started.is_some() || !Checkpoint::may_be(self.before) {
            return None;
        }
        match self.behind {
            [] => Checkpoint::read(self.before),
            _ => Checkpoint::read(&[self.before, self.behind].concat()),
        }
    }

    /// Whether the seal is that of a line of the log that follows `link`.
    pub(super) fn follows(&self, link: &Link, sealing: &Sealing) -> bool {
        match self.started {
            None => sealing.line(link, &self.parts()) == self.code,
            Some(started) => {
                let started = started.iter().find(|started| started.link == *link);
                started.is_some_and(|started| started.code(&self.parts()) == self.code)
            }
        }
    }

    /// Whether the seal is that of a checkpoint that follows `link`.
    pub(super) fn is_checkpoint_after(&self, link: &Link, sealing: &Sealing) -> bool {
        sealing.checkpoint(link, &self.parts()) == self.code
    }

    fn parts(&self) -> [&[u8]; 3] {
        [self.before, self.behind, self.end]
    }
}

/// Splits off the line end. A line without one gets a line feed.
pub(super) fn split_end(line: &[u8]) -> (&[u8], &'static [u8]) {
    if let Some(text) = line.strip_suffix(b"\r\n") {
        return (text, b"\r\n");
    }
    (line.strip_suffix(b"\n").unwrap_or(line), b"\n")
}
