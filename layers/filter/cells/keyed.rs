use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{lock_until, try_lock};

/// A number per key, for so many keys; the one that was not asked for the longest makes room for a new one.
///
/// Many keys lie in several parts, each with a lock and an order of its own, so that threads seldom meet.
#[derive(Debug)]
pub(super) struct Keyed(Box<[Part]>);

#[derive(Debug)]
struct Part {
    lru: Mutex<Lru>,
    /// Nobody gives the lock back: the process forked while another thread had it.
    is_stuck: AtomicBool,
}

impl Keyed {
    /// For `keys` keys, at least 1. All memory that it will ever have.
    pub(super) fn new(keys: usize) -> Self {
        let keys = keys.clamp(1, MAX_KEYS);
        let parts = (keys / KEYS_PER_PART).clamp(1, MAX_PARTS);
        let part = |_| Part { lru: Mutex::new(Lru::new(keys / parts)), is_stuck: AtomicBool::new(false) };
        Self((0..parts).map(part).collect())
    }

    /// Replaces the number of `key`, at first 0, as `step` says.
    pub(super) fn step(&self, key: u64, step: impl FnOnce(u64) -> (u64, bool)) -> bool {
        // The upper half: the map goes by the lower.
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
    /// Where the lock is not to be had the record passes: it must not be waited for in a forked child.
    fn with(&self, change: impl FnOnce(&mut Lru) -> bool) -> bool {
        let lru = try_lock(&self.lru).or_else(|| {
            let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { PATIENCE };
            lock_until(&self.lru, Instant::now() + patience)
        });
        self.is_stuck.store(lru.is_none(), Ordering::Relaxed);
        lru.is_none_or(|mut lru| change(&mut lru))
    }
}

/// The numbers, and the order in which they were asked for.
#[derive(Debug)]
struct Lru {
    places: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    /// A ring: each knows the one asked for after it and the one before.
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
        // Twice the keys: a map at most half full tidies up in place, and never grows.
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

    /// Between the newest and, as it is a ring, the oldest.
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
struct AsItIs(u64);

impl Hasher for AsItIs {
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
/// The lock is held for some nanoseconds at a time. Whoever has not given it back after this never will.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `key`, and tells what was counted before.
    fn count(keyed: &Keyed, key: u64) -> u64 {
        let before = std::cell::Cell::new(0);
        keyed.step(key, |number| {
            before.set(number);
            (number + 1, true)
        });
        before.get()
    }

    #[test]
    fn the_key_not_asked_for_the_longest_is_forgotten() {
        let keyed = Keyed::new(2);
        assert_eq!([1, 2, 1, 3].map(|key| count(&keyed, key)), [0, 0, 1, 0]);
        assert_eq!([1, 2].map(|key| count(&keyed, key)), [2, 0], "2 made room for 3, then 3 for 2");
        assert_eq!(count(&keyed, 3), 0);
    }

    #[test]
    fn it_forgets_exactly_what_a_list_in_order_forgets() {
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
        // What was taken out still takes room until it is tidied up; a map that had grown would have more.
        assert!(capacity(&keyed).iter().zip(before).all(|(after, before)| *after <= before));
        let held: usize = keyed.0.iter().map(|part| crate::sync::lock(&part.lru).places.len()).sum();
        assert_eq!(held, 999, "three parts of 333");
    }

    #[test]
    fn a_lock_that_is_never_given_back_lets_records_pass() {
        let keyed = Keyed::new(1);
        let guard = crate::sync::lock(&keyed.0[0].lru);
        keyed.0[0].is_stuck.store(true, Ordering::Relaxed);
        assert!(keyed.step(1, |number| (number, false)));
        drop(guard);
        assert!(!keyed.step(1, |number| (number, false)));
        assert!(!keyed.0[0].is_stuck.load(Ordering::Relaxed));
    }
}
