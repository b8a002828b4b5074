//! Lets a nested value notify the capture that what it has just written is JSON, since a visitor receives only a `Debug`.

use std::cell::Cell;

/// Identifies a text: by length alone, another text of the same length would be taken for JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    len: usize,
    /// 64-bit FNV-1a.
    hash: u64,
}

impl Mark {
    pub(super) const NOTHING: Self = Self { len: 0, hash: 0xcbf2_9ce4_8422_2325 };

    /// Returns the mark of the text with these bytes appended.
    pub(super) fn with(self, bytes: &[u8]) -> Self {
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self { len: self.len + bytes.len(), hash: bytes.iter().fold(self.hash, hash) }
    }
}

/// Clears the noted mark.
#[inline]
pub(super) fn clear() {
    note(Mark::NOTHING);
}

/// Notes that JSON with this mark has been written on this thread.
#[inline]
pub(super) fn note(mark: Mark) {
    // On a thread that is ending, a nested value becomes a text.
    let _ = NOTED.try_with(|noted| noted.set(mark));
}

/// Whether this text is exactly one nested value.
#[inline]
pub(super) fn is_all_of(text: &[u8]) -> bool {
    let noted = NOTED.try_with(Cell::get).unwrap_or(Mark::NOTHING);
    !text.is_empty() && noted.len == text.len() && noted == Mark::NOTHING.with(text)
}

thread_local! {
    static NOTED: Cell<Mark> = const { Cell::new(Mark::NOTHING) };
}
