use std::sync::atomic::{AtomicU64, Ordering};

use crate::filter::hash;

/// A number per callsite, without a lock. There are as many callsites as the program has log calls, so none is ever given up.
#[derive(Debug)]
pub(super) struct Slots(Box<[Slot]>);

#[derive(Debug, Default)]
struct Slot {
    /// Whose it is; 0: nobody's.
    key: AtomicU64,
    value: AtomicU64,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| Slot::default()).collect())
    }

    /// The number of `key`, which is not 0. Where the table is full around its place it shares another's.
    pub(super) fn of(&self, key: u64) -> &AtomicU64 {
        let start = hash::spread(key) as usize;
        let slot = |step: usize| &self.0[start.wrapping_add(step) % SLOTS];
        for slot in (0..PROBES).map(slot) {
            let owner = match slot.key.load(Ordering::Relaxed) {
                0 => slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|now| now),
                owner => owner,
            };
            // 0: it was free, and is taken now.
            if owner == key || owner == 0 {
                return &slot.value;
            }
        }
        &slot(PROBES).value
    }
}

/// 64 KiB.
const SLOTS: usize = 4_096;
/// So many places are tried.
const PROBES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_two_thousand_keys_has_a_number_of_its_own() {
        let slots = Slots::new();
        for round in 1..=3 {
            for key in 1..=2_000 {
                assert_eq!(slots.of(key).fetch_add(1, Ordering::Relaxed), round - 1, "{key}");
            }
        }
    }

    #[test]
    fn more_keys_than_there_are_places_share_some() {
        let slots = Slots::new();
        for key in 1..=3 * SLOTS as u64 {
            slots.of(key).fetch_add(1, Ordering::Relaxed);
        }
        let counted: u64 = slots.0.iter().map(|slot| slot.value.load(Ordering::Relaxed)).sum();
        assert_eq!(counted, 3 * SLOTS as u64);
    }
}
