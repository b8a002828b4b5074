use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{lock_until, try_lock};

/// A number per key, for a limited number of keys; a new key replaces the least recently used one.
///
/// Many keys are divided into several parts, each with its own lock and order, so that threads rarely contend.
#[derive(Debug)]
pub(super) struct Keyed(Box<[Part]>);

#[derive(Debug)]
struct Part {
    lru: Mutex<Lru>,
    /// The lock is never released: the process forked while another thread held it.
    is_stuck: AtomicBool,
}

impl Keyed {
    /// Creates a store for `keys` keys, at least 1, and allocates all memory it will ever use.
    pub(super) fn new(keys: usize) -> Self {
        let keys = keys.clamp(1, MAX_KEYS);
        let parts = (keys / KEYS_PER_PART).clamp(1, MAX_PARTS);
        let part = |_| Part { lru: Mutex::new(Lru::new(keys / parts)), is_stuck: AtomicBool::new(false) };
        Self((0..parts).map(part).collect())
    }

    /// Replaces the number of `key`, initially 0, as `step` says.
    pub(super) fn step(&self, key: u64, step: impl FnOnce(u64) -> (u64, bool)) -> bool {
        // The upper half: the map uses the lower.
        let part = &self.0[(key >> 32) as usize % self.0.len()];
        part.with(|lru| {
            let number = lru.number_of(key);
            let (after, passes) = step(*number);
            *number = after;
            passes
        })
    }
}

impl Part {
    /// If the lock cannot be taken, the record passes: a forked child must not wait for it.
    fn with(&self, change: impl FnOnce(&mut Lru) -> bool) -> bool {
        let lru = try_lock(&self.lru).or_else(|| {
            let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { PATIENCE };
            lock_until(&self.lru, Instant::now() + patience)
        });
        self.is_stuck.store(lru.is_none(), Ordering::Relaxed);
        lru.is_none_or(|mut lru| change(&mut lru))
    }
}

/// The numbers, and the order in which they were used.
#[derive(Debug)]
struct Lru {
    places: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    /// A ring: each entry links to the one used after it and the one before.
    entries: Vec<Entry>,
    newest: u32,
    keys: usize,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    number: u64,
    newer: u32,
    older: u32,
}

impl Lru {
    fn new(keys: usize) -> Self {
        // Twice the keys: a map that is at most half full rehashes in place and never grows.
        let places = HashMap::with_capacity_and_hasher(2 * keys, BuildHasherDefault::default());
        Self { places, entries: Vec::with_capacity(keys), newest: 0, keys }
    }

    fn number_of(&mut self, key: u64) -> &mut u64 {
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.put(key),
        };
        self.make_newest(place);
        &mut self.entries[place as usize].number
    }

    #[cold]
    fn put(&mut self, key: u64) -> u32 {
        let place = match self.entries.len() {
            known if known < self.keys => self.add(key),
            _ => self.replace_oldest(key),
        };
        self.places.insert(key, place);
        place
    }

    fn add(&mut self, key: u64) -> u32 {
        let place = self.entries.len() as u32;
        self.entries.push(Entry { key, number: 0, newer: place, older: place });
        if place > 0 {
            self.link_behind_newest(place);
        }
        place
    }

    fn replace_oldest(&mut self, key: u64) -> u32 {
        let place = self.entries[self.newest as usize].newer;
        let oldest = &mut self.entries[place as usize];
        self.places.remove(&oldest.key);
        (oldest.key, oldest.number) = (key, 0);
        place
    }

    fn make_newest(&mut self, place: u32) {
        if self.newest == place {
            return;
        }
        let Entry { newer, older, .. } = self.entries[place as usize];
        self.entries[newer as usize].older = older;
        self.entries[older as usize].newer = newer;
        self.link_behind_newest(place);
        self.newest = place;
    }

    /// Links an entry between the newest and, because it is a ring, the oldest.
    fn link_behind_newest(&mut self, place: u32) {
        let oldest = self.entries[self.newest as usize].newer;
        self.entries[place as usize].older = self.newest;
        self.entries[place as usize].newer = oldest;
        self.entries[self.newest as usize].newer = place;
        self.entries[oldest as usize].older = place;
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

const KEYS_PER_PART: usize = 256;
const MAX_PARTS: usize = 16;
const MAX_KEYS: usize = 1 << 30;
/// The lock is held for nanoseconds at a time. If it is not released within this time, it never will be.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `key` and returns the count before.
    fn count(keyed: &Keyed, key: u64) -> u64 {
        let before = std::cell::Cell::new(0);
        keyed.step(key, |number| {
            before.set(number);
            (number + 1, true)
        });
        before.get()
    }

    #[test]
    fn the_least_recently_used_key_is_replaced() {
        let keyed = Keyed::new(2);
        assert_eq!([1, 2, 1, 3].map(|key| count(&keyed, key)), [0, 0, 1, 0]);
        assert_eq!([1, 2].map(|key| count(&keyed, key)), [2, 0], "2 made room for 3, then 3 for 2");
        assert_eq!(count(&keyed, 3), 0);
    }

    #[test]
    fn it_replaces_the_same_keys_as_an_ordered_list() {
        let mut random = 7_u64;
        for keys in [1, 2, 3, 10] {
            let keyed = Keyed::new(keys);
            let mut known: Vec<(u64, u64)> = Vec::new();
            for _ in 0..5_000 {
                random = hash(random);
                let key = random % 15;
                let expected = match known.iter().position(|(known, _)| *known == key) {
                    Some(at) => known.remove(at).1,
                    None => 0,
                };
                known.push((key, expected + 1));
                if known.len() > keys {
                    known.remove(0);
                }
                assert_eq!(count(&keyed, key), expected, "{keys} keys, key {key}");
            }
        }
    }

    fn hash(number: u64) -> u64 {
        crate::filter::hash::spread(number.wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn parts_hold_no_more_than_their_keys_and_do_not_grow() {
        let keyed = Keyed::new(1_000);
        let capacity = |keyed: &Keyed| -> Vec<_> {
            keyed.0.iter().map(|part| crate::sync::lock(&part.lru).places.capacity()).collect()
        };
        let before = capacity(&keyed);
        for number in 0..100_000 {
            count(&keyed, hash(number));
        }
        // Removed keys occupy space until the map rehashes; a map that had grown would have a larger capacity.
        assert!(capacity(&keyed).iter().zip(before).all(|(after, before)| *after <= before));
        let held: usize = keyed.0.iter().map(|part| crate::sync::lock(&part.lru).places.len()).sum();
        assert_eq!(held, 999, "three parts of 333");
    }

    #[test]
    fn with_a_lock_that_is_never_released_records_pass() {
        let keyed = Keyed::new(1);
        let guard = crate::sync::lock(&keyed.0[0].lru);
        keyed.0[0].is_stuck.store(true, Ordering::Relaxed);
        assert!(keyed.step(1, |number| (number, false)));
        drop(guard);
        assert!(!keyed.step(1, |number| (number, false)));
        assert!(!keyed.0[0].is_stuck.load(Ordering::Relaxed));
    }
}
