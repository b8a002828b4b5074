//! Consecutive lines of a batch, and which of them were written if writing stops in the middle.

use std::io;

use super::{Framed, RecordEnd};
use crate::Error;

/// Consecutive lines of a [`Framed`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    bytes: &'a [u8],
    lines: &'a [RecordEnd],
    /// The offset of `bytes`: the ends of `lines` count from the start of the batch.
    start: usize,
}

/// Writing a [`Run`] stopped.
#[derive(Debug)]
pub(crate) struct Stopped<E = Error> {
    /// How many lines were written whole.
    pub(crate) lines: usize,
    /// How many bytes of the next line were written too.
    pub(crate) torn: usize,
    pub(crate) error: E,
}

impl<'a> Run<'a> {
    pub(crate) fn new(bytes: &'a [u8], lines: &'a [RecordEnd]) -> Self {
        Self { bytes, lines, start: 0 }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The number of lines.
    pub(crate) fn count(self) -> usize {
        self.lines.len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.lines.is_empty()
    }

    /// Splits into the first `lines` lines and the rest.
    pub(crate) fn split_at(self, lines: usize) -> (Self, Self) {
        let (bytes, later_bytes) = self.bytes.split_at(self.end(lines));
        let (lines, later_lines) = self.lines.split_at(lines);
        let later = Self { bytes: later_bytes, lines: later_lines, start: self.start + bytes.len() };
        (Self { bytes, lines, ..self }, later)
    }

    /// Splits into the first lines with the same `key` and the rest. `None` if there are no lines.
    pub(crate) fn split_by<K: PartialEq>(self, key: impl Fn(&RecordEnd) -> K) -> Option<(K, Self, Self)> {
        let first = key(self.lines.first()?);
        let (alike, later) = self.split_at(self.lines.iter().take_while(|line| key(line) == first).count());
        Some((first, alike, later))
    }

    /// How many lines, from the first on, fit into `room` bytes.
    pub(crate) fn fit(self, room: u64) -> usize {
        if self.bytes.len() as u64 <= room {
            return self.count();
        }
        self.lines.partition_point(|line| (line.end - self.start) as u64 <= room)
    }

    /// Splits into pieces of whole lines, each of at most `size` bytes or of one longer line. `None`: a single piece.
    pub(crate) fn pieces(self, size: Option<u64>) -> impl Iterator<Item = Self> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let fit = size.map_or(rest.count(), |size| rest.fit(size).max(1)).min(rest.count());
            let (piece, later) = rest.split_at(fit);
            rest = later;
            (fit > 0).then_some(piece)
        })
    }

    /// Each line's bytes, as a run of one.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        let mut rest = self;
        (0..self.count()).map(move |_| {
            let (line, later) = rest.split_at(1);
            rest = later;
            line
        })
    }

    /// The lines with their ends counted from the start of [`bytes`](Self::bytes).
    pub(crate) fn lines(self) -> impl Iterator<Item = RecordEnd> + 'a {
        self.lines.iter().map(move |line| RecordEnd { end: line.end - self.start, ..*line })
    }

    /// Writes all lines, or returns where writing stopped.
    pub(crate) fn write_to(self, to: &mut (impl io::Write + ?Sized)) -> Result<(), Stopped<io::Error>> {
        write_all(to, self.bytes).map_err(|(written, error)| self.stopped(written, error))
    }

    /// Writes all lines in [pieces](Self::pieces), or returns where writing stopped.
    pub(crate) fn write_pieces_to(self, to: &mut impl io::Write, size: Option<u64>) -> Result<(), Stopped<io::Error>> {
        let mut lines = 0;
        for piece in self.pieces(size) {
            piece.write_to(to).map_err(|stopped| Stopped { lines: lines + stopped.lines, ..stopped })?;
            lines += piece.count();
        }
        Ok(())
    }

    fn stopped<E>(self, written: usize, error: E) -> Stopped<E> {
        let lines = self.fit(written as u64);
        Stopped { lines, torn: written - self.end(lines), error }
    }

    /// Where the first `lines` lines end.
    fn end(self, lines: usize) -> usize {
        match lines {
            0 => 0,
            lines => self.lines[lines - 1].end - self.start,
        }
    }
}

impl<'a> From<Framed<'a>> for Run<'a> {
    fn from(framed: Framed<'a>) -> Self {
        Self::new(framed.bytes(), framed.ends())
    }
}

/// Like `io::Write::write_all`, but an error includes how many bytes were written.
pub(crate) fn write_all(to: &mut (impl io::Write + ?Sized), bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match to.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(some) => written += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn lines(ends: &[usize]) -> Vec<RecordEnd> {
        ends.iter().map(|end| RecordEnd::new(*end, Severity::INFO)).collect()
    }

    #[test]
    fn a_part_counts_from_its_own_start() {
        let lines = lines(&[2, 5, 9]);
        let (first, later) = Run::new(b"a\nbb\nccc\n", &lines).split_at(1);
        assert_eq!(first.bytes(), b"a\n");
        assert_eq!(later.bytes(), b"bb\nccc\n");
        assert_eq!(later.fit(2), 0);
        assert_eq!(later.fit(3), 1);
        assert_eq!(later.fit(7), 2);
        let each: Vec<_> = later.each().map(Run::bytes).collect();
        assert_eq!(each, [&b"bb\n"[..], b"ccc\n"]);
    }

    #[test]
    fn pieces_are_whole_lines() {
        let lines = lines(&[2, 5, 9, 30, 32]);
        let all = b"a\nbb\nccc\n....................\nz\n";
        let of = |size| Run::new(all, &lines).pieces(size).map(|piece| piece.bytes().len()).collect::<Vec<_>>();
        assert_eq!(of(Some(6)), [5, 4, 21, 2]);
        assert_eq!(of(Some(1)), [2, 3, 4, 21, 2]);
        assert_eq!(of(Some(100)), [32]);
        assert_eq!(of(None), [32]);
    }

    #[test]
    fn a_stop_within_a_line_counts_the_whole_lines_and_the_torn_bytes() {
        let lines = lines(&[2, 5, 9]);
        let run = Run::new(b"a\nbb\nccc\n", &lines);
        for (written, expected) in [(0, (0, 0)), (1, (0, 1)), (2, (1, 0)), (4, (1, 2)), (5, (2, 0)), (8, (2, 3))] {
            let stopped = run.stopped(written, ());
            assert_eq!((stopped.lines, stopped.torn), expected, "after {written} bytes");
        }
    }
}
