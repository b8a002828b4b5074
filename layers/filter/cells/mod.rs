//! The state of filters that count: one number, or one for each callsite or key.

mod keyed;
mod slots;

use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};

use self::keyed::Keyed;
use self::slots::Slots;
use super::{Place, hash};
use crate::record::{Record, Value};

/// A number for each thing that is counted by itself, at first 0.
#[derive(Debug)]
pub(super) struct Cells {
    per: Per,
    cells: Store,
}

/// What is counted by itself.
#[derive(Clone, Debug)]
pub(super) enum Per {
    All,
    Callsite,
    /// Severity and message.
    Message,
    /// The value there; records that have none are counted together.
    Value(Place),
}

#[derive(Debug)]
enum Store {
    One(AtomicU64),
    Callsites(Slots),
    Keys(Keyed, RandomState),
}

impl Cells {
    /// `keys`: how many values are told apart at most.
    pub(super) fn new(per: Per, keys: usize) -> Self {
        let cells = match per {
            Per::All => Store::One(AtomicU64::new(0)),
            Per::Callsite => Store::Callsites(Slots::new()),
            Per::Message | Per::Value(_) => Store::Keys(Keyed::new(keys), RandomState::new()),
        };
        Self { per, cells }
    }

    pub(super) fn per(&self) -> &Per {
        &self.per
    }

    /// Goes on from what was counted for this record's like, and says what `step` says of it. `step` may be asked several
    /// times.
    #[inline]
    pub(super) fn step(&self, record: &Record<'_>, step: impl Fn(u64) -> (u64, bool)) -> bool {
        match &self.cells {
            Store::One(cell) => step_atomic(cell, step),
            Store::Callsites(slots) => step_atomic(slots.of(hash::callsite(record)), step),
            Store::Keys(keyed, state) => keyed.step(self.key(state, record), step),
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
