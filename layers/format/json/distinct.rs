use std::sync::atomic::{AtomicU8, Ordering};

use super::object::{Names, SPAN_NAMES};
use crate::record::Callsite;

/// Of which callsites it is known that their fields cannot collide, with one another or with the names that are taken in
/// their object: those need no watching. Found out once per callsite.
#[derive(Debug)]
pub(super) struct Distinct(Box<[AtomicU8]>);

impl Distinct {
    /// `taken`: the names that are taken where an event's fields go. It must be the same each time; those of spans are
    /// always the same.
    #[inline]
    pub(super) fn holds(&self, callsite: Option<&Callsite>, taken: &Names) -> bool {
        let Some(callsite) = callsite else { return false };
        let Some(verdict) = self.0.get(callsite.id() as usize) else { return false };
        match verdict.load(Ordering::Relaxed) {
            UNKNOWN => find_out(callsite, taken, verdict),
            known => known == DISTINCT,
        }
    }
}

#[cold]
fn find_out(callsite: &Callsite, taken: &Names, verdict: &AtomicU8) -> bool {
    let is_span = callsite.metadata().is_span();
    let taken = if is_span { &SPAN_NAMES } else { taken };
    let keys =
        callsite.keys().iter().enumerate().filter(|(index, _)| is_span || callsite.message() != Some(*index as u8));
    let keys: Vec<_> = keys.map(|(_, key)| key).collect();
    let distinct = keys.iter().enumerate().all(|(index, key)| {
        let name = key.name();
        key.json().is_some()
            && !taken.contains(name.as_bytes())
            && keys[..index].iter().all(|before| before.name() != name)
    });
    verdict.store(if distinct { DISTINCT } else { WATCHED }, Ordering::Relaxed);
    distinct
}

impl Default for Distinct {
    fn default() -> Self {
        Self((0..CALLSITES).map(|_| AtomicU8::new(UNKNOWN)).collect())
    }
}

/// What the original knows is soon known again.
impl Clone for Distinct {
    fn clone(&self) -> Self {
        Self::default()
    }
}

const UNKNOWN: u8 = 0;
const DISTINCT: u8 = 1;
const WATCHED: u8 = 2;

/// Those beyond are watched.
const CALLSITES: usize = 4096;
