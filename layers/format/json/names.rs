//! The names that are taken in an object, and the replacements for them.

use super::bloom::Bloom;
use crate::format::known_names::{are_nested, free_number, free_path, without_dots};
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
        self.reserve_as(name, self.are_paths)
    }

    /// Like [`reserve`](Self::reserve), but the name may be a path into another one, or another one a path into it.
    pub(super) fn reserve_as_no_path(&mut self, name: &str) -> Vec<u8> {
        self.reserve_as(name, false)
    }

    fn reserve_as(&mut self, name: &str, is_path: bool) -> Vec<u8> {
        let mut escaped = Vec::new();
        escape::json(&mut escaped, name);
        if self.contains(&escaped) {
            let number = free_number(&escaped, self.iter());
            put_number(&mut escaped, number);
        }
        if is_path && self.iter().any(|other| are_nested(&escaped, other)) {
            without_dots(&mut escaped);
            if let Some(number) = free_path(&escaped, self.iter()) {
                put_number(&mut escaped, number);
            }
        }
        self.bloom.insert(&escaped);
        self.names.push(escaped.clone().into_boxed_slice());
        escaped
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|other| other == name)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len() + self.fixed.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        match self.names.get(index) {
            Some(name) => Some(name),
            None => self.fixed.get(index - self.names.len()).copied(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(|name| &**name).chain(self.fixed.iter().copied())
    }
}

/// Appends `_` and the number to the name at the end of `out`.
pub(super) fn put_number(out: &mut Vec<u8>, number: usize) {
    out.push(b'_');
    number::int(out, number);
}
