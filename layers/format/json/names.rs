//! Names that are taken in an object, and what a name becomes that is taken.

use super::bloom::Bloom;
use crate::format::{escape, number};

/// The names that an object's constant parts have, escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<[u8]>>,
    fixed: &'static [&'static [u8]],
    pub(super) bloom: Bloom,
    pub(super) are_paths: bool,
}

impl Names {
    /// Only these, which want no escaping.
    pub(super) const fn fixed(fixed: &'static [&'static [u8]]) -> Self {
        let mut bloom = Bloom::EMPTY;
        let mut index = 0;
        while index < fixed.len() {
            bloom.insert(fixed[index]);
            index += 1;
        }
        Self { names: Vec::new(), fixed, bloom, are_paths: false }
    }

    /// For an object whose reader takes `a.b` for a member of `a`: no name in it is a path into another one.
    pub(super) fn paths() -> Self {
        Self { are_paths: true, ..Self::default() }
    }

    /// Takes `name`, or where that is taken the next one with a number. Escaped, as it is to be written.
    pub(super) fn reserve(&mut self, name: &str) -> Vec<u8> {
        let mut escaped = Vec::new();
        escape::json(&mut escaped, name);
        if self.contains(&escaped) {
            let number = free_number(&escaped, self.iter());
            escaped.push(b'_');
            number::int(&mut escaped, number);
        }
        if self.are_paths {
            self.part_ways(&mut escaped);
        }
        self.bloom.insert(&escaped);
        self.names.push(escaped.clone().into_boxed_slice());
        escaped
    }

    /// As [`Writer::rename_clashing`].
    fn part_ways(&self, name: &mut Vec<u8>) {
        let clashes = |name: &[u8]| self.iter().any(|other| is_path_into(name, other) || is_path_into(other, name));
        if !clashes(name) {
            return;
        }
        name.iter_mut().filter(|byte| **byte == b'.').for_each(|dot| *dot = b'_');
        let (end, mut number) = (name.len(), 2);
        while self.contains(name) || clashes(name) {
            name.truncate(end);
            name.push(b'_');
            number::int(name, number);
            number += 1;
        }
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|other| other == name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(|name| &**name).chain(self.fixed.iter().copied())
    }
}

/// Whether `path` is `whole`, a dot, and more.
pub(super) fn is_path_into(path: &[u8], whole: &[u8]) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.first() == Some(&b'.'))
}

/// The least number from 2 on with which `name` is not among `names`. Looks at 64 numbers in one walk over the names, so
/// that nothing is allocated.
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

/// The number behind `name` and `_` in `other`, if that is what `other` is.
fn suffix(name: &[u8], other: &[u8]) -> Option<usize> {
    let digits = other.strip_prefix(name)?.strip_prefix(b"_")?;
    // `a_02` and `a_+2` are not what number 2 looks like.
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
