//! The state of filters that count: one number, or one per callsite or key.

mod keyed;
mod slots;

use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};

use self::keyed::Keyed;
use self::slots::Slots;
use super::{Place, hash};
use crate::record::{Record, Value};

/// A number for each group of records that is counted separately, initially 0.
#[derive(Debug)]
pub(super) struct Cells {
    per: Per,
    cells: CellStore,
}

/// Which records are counted together.
#[derive(Clone, Debug)]
pub(super) enum Per {
    All,
    Callsite,
    /// Severity and message.
    Message,
    /// Those with the same value at this place, and those without one.
    Value(Place),
}

#[derive(Debug)]
enum CellStore {
    One(AtomicU64),
    Callsites(Slots),
    Keys(Keyed, RandomState),
}

impl Cells {
    /// `keys` is the maximum number of values that are distinguished.
    pub(super) fn new(per: Per, keys: usize) -> Self {
        let cells = match per {
            Per::All => CellStore::One(AtomicU64::new(0)),
            Per::Callsite => CellStore::Callsites(Slots::new()),
            Per::Message | Per::Value(_) => CellStore::Keys(Keyed::new(keys), RandomState::new()),
        };
        Self { per, cells }
    }

    pub(super) fn per(&self) -> &Per {
        &self.per
    }

    /// Replaces the number of this record's group as `step` says, and returns its decision. `step` may be called several times.
    #[inline]
    pub(super) fn step(&self, record: &Record<'_>, step: impl Fn(u64) -> (u64, bool)) -> bool {
        match &self.cells {
            CellStore::One(cell) => step_atomic(cell, step),
            CellStore::Callsites(slots) => step_atomic(slots.of(hash::callsite(record)), step),
            CellStore::Keys(keyed, state) => keyed.step(self.key(state, record), step),
        }
    }

    fn key(&self, state: &RandomState, record: &Record<'_>) -> u64 {
        match &self.per {
            Per::Message => {
                let severity = u64::from(record.severity().number());
                hash::keyed(state, Value::Str(record.message())) ^ hash::spread(severity)
            }
            Per::Value(place) => place.value(record).map_or(NO_VALUE, |value| hash::keyed(state, value)),
            Per::All | Per::Callsite => NO_VALUE,
        }
    }
}

fn step_atomic(cell: &AtomicU64, step: impl Fn(u64) -> (u64, bool)) -> bool {
    let mut before = cell.load(Ordering::Relaxed);
    loop {
        let (after, passes) = step(before);
        match cell.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return passes,
            Err(now) => before = now,
        }
    }
}

const NO_VALUE: u64 = 0;
