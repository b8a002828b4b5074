use std::sync::atomic::{AtomicU64, Ordering};

use super::Handler;
use crate::changes;
use crate::record::Record;

/// Caches what a handler wants per callsite, as [`enabled`](Handler::enabled) allows. Asking it for each record would mean
/// inspecting the record's target and visiting every handler behind it.
pub(super) struct Wanted([AtomicU64; SLOTS]);

impl Wanted {
    pub(super) fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SLOTS])
    }

    /// Whether `handler`, which must always be the same one, wants this record.
    #[inline]
    pub(super) fn wants(&self, handler: &(impl Handler + ?Sized), record: &Record<'_>) -> bool {
        self.look_up(record, || ask(handler, record))
    }

    #[inline]
    pub(super) fn look_up(&self, record: &Record<'_>, ask: impl FnOnce() -> bool) -> bool {
        let Some(key) = key(record) else { return ask() };
        let slot = &self.0[(key >> CALLSITE_SHIFT) as usize % SLOTS];
        let known = slot.load(Ordering::Relaxed);
        if known >> 1 == key & (u64::MAX >> 1) {
            return known & 1 != 0;
        }
        let wanted = ask();
        slot.store(key << 1 | u64::from(wanted), Ordering::Relaxed);
        wanted
    }
}

/// Asks `handler` itself.
pub(super) fn ask(handler: &(impl Handler + ?Sized), record: &Record<'_>) -> bool {
    let kind = record.kind();
    (!kind.is_of_span() || handler.span_events().takes(kind)) && handler.enabled(&record.meta())
}

/// Returns a key that is equal for two records exactly if all that is known about them before their values is equal; never 0.
/// Returns `None` if a record carries some of that itself.
#[inline]
fn key(record: &Record<'_>) -> Option<u64> {
    let callsite = u64::from(record.callsite_of_meta()?.get());
    let epoch = changes::epoch() << EPOCH_SHIFT;
    let kind = (record.kind() as u64) << KIND_SHIFT;
    Some(epoch | callsite << CALLSITE_SHIFT | kind | u64::from(record.severity().number()))
}

/// Above the 5 bits of a severity,
const KIND_SHIFT: u32 = 5;
/// the 3 bits of a kind,
const CALLSITE_SHIFT: u32 = 8;
/// and the 17 bits of a callsite; the highest bit is shifted out. It repeats after 2^38 changes.
const EPOCH_SHIFT: u32 = CALLSITE_SHIFT + 17;

/// The callsites whose answers are kept; others that share a slot are asked for again. 1 KiB.
const SLOTS: usize = 128;
