use std::sync::atomic::{AtomicU64, Ordering};

use crate::changes;
use crate::record::Record;

/// What the handler wants, kept per callsite as [`enabled`](crate::Handler::enabled) allows: asked each time it would
/// have to look at the target of each record.
pub(super) struct Wanted([AtomicU64; SLOTS]);

impl Wanted {
    pub(super) fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SLOTS])
    }

    #[inline]
    pub(super) fn look_up(&self, record: &Record<'_>, ask: impl FnOnce() -> bool) -> bool {
        let Some(key) = key(record) else { return ask() };
        let slot = &self.0[(key >> SEVERITY_BITS) as usize % SLOTS];
        let known = slot.load(Ordering::Relaxed);
        if known >> 1 == key & (u64::MAX >> 1) {
            return known & 1 != 0;
        }
        let wanted = ask();
        slot.store(key << 1 | u64::from(wanted), Ordering::Relaxed);
        wanted
    }
}

/// The same for two records exactly if all that is known before their values is the same: never 0. `None` where a record
/// carries some of that itself.
#[inline]
fn key(record: &Record<'_>) -> Option<u64> {
    let callsite = u64::from(record.callsite_of_meta()?.get());
    let epoch = changes::epoch() << EPOCH_SHIFT;
    Some(epoch | callsite << SEVERITY_BITS | u64::from(record.severity().number()))
}

const SEVERITY_BITS: u32 = 8;
/// Above the 17 bits of a callsite; the highest bit is shifted out. It comes round after 2^38 changes.
const EPOCH_SHIFT: u32 = SEVERITY_BITS + 17;

/// Callsites whose answers are kept; others that fall into the same place are asked for again. 1 KiB.
const SLOTS: usize = 128;
