use std::sync::atomic::{AtomicU64, Ordering};

use crate::filter::hash;

/// A number per callsite, without a lock. Their number is limited by the size of the program, so none is ever removed.
#[derive(Debug)]
pub(super) struct Slots(Box<[Slot]>);

#[derive(Debug, Default)]
struct Slot {
    /// The key that owns the slot; 0 if it is free.
    key: AtomicU64,
    value: AtomicU64,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| Slot::default()).collect())
    }

    /// Returns the number of `key`, which must not be 0. If the table is full around its place, it shares another key's.
    pub(super) fn of(&self, key: u64) -> &AtomicU64 {
        let start = hash::spread(key) as usize;
        let slot = |step: usize| &self.0[start.wrapping_add(step) % SLOTS];
        for slot in (0..PROBES).map(slot) {
            let owner = match slot.key.load(Ordering::Relaxed) {
                0 => slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|now| now),
                owner => owner,
            };
            // 0: it was free and is now taken.
            if owner == key || owner == 0 {
                return &slot.value;
            }
        }
        &slot(PROBES).value
    }
}

/// 64 KiB.
const SLOTS: usize = 4_096;
/// How many slots are tried.
const PROBES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thousand_keys_have_separate_numbers() {
        let slots = Slots::new();
        for round in 1..=3 {
            for key in 1..=2_000 {
                assert_eq!(slots.of(key).fetch_add(1, Ordering::Relaxed), round - 1, "{key}");
            }
        }
    }

    #[test]
    fn more_keys_than_slots_share_some() {
        let slots = Slots::new();
        for key in 1..=3 * SLOTS as u64 {
            slots.of(key).fetch_add(1, Ordering::Relaxed);
        }
        let counted: u64 = slots.0.iter().map(|slot| slot.value.load(Ordering::Relaxed)).sum();
        assert_eq!(counted, 3 * SLOTS as u64);
    }
}
