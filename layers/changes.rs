//! Tracks changes of what handlers want, such as a switched level or swapped handlers, and notifies the code that caches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Weak};

use crate::sync::lock;

/// Caches what handlers want.
pub(crate) trait Watch: Send + Sync {
    /// Asks the handlers again.
    fn ask_again(&self);
}

/// Notifies `watcher` of every change from now on. Holds only a weak reference.
pub(crate) fn watch(watcher: Weak<dyn Watch>) {
    let mut all = lock(&WATCHERS);
    all.retain(|known| known.strong_count() > 0);
    all.push(watcher);
}

/// Returns a number that is different after each change.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Invalidates the answers that were cached by [`generation`], for a change whose watchers are notified by other means.
pub(crate) fn outdate() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// Invalidates cached answers and notifies all watchers. Must be called after the change, without a lock that
/// [`Handler::enabled`](crate::Handler::enabled) may need.
pub(crate) fn announce() {
    outdate();
    let all: Vec<_> = lock(&WATCHERS).iter().filter_map(Weak::upgrade).collect();
    all.iter().for_each(|watcher| watcher.ask_again());
}

static WATCHERS: Mutex<Vec<Weak<dyn Watch>>> = Mutex::new(Vec::new());
static GENERATION: AtomicU64 = AtomicU64::new(0);
