//! The names in an object or a line, found in constant time however many there are.
//!
//! Names can come from strangers: the keys of a nested value, a field that each level of a recursion adds. A few names are compared
//! one by one, which costs the least; more of them are put into a hash table with secret keys. Every question then takes time that
//! is linear in the length of the name, so that a whole line takes time that is linear in its length.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher, RandomState};
use std::sync::LazyLock;

use super::number;

/// A list of names, to whose end names are added.
pub(super) trait NameList {
    fn len(&self) -> usize;

    fn name(&self, index: usize) -> &[u8];

    /// Returns the index of the last name that equals `name`.
    fn last_of(&self, name: &[u8]) -> Option<usize> {
        count_work(self.len());
        (0..self.len()).rev().find(|index| self.name(*index) == name)
    }
}

/// What is known about the names in a list. It must always be asked about the same list.
#[derive(Default)]
pub(super) struct KnownNames(Option<Box<Index>>);

impl KnownNames {
    /// Returns the index of the last name that equals `name`.
    pub(super) fn last_of(&mut self, list: &impl NameList, name: &[u8]) -> Option<usize> {
        match self.index(list) {
            None => list.last_of(name),
            Some(index) => index.last_of(list, name, hash(name)),
        }
    }

    /// Returns the lowest number, at least 2, for which `name_number` is not in the list.
    pub(super) fn free_number(&mut self, list: &impl NameList, name: &[u8]) -> usize {
        match self.index(list) {
            None => {
                count_work(list.len());
                free_number(name, (0..list.len()).map(|index| list.name(index)))
            }
            Some(index) => {
                index.free_number(name, hash(name), |index, name, hash| index.last_of(list, name, hash).is_some())
            }
        }
    }

    /// Returns whether `name` is a path into a name of the list, or a name of the list is a path into `name`: `a` and `a.b`.
    pub(super) fn clashes(&mut self, list: &impl NameList, name: &[u8]) -> bool {
        match self.index(list) {
            None => {
                count_work(list.len());
                (0..list.len()).any(|index| are_nested(name, list.name(index)))
            }
            Some(index) => index.clashes(list, name),
        }
    }

    /// Returns the lowest number, at least 2, for which `name_number` neither is in the list nor [clashes](Self::clashes); `None` if
    /// `name` itself is free. There must be no dot in `name`.
    pub(super) fn free_path(&mut self, list: &impl NameList, name: &[u8]) -> Option<usize> {
        match self.index(list) {
            None => {
                count_work(list.len());
                free_path(name, (0..list.len()).map(|index| list.name(index)))
            }
            Some(index) => {
                let hash = hash(name);
                let is_taken = |index: &Index, name: &[u8], hash| {
                    index.last_of(list, name, hash).is_some() || index.is_entered(list, name, hash)
                };
                is_taken(index, name, hash).then(|| index.free_number(name, hash ^ PATHS, is_taken))
            }
        }
    }

    /// Returns whether there are so many names that they are no longer compared one by one.
    #[inline]
    pub(super) fn are_many(list: &impl NameList) -> bool {
        list.len() > FEW
    }

    /// Returns the index, up to date, if there are enough names for one.
    #[inline]
    fn index(&mut self, list: &impl NameList) -> Option<&mut Index> {
        if !Self::are_many(list) {
            return None;
        }
        let index = self.0.get_or_insert_with(Index::take);
        index.catch_up(list);
        Some(index)
    }
}

/// Keeps the index for the next list of this thread.
impl Drop for KnownNames {
    #[inline]
    fn drop(&mut self) {
        if let Some(index) = self.0.take() {
            index.give();
        }
    }
}

/// The indices of names, by their hashes.
#[derive(Default)]
struct Index {
    /// The last name with this hash.
    names: Hashed,
    /// A name that is a path into the one with this hash: for `a.b.c`, under the hashes of `a` and `a.b`.
    paths: Hashed,
    /// For the name with this hash, a number below which none is free.
    numbers: Hashed,
    /// The number of names of the list that are in the index.
    entered: usize,
    /// For candidates.
    scratch: Vec<u8>,
}

impl Index {
    fn catch_up(&mut self, list: &impl NameList) {
        for at in self.entered..list.len() {
            count_work(1);
            let paths = &mut self.paths;
            let hash = each_path(list.name(at), |_, hash| {
                paths.insert(hash, at);
            });
            self.names.insert(hash, at);
        }
        self.entered = list.len();
    }

    fn last_of(&self, list: &impl NameList, name: &[u8], hash: u64) -> Option<usize> {
        count_work(1);
        let at = *self.names.get(&hash)?;
        // Two names with one hash are improbable, but possible.
        if list.name(at) == name { Some(at) } else { list.last_of(name) }
    }

    /// Returns whether a name of the list is a path into `name`.
    fn is_entered(&self, list: &impl NameList, name: &[u8], hash: u64) -> bool {
        count_work(1);
        let Some(at) = self.paths.get(&hash) else { return false };
        is_path(list.name(*at), name) || (0..list.len()).any(|at| is_path(list.name(at), name))
    }

    fn clashes(&self, list: &impl NameList, name: &[u8]) -> bool {
        let mut clashes = false;
        let hash = each_path(name, |whole, hash| {
            clashes = clashes || self.last_of(list, &name[..whole], hash).is_some();
        });
        clashes || self.is_entered(list, name, hash)
    }

    /// `key` is what the number is remembered by. Each number that is found to be taken belongs to another name of the list, so all
    /// searches together take no more steps than there are names and searches.
    fn free_number(&mut self, name: &[u8], key: u64, is_taken: impl Fn(&Self, &[u8], u64) -> bool) -> usize {
        let mut number = self.numbers.get(&key).copied().unwrap_or(2);
        let mut candidate = std::mem::take(&mut self.scratch);
        candidate.clear();
        candidate.extend_from_slice(name);
        loop {
            candidate.truncate(name.len());
            candidate.push(b'_');
            number::int(&mut candidate, number);
            if !is_taken(self, &candidate, hash(&candidate)) {
                break;
            }
            number += 1;
        }
        self.scratch = candidate;
        self.numbers.insert(key, number);
        number
    }

    /// Returns an empty index, reusing the thread's if it is free.
    #[cold]
    fn take() -> Box<Self> {
        INDEX.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    #[cold]
    fn give(mut self: Box<Self>) {
        if [&self.names, &self.paths, &self.numbers].iter().any(|map| map.capacity() > KEEP) {
            return;
        }
        [&mut self.names, &mut self.paths, &mut self.numbers].into_iter().for_each(HashMap::clear);
        self.entered = 0;
        // A thread that is ending keeps nothing.
        let _ = INDEX.try_with(|kept| kept.set(Some(self)));
    }
}

/// Calls `take` with the length and the hash of the part before each dot. Returns the hash of the whole name.
fn each_path(name: &[u8], mut take: impl FnMut(usize, u64)) -> u64 {
    let mut hasher: DefaultHasher = SECRET.build_hasher();
    let mut start = 0;
    for (dot, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'.') {
        hasher.write(&name[start..dot]);
        take(dot, hasher.finish());
        start = dot;
    }
    hasher.write(&name[start..]);
    hasher.finish()
}

fn hash(name: &[u8]) -> u64 {
    each_path(name, |_, _| {})
}

/// Returns whether one name is a path into the other, such as `a` and `a.b`.
pub(super) fn are_nested(one: &[u8], other: &[u8]) -> bool {
    is_path(one, other) || is_path(other, one)
}

fn is_path(path: &[u8], whole: &[u8]) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.starts_with(b"."))
}

/// Returns the lowest number, at least 2, for which `name_number` neither is among `names` nor is [nested](are_nested) with one of them;
/// `None` if `name` itself is free. There must be no dot in `name`.
pub(super) fn free_path<'n>(name: &[u8], names: impl Iterator<Item = &'n [u8]> + Clone) -> Option<usize> {
    // A path into a name without dots begins with that name.
    let firsts = names.filter_map(|other| other.split(|byte| *byte == b'.').next());
    firsts.clone().any(|first| first == name).then(|| free_number(name, firsts))
}

/// Replaces the dots in `name`.
pub(super) fn without_dots(name: &mut [u8]) {
    name.iter_mut().filter(|byte| **byte == b'.').for_each(|dot| *dot = b'_');
}

/// Returns the lowest number, at least 2, for which `name_number` is not among `names`. Checks 64 numbers in one pass over the
/// names, without allocating.
pub(super) fn free_number<'n>(name: &[u8], names: impl Iterator<Item = &'n [u8]> + Clone) -> usize {
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

/// By a hash, which is not hashed again.
type Hashed = HashMap<u64, usize, BuildHasherDefault<AsIs>>;

#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The keys of the hashes, unknown to those who choose names.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Up to this number of names, they are compared one by one.
const FEW: usize = 48;
/// An index for more names is not kept.
const KEEP: usize = 4096;
/// Distinguishes the numbers of paths from those of names.
const PATHS: u64 = 1;

thread_local! {
    static INDEX: Cell<Option<Box<Index>>> = const { Cell::new(None) };
}

/// Counts the names that are looked at, for tests.
#[cfg(test)]
fn count_work(names: usize) {
    WORK.with(|work| work.set(work.get() + names));
}

#[cfg(not(test))]
#[inline(always)]
fn count_work(_: usize) {}

#[cfg(test)]
thread_local! {
    static WORK: Cell<usize> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests;
