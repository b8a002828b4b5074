//! Reads the lines of a sealed file in bounded memory, however long they are.

use std::io::{self, BufRead as _, Read};

use super::chain::{Link, Sealing, Started};

/// A line with its end, if it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// The line. Of a long one, its first byte and its last bytes, which is all that its seal's form depends on.
    pub(super) bytes: &'a [u8],
    /// The length of the line with its end.
    pub(super) len: u64,
    /// Of a long line: the seals it may have, computed from everything before its last bytes.
    pub(super) started: Option<&'a [Started]>,
}

impl<'a> Text<'a> {
    fn short(bytes: &'a [u8]) -> Self {
        Self { bytes, len: bytes.len() as u64, started: None }
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::short(bytes)
    }
}

/// The lines of a file.
///
/// A line of up to [`SHORT`] bytes is read whole. A longer one is never held: its seal is computed while it is read.
pub(super) struct Lines<R> {
    from: io::BufReader<R>,
    held: Vec<u8>,
    started: Vec<Started>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: io::BufReader::with_capacity(PIECE, from), held: Vec::new(), started: Vec::new() }
    }

    /// Reads the next line, which may follow one of the `links`. Returns `None` at the end of the file.
    pub(super) fn next(
        &mut self,
        sealing: &Sealing,
        links: impl IntoIterator<Item = Link>,
    ) -> io::Result<Option<Text<'_>>> {
        self.held.clear();
        let read = self.read_up_to(SHORT)?;
        if read == 0 {
            return Ok(None);
        }
        if read < SHORT || self.is_whole() {
            return Ok(Some(Text::short(&self.held)));
        }
        self.started = links.into_iter().map(|link| sealing.start(&link)).collect();
        // A line of that length is not empty.
        let first = self.held[0];
        let mut len = read as u64;
        loop {
            self.forget_all_but_the_last();
            if self.is_whole() {
                break;
            }
            match self.read_up_to(PIECE)? {
                0 => break,
                read => len += read as u64,
            }
        }
        self.held.insert(0, first);
        Ok(Some(Text { bytes: &self.held, len, started: Some(&self.started) }))
    }

    /// Appends at most `most` bytes, up to the end of the line.
    fn read_up_to(&mut self, most: usize) -> io::Result<usize> {
        (&mut self.from).take(most as u64).read_until(b'\n', &mut self.held)
    }

    fn is_whole(&self) -> bool {
        self.held.ends_with(b"\n")
    }

    fn forget_all_but_the_last(&mut self) {
        let done = self.held.len().saturating_sub(LAST);
        self.started.iter_mut().for_each(|started| started.update(&self.held[..done]));
        self.held.drain(..done);
    }
}

/// Up to this length a line is held in memory.
pub(super) const SHORT: usize = 64 << 10;
const PIECE: usize = 64 << 10;
/// How many bytes at the end of a long line are held: more than a seal, the line end, and the bytes before the seal that its form
/// depends on.
const LAST: usize = 128;

#[cfg(test)]
mod tests {
    use super::super::line::SealedLine;
    use super::super::mark;
    use super::*;
    use crate::file::key::Key;

    /// What the verifier asks of a line: its length, its seal's code, and after which of two places it is genuine.
    type Seen = (u64, Option<(mark::Code, Vec<bool>)>);

    fn read(text: &[u8], links: &[Link]) -> Vec<Seen> {
        let sealing = Sealing::new(&Key::from_bytes([1; 32]));
        let mut lines = Lines::new(text);
        let mut all = Vec::new();
        while let Some(line) = lines.next(&sealing, links.iter().copied()).unwrap() {
            let sealed = SealedLine::parse(line);
            all.push((
                line.len,
                sealed.map(|sealed| {
                    (sealed.code, links.iter().map(|link| sealed.follows(link, &sealing)).collect::<Vec<_>>())
                }),
            ));
        }
        all
    }

    #[test]
    fn a_line_of_any_length_is_checked_as_a_short_one_is() {
        let sealing = Sealing::new(&Key::from_bytes([1; 32]));
        let (link, other) = (Link { chain: [2; 16], lines: 3, code: [4; 16] }, Link::start());
        for len in [0, 1, 100, SHORT - 100, SHORT - 39, SHORT - 38, SHORT - 1, SHORT, SHORT + 1, 3 * SHORT + 77] {
            let plain = "x".repeat(len).into_bytes();
            let object = format!("{{\"a\":\"{}\"}}", "x".repeat(len)).into_bytes();
            for (text, end) in [(&plain, &b"\n"[..]), (&plain, b"\r\n"), (&object, b"\n"), (&object, b"\r\n")] {
                let code = sealing.line(&link, &[text, end]);
                let mut sealed = Vec::new();
                mark::put(text, &code, &mut sealed);
                sealed.extend_from_slice(end);
                let expected = (sealed.len() as u64, Some((code, vec![true, false])));
                assert_eq!(read(&sealed, &[link, other]), [expected], "{len} bytes");
                for changed in [0, sealed.len() / 2, text.len().saturating_sub(1), sealed.len() - end.len() - 3] {
                    let mut forged = sealed.clone();
                    forged[changed] ^= 1;
                    let found = read(&forged, &[link, other]);
                    let is_genuine =
                        found.iter().any(|(_, sealed)| sealed.as_ref().is_some_and(|(_, follows)| follows[0]));
                    assert!(!is_genuine, "byte {changed} of {len}");
                }
            }
        }
    }

    #[test]
    fn a_long_line_is_never_a_checkpoint() {
        let sealing = Sealing::new(&Key::from_bytes([1; 32]));
        let mut text = "s".to_owned() + &"x".repeat(SHORT);
        text += "eal-checkpoint close key=0000000000000000 chain=00000000000000000000000000000000 lines=1 ";
        text += "from=00000000000000000000000000000000 time=x cut=0 seal=00000000000000000000000000000000\n";
        let mut lines = Lines::new(text.as_bytes());
        let line = lines.next(&sealing, None).unwrap().unwrap();
        assert!(SealedLine::parse(line).unwrap().checkpoint().is_none());
    }
}
