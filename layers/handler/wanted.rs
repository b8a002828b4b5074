use std::sync::atomic::{AtomicU64, Ordering};

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
        if known >> 1 == key {
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
    Some(callsite << SEVERITY_BITS | u64::from(record.severity().number()))
}

const SEVERITY_BITS: u32 = 8;

/// Callsites whose answers are kept; others that fall into the same place are asked for again. 1 KiB.
const SLOTS: usize = 128;
