//! What handlers want may change without a swap: a switch is turned. Whoever keeps answers is told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Weak};

use crate::sync::lock;

/// Keeps what handlers want, and asks them anew when it is told to.
pub(crate) trait Watch: Send + Sync {
    fn ask_anew(&self);
}

/// Has `watcher` told of changes, as long as somebody else keeps it.
pub(crate) fn watch(watcher: Weak<dyn Watch>) {
    let mut all = lock(&WATCHERS);
    all.retain(|known| known.strong_count() > 0);
    all.push(watcher);
}

/// A number that is another one after each change.
#[inline]
pub(crate) fn epoch() -> u64 {
    EPOCH.load(Ordering::Acquire)
}

/// To be called after the change, without a lock that [`Handler::enabled`](crate::Handler::enabled) may want.
pub(crate) fn announce() {
    EPOCH.fetch_add(1, Ordering::AcqRel);
    let all: Vec<_> = lock(&WATCHERS).iter().filter_map(Weak::upgrade).collect();
    all.iter().for_each(|watcher| watcher.ask_anew());
}

static WATCHERS: Mutex<Vec<Weak<dyn Watch>>> = Mutex::new(Vec::new());
static EPOCH: AtomicU64 = AtomicU64::new(0);
