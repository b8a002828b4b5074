//! What handlers want can change: a switch is set, handlers are swapped. Code that caches answers is told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Weak};

use crate::sync::lock;

/// Caches what handlers want, and asks them again when it is told to.
pub(crate) trait Watch: Send + Sync {
    fn ask_again(&self);
}

/// Tells `watcher` of changes. Keeps only a weak reference.
pub(crate) fn watch(watcher: Weak<dyn Watch>) {
    let mut all = lock(&WATCHERS);
    all.retain(|known| known.strong_count() > 0);
    all.push(watcher);
}

/// A number that differs after each change.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Answers that were cached before no longer hold: for a change whose watchers are told by other means.
pub(crate) fn outdate() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// To be called after the change, without a lock that [`Handler::enabled`](crate::Handler::enabled) may need.
pub(crate) fn announce() {
    outdate();
    let all: Vec<_> = lock(&WATCHERS).iter().filter_map(Weak::upgrade).collect();
    all.iter().for_each(|watcher| watcher.ask_again());
}

static WATCHERS: Mutex<Vec<Weak<dyn Watch>>> = Mutex::new(Vec::new());
static GENERATION: AtomicU64 = AtomicU64::new(0);
