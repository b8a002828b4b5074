use crate::sink::RecordEnd;
use crate::sink::run::Run;

/// Lines that are taken and not written yet.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    lines: Vec<RecordEnd>,
    capacity: usize,
    /// How many bytes are held while the file cannot be written.
    hold: usize,
}

impl Buffer {
    pub(super) fn new(capacity: usize, hold: usize) -> Self {
        let mut bytes = Vec::new();
        // A capacity that cannot be allocated grows on demand.
        let _ = bytes.try_reserve_exact(capacity);
        Self { bytes, lines: Vec::new(), capacity, hold }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The number of lines.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn has_room(&self, run: Run<'_>) -> bool {
        self.capacity > 0 && run.bytes().len() as u64 <= self.room(self.capacity)
    }

    /// How many lines of `run`, from the first on, fit while the file cannot be written.
    pub(super) fn fit(&self, run: Run<'_>) -> usize {
        match self.capacity.max(self.hold) {
            0 => 0,
            limit => run.fit(self.room(limit)),
        }
    }

    fn room(&self, limit: usize) -> u64 {
        limit.saturating_sub(self.bytes.len()) as u64
    }

    pub(super) fn as_run(&self) -> Run<'_> {
        Run::new(&self.bytes, &self.lines)
    }

    /// Appends `run`, even beyond the capacity: held lines must be kept.
    #[inline]
    pub(super) fn push(&mut self, run: Run<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(run.bytes());
        self.lines.extend(run.lines().map(|line| RecordEnd { end: start + line.end, ..line }));
    }

    /// Removes the first `lines` lines.
    pub(super) fn remove(&mut self, lines: usize) {
        let bytes = self.as_run().split_at(lines).0.bytes().len();
        self.bytes.drain(..bytes);
        self.lines.drain(..lines);
        self.lines.iter_mut().for_each(|line| line.end -= bytes);
    }

    /// Removes all lines, and frees memory beyond the capacity.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > self.capacity.saturating_add(SPARE) {
            *self = Self::new(self.capacity, self.hold);
        }
        self.bytes.clear();
        self.lines.clear();
    }
}

/// How much memory beyond the capacity may be kept: the rest of a partial line is usually shorter.
const SPARE: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    #[test]
    fn removing_lines_moves_the_ends_of_the_others() {
        let lines = [2, 5, 9].map(|end| RecordEnd::new(end, Severity::INFO));
        let mut buffer = Buffer::new(16, 0);
        buffer.push(Run::new(b"a\nbb\nccc\n", &lines));
        buffer.remove(1);
        assert_eq!(buffer.as_run().bytes(), b"bb\nccc\n");
        assert_eq!(buffer.lines.iter().map(|line| line.end).collect::<Vec<_>>(), [3, 7]);
        buffer.push(Run::new(b"d\n", &lines[..1]));
        assert_eq!(buffer.lines.last().unwrap().end, 9);
        assert_eq!((buffer.count(), buffer.room(16)), (3, 7));
    }

    #[test]
    fn the_largest_capacity_does_not_panic() {
        let lines = [RecordEnd::new(2, Severity::INFO)];
        let run = Run::new(b"a\n", &lines);
        let mut buffer = Buffer::new(usize::MAX, 0);
        assert!(buffer.has_room(run));
        buffer.push(run);
        buffer.clear();
        assert!(buffer.is_empty());
    }

    #[test]
    fn memory_beyond_the_capacity_is_freed() {
        let lines = [RecordEnd::new(100_000, Severity::INFO)];
        let run = Run::new(&[b'x'; 100_000], &lines);
        let fit = |hold| Buffer::new(16, hold).fit(run);
        assert_eq!((fit(0), fit(99_999), fit(100_000)), (0, 0, 1));
        let mut buffer = Buffer::new(16, 150_000);
        buffer.push(run);
        assert_eq!(buffer.fit(run), 0);
        buffer.clear();
        assert_eq!((buffer.count(), buffer.bytes.capacity()), (0, 16));
    }
}
