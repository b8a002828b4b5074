use std::io::{self, BufRead as _, BufReader, Read as _};

use super::encrypted::Bytes;

/// Splits bytes into lines, with bounded memory for each.
pub(super) struct Lines {
    from: BufReader<Bytes>,
    max: usize,
    /// The number of the last line.
    number: u64,
    buffer: Vec<u8>,
}

/// The next part of the file.
#[derive(Debug)]
pub(super) enum Piece {
    Line(Vec<u8>),
    /// The file ends within a line.
    Torn(Vec<u8>),
    TooLong(u64),
    Failed(io::Error),
}

impl Lines {
    pub(super) fn new(from: Bytes, max: usize) -> Self {
        Self { from: BufReader::with_capacity(CAPACITY, from), max, number: 0, buffer: Vec::new() }
    }

    /// The number of the last line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn next(&mut self) -> Option<Piece> {
        self.buffer.clear();
        self.buffer.shrink_to(CAPACITY);
        // A line of the maximum length, and its end.
        let most = (self.max as u64).saturating_add(1);
        let read = (&mut self.from).take(most).read_until(b'\n', &mut self.buffer);
        match read {
            Err(error) => return Some(Piece::Failed(error)),
            Ok(0) => return None,
            Ok(_) => self.number += 1,
        }
        if self.buffer.pop_if(|last| *last == b'\n').is_some() {
            return Some(Piece::Line(self.take()));
        }
        if self.buffer.len() <= self.max {
            return Some(Piece::Torn(self.take()));
        }
        Some(self.skip_rest())
    }

    /// Returns what was read. Two copies of a long line would need twice the memory.
    fn take(&mut self) -> Vec<u8> {
        if self.buffer.len() <= CAPACITY {
            return self.buffer.clone();
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.shrink_to_fit();
        bytes
    }

    /// Skips to the end of a line that is too long.
    fn skip_rest(&mut self) -> Piece {
        let mut len = self.buffer.len() as u64;
        loop {
            let (skipped, ended) = match self.from.fill_buf() {
                Ok([]) => return Piece::TooLong(len),
                Ok(bytes) => match bytes.iter().position(|byte| *byte == b'\n') {
                    Some(end) => (end + 1, true),
                    None => (bytes.len(), false),
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Piece::Failed(error),
            };
            self.from.consume(skipped);
            len += (skipped - usize::from(ended)) as u64;
            if ended {
                return Piece::TooLong(len);
            }
        }
    }
}

const CAPACITY: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, max: usize) -> Vec<String> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(text.to_owned())), max);
        std::iter::from_fn(|| lines.next().map(|piece| (lines.number(), piece)))
            .map(|(number, piece)| match piece {
                Piece::Line(bytes) => format!("{number} {}", String::from_utf8(bytes).unwrap()),
                Piece::Torn(bytes) => format!("{number} torn {}", String::from_utf8(bytes).unwrap()),
                Piece::TooLong(len) => format!("{number} long {len}"),
                Piece::Failed(error) => panic!("{error}"),
            })
            .collect()
    }

    #[test]
    fn a_line_ends_with_a_line_feed_and_nothing_else() {
        assert!(pieces("", 9).is_empty());
        assert_eq!(pieces("a\n\nb\r\n", 9), ["1 a", "2 ", "3 b\r"]);
        assert_eq!(pieces("a\nb", 9), ["1 a", "2 torn b"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_measured_and_skipped() {
        assert_eq!(pieces("four\nsix\nlonger\na", 4), ["1 four", "2 six", "3 long 6", "4 torn a"]);
        assert_eq!(pieces("longer", 4), ["1 long 6"]);
        assert_eq!(pieces("four", 4), ["1 torn four"]);
        let long = "x".repeat(200_000);
        assert_eq!(pieces(&format!("{long}\nb\n"), 0), ["1 long 200000", "2 long 1"]);
    }
}
