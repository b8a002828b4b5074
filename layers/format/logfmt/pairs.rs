use std::cell::Cell;
use std::mem;

use super::{Duplicates, value};
use crate::bytes::hidden::is_hidden;
use crate::format::known_names::{KnownNames, NameList};
use crate::format::{escape, number};
use crate::record::Field;

/// Writes pairs to the end of a buffer, each followed by a space. No two pairs have the same name.
pub(in crate::format) struct Pairs<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    /// The names of the line's own parts.
    taken: &'b [Box<[u8]>],
    written: Vec<Pair>,
    known: KnownNames,
    /// Whether any pairs have been replaced by later ones.
    any_replaced: bool,
    duplicates: Duplicates,
}

impl<'b> Pairs<'b> {
    pub(in crate::format) fn new(out: &'b mut Vec<u8>, taken: &'b [Box<[u8]>], duplicates: Duplicates) -> Self {
        // Kept between records, so that it is allocated once per thread. A thread that is ending keeps nothing.
        let written = WRITTEN.try_with(Cell::take).unwrap_or_default();
        Self { start: out.len(), out, taken, written, known: KnownNames::default(), any_replaced: false, duplicates }
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
        let mut pair = Pair { hash, start, name_end: self.out.len(), end: 0, replaced: false };
        if let Some(index) = self.position(&pair)
            && !self.resolve(&mut pair, index)
        {
            return;
        }
        self.out.push(b'=');
        value::write(self.out, field.value);
        self.out.push(b' ');
        pair.end = self.out.len();
        self.written.push(pair);
    }

    /// Returns the index of the last part or pair that has this pair's name.
    fn position(&mut self, pair: &Pair) -> Option<usize> {
        let present = Present { taken: self.taken, written: &self.written, out: self.out };
        let name = pair.name(self.out);
        if !KnownNames::are_many(&present) {
            // Nearly always new, which the hashes show faster than the names.
            let part = || self.taken.iter().position(|taken| **taken == *name);
            let is_same = |other: &Pair| other.hash == pair.hash && other.name(self.out) == name;
            let written = self.written.iter().rposition(is_same);
            return written.map(|index| self.taken.len() + index).or_else(part);
        }
        self.known.last_of(&present, name)
    }

    /// Handles a name that the line already has, at this index. Returns whether the pair is to be written; if not, its name has been
    /// removed.
    #[cold]
    fn resolve(&mut self, pair: &mut Pair, index: usize) -> bool {
        match (self.duplicates, index.checked_sub(self.taken.len())) {
            (Duplicates::Suffix, _) => self.add_suffix(pair),
            (Duplicates::Last, Some(index)) => {
                self.written[index].replaced = true;
                self.any_replaced = true;
            }
            (Duplicates::First | Duplicates::Last, _) => {
                self.out.truncate(pair.start);
                return false;
            }
        }
        true
    }

    /// Appends the lowest free number to the name.
    fn add_suffix(&mut self, pair: &mut Pair) {
        let present = Present { taken: self.taken, written: &self.written, out: self.out };
        let number = self.known.free_number(&present, pair.name(self.out));
        self.out.push(b'_');
        number::int(self.out, number);
        pair.name_end = self.out.len();
        pair.hash = hash(pair.name(self.out));
    }

    /// Removes the pairs that later ones have replaced. All at once: to move the rest of the line for each of them would take time that
    /// is quadratic in their number.
    #[cold]
    fn remove_replaced(&mut self) {
        let mut replaced = self.written.iter().filter(|pair| pair.replaced).peekable();
        let mut to = None;
        while let Some(pair) = replaced.next() {
            let to = to.get_or_insert(pair.start);
            let end = replaced.peek().map_or(self.out.len(), |next| next.start);
            self.out.copy_within(pair.end..end, *to);
            *to += end - pair.end;
        }
        if let Some(to) = to {
            self.out.truncate(to);
        }
    }
}

/// The names in a line: those of its own parts, then those of its pairs.
struct Present<'o> {
    taken: &'o [Box<[u8]>],
    written: &'o [Pair],
    out: &'o [u8],
}

impl NameList for Present<'_> {
    fn len(&self) -> usize {
        self.taken.len() + self.written.len()
    }

    fn name(&self, index: usize) -> &[u8] {
        match self.taken.get(index) {
            Some(name) => name,
            None => self.written[index - self.taken.len()].name(self.out),
        }
    }
}

/// Removes the pairs that were replaced, and the last space.
impl Drop for Pairs<'_> {
    fn drop(&mut self) {
        if self.any_replaced {
            self.remove_replaced();
        }
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
    replaced: bool,
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
        let fits = !matches!(char, '=' | '"') && !char.is_control() && !char.is_whitespace() && !is_hidden(char);
        let char = if fits { char } else { '_' };
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// A list that grew beyond this number of pairs is not kept.
const KEEP: usize = 1024;

thread_local! {
    static WRITTEN: Cell<Vec<Pair>> = const { Cell::new(Vec::new()) };
}
