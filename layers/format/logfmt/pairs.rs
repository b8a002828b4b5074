use std::cell::Cell;
use std::mem;

use super::{Duplicates, value};
use crate::format::json::free_number;
use crate::format::{escape, number};
use crate::record::Field;

/// Writes pairs to the end of a buffer, each followed by a space. No two pairs have the same name.
pub(in crate::format) struct Pairs<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    /// The names of the line's own parts.
    taken: &'b [Box<[u8]>],
    written: Vec<Pair>,
    duplicates: Duplicates,
}

impl<'b> Pairs<'b> {
    pub(in crate::format) fn new(out: &'b mut Vec<u8>, taken: &'b [Box<[u8]>], duplicates: Duplicates) -> Self {
        // Kept between records, so that it is allocated once per thread. A thread that is ending keeps nothing.
        let written = WRITTEN.try_with(Cell::take).unwrap_or_default();
        Self { start: out.len(), out, taken, written, duplicates }
    }

    /// Writes a part of the line under its reserved name.
    pub(super) fn part(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(name);
        self.out.push(b'=');
        write(self.out);
        self.out.push(b' ');
    }

    /// Writes `prefix.name=value`.
    pub(in crate::format) fn field(&mut self, prefix: Option<&str>, field: &Field<'_>) {
        let start = self.out.len();
        if let Some(prefix) = prefix {
            key(self.out, prefix);
            self.out.push(b'.');
        }
        key(self.out, field.name);
        let hash = hash(&self.out[start..]);
        let mut pair = Pair { hash, start, name_end: self.out.len(), end: 0 };
        if self.is_taken(&pair) && !self.resolve(&mut pair) {
            return;
        }
        self.out.push(b'=');
        value::write(self.out, field.value);
        self.out.push(b' ');
        pair.end = self.out.len();
        self.written.push(pair);
    }

    fn is_taken(&self, pair: &Pair) -> bool {
        self.is_part(pair) || self.position(pair).is_some()
    }

    fn is_part(&self, pair: &Pair) -> bool {
        let name = pair.name(self.out);
        self.taken.iter().any(|taken| **taken == *name)
    }

    fn position(&self, pair: &Pair) -> Option<usize> {
        let name = pair.name(self.out);
        self.written.iter().position(|other| other.hash == pair.hash && other.name(self.out) == name)
    }

    /// Handles a name that the line already has. Returns whether the pair is to be written; if not, its name has been removed.
    #[cold]
    fn resolve(&mut self, pair: &mut Pair) -> bool {
        match (self.duplicates, self.position(pair)) {
            (Duplicates::Suffix, _) => self.add_suffix(pair),
            (Duplicates::Last, Some(index)) if !self.is_part(pair) => self.remove(index, pair),
            (Duplicates::First | Duplicates::Last, _) => {
                self.out.truncate(pair.start);
                return false;
            }
        }
        true
    }

    /// Appends the lowest free number to the name.
    fn add_suffix(&mut self, pair: &mut Pair) {
        let taken = self.taken.iter().map(|name| &**name);
        let number = free_number(pair.name(self.out), self.written.iter().map(|pair| pair.name(self.out)).chain(taken));
        self.out.push(b'_');
        number::int(self.out, number);
        pair.name_end = self.out.len();
        pair.hash = hash(pair.name(self.out));
    }

    /// Removes an earlier pair; those behind it, including `last`, move up.
    fn remove(&mut self, index: usize, last: &mut Pair) {
        let Pair { start, end, .. } = self.written.remove(index);
        self.out.drain(start..end);
        for pair in self.written[index..].iter_mut().chain([last]) {
            pair.start -= end - start;
            pair.name_end -= end - start;
            // The last one is not complete yet.
            pair.end = pair.end.saturating_sub(end - start);
        }
    }
}

/// Removes the last space.
impl Drop for Pairs<'_> {
    fn drop(&mut self) {
        if self.out.len() > self.start {
            self.out.pop();
        }
        let mut written = mem::take(&mut self.written);
        if written.capacity() <= KEEP {
            written.clear();
            let _ = WRITTEN.try_with(|kept| kept.set(written));
        }
    }
}

/// The position of a pair in the buffer, including its space.
struct Pair {
    hash: u32,
    start: usize,
    name_end: usize,
    end: usize,
}

impl Pair {
    fn name<'o>(&self, out: &'o [u8]) -> &'o [u8] {
        &out[self.start..self.name_end]
    }
}

/// A hash of the length and three bytes, which distinguishes most names; the rest are compared.
fn hash(name: &[u8]) -> u32 {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return 0 };
    u32::from_le_bytes([first, name[name.len() / 2], last, name.len() as u8])
}

/// Appends `name` as a key: each character that a key cannot have, or that is invisible, becomes `_`, and so does an empty name.
pub(super) fn key(out: &mut Vec<u8>, name: &str) {
    // The usual name, without a look at each character.
    if escape::bare_ascii(out, name) {
        return;
    }
    if name.is_empty() {
        return out.push(b'_');
    }
    for char in name.chars() {
        let fits =
            !matches!(char, '=' | '"') && !char.is_control() && !char.is_whitespace() && !escape::is_hidden(char);
        let char = if fits { char } else { '_' };
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// A list that grew beyond this number of pairs is not kept.
const KEEP: usize = 1024;

thread_local! {
    static WRITTEN: Cell<Vec<Pair>> = const { Cell::new(Vec::new()) };
}
