//! The names that are taken in an object, and the replacements for them.

use super::bloom::Bloom;
use crate::format::{escape, number};

/// The names of an object's constant parts, escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<[u8]>>,
    fixed: &'static [&'static [u8]],
    pub(super) bloom: Bloom,
    pub(super) are_paths: bool,
}

impl Names {
    /// Creates a set of exactly these names, which must not need escaping.
    pub(super) const fn fixed(fixed: &'static [&'static [u8]]) -> Self {
        let mut bloom = Bloom::EMPTY;
        let mut index = 0;
        while index < fixed.len() {
            bloom.insert(fixed[index]);
            index += 1;
        }
        Self { names: Vec::new(), fixed, bloom, are_paths: false }
    }

    /// Creates an empty set for an object whose reader treats `a.b` as a member of `a`. No name in it is a path into another name.
    pub(super) fn paths() -> Self {
        Self { are_paths: true, ..Self::default() }
    }

    /// Reserves `name`, or `name` with the next free number if it is taken. Returns the reserved name, escaped.
    pub(super) fn reserve(&mut self, name: &str) -> Vec<u8> {
        let mut escaped = Vec::new();
        escape::json(&mut escaped, name);
        if self.contains(&escaped) {
            let number = free_number(&escaped, self.iter());
            escaped.push(b'_');
            number::int(&mut escaped, number);
        }
        let clashes = |name: &[u8]| self.iter().any(|other| are_nested(name, other));
        if self.are_paths && clashes(&escaped) {
            part_ways(&mut escaped, 0, |_, name| self.contains(name) || clashes(name));
        }
        self.bloom.insert(&escaped);
        self.names.push(escaped.clone().into_boxed_slice());
        escaped
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|other| other == name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(|name| &**name).chain(self.fixed.iter().copied())
    }
}

/// Returns whether one name is a path into the other, such as `a` and `a.b`.
pub(super) fn are_nested(one: &[u8], other: &[u8]) -> bool {
    let is_path = |path: &[u8], whole| path.strip_prefix(whole).is_some_and(|rest| rest.starts_with(b"."));
    is_path(one, other) || is_path(other, one)
}

/// Replaces the dots in the name at the end of `out`, which begins at `start`, and appends a number if the result is taken too.
/// `is_taken` is called with the bytes that precede the name, and the name.
pub(super) fn part_ways(out: &mut Vec<u8>, start: usize, is_taken: impl Fn(&[u8], &[u8]) -> bool) {
    out[start..].iter_mut().filter(|byte| **byte == b'.').for_each(|dot| *dot = b'_');
    let (end, mut number) = (out.len(), 2);
    loop {
        let (before, name) = out.split_at(start);
        if !is_taken(before, name) {
            return;
        }
        out.truncate(end);
        out.push(b'_');
        number::int(out, number);
        number += 1;
    }
}

/// Returns the lowest number, at least 2, for which `name_number` is not among `names`. Checks 64 numbers in one pass over the
/// names, without allocating.
pub(in crate::format) fn free_number<'n>(name: &[u8], names: impl Iterator<Item = &'n [u8]> + Clone) -> usize {
    let mut from = 2;
    loop {
        let numbers = names.clone().filter_map(|other| suffix(name, other)?.checked_sub(from));
        let taken = numbers.filter(|number| *number < 64).fold(0_u64, |taken, number| taken | 1 << number);
        if taken != u64::MAX {
            return from + taken.trailing_ones() as usize;
        }
        from += 64;
    }
}

/// Returns the number in `other` if `other` is `name`, `_` and a number.
fn suffix(name: &[u8], other: &[u8]) -> Option<usize> {
    let digits = other.strip_prefix(name)?.strip_prefix(b"_")?;
    // `a_02` and `a_+2` are not numbered names.
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
