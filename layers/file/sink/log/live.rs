//! The logs that this process has open, by path and by file: an opening of one of them joins it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Weak};

use super::SharedLog;
use crate::file::Identity;
use crate::file::rotation::directory_of;
use crate::process::hold_at_forks;
use crate::sync::{Mutex, lock};

/// What is known of a log here. It is removed when this is dropped, and no handler has the log any more.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path, the same for each way to it.
    key: Option<PathBuf>,
    identity: Option<Identity>,
}

impl Entry {
    pub(super) fn new(key: Option<PathBuf>) -> Self {
        Self { key, identity: None }
    }

    /// Called when the log has opened a file; `None` for one that others cannot join.
    pub(super) fn opened(&mut self, identity: Option<Identity>, log: &Weak<SharedLog>) {
        let before = std::mem::replace(&mut self.identity, identity);
        if before == identity {
            return;
        }
        let mut live = lock(&LIVE);
        if let Some(before) = before
            && live.files.get(&before).is_some_and(|known| Weak::ptr_eq(known, log))
        {
            live.files.remove(&before);
        }
        if let Some(identity) = identity {
            live.files.insert(identity, log.clone());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut live = lock(&LIVE);
        if let Some(key) = &self.key
            && live.paths.get(key).is_some_and(is_dead)
        {
            live.paths.remove(key);
        }
        if let Some(identity) = &self.identity
            && live.files.get(identity).is_some_and(is_dead)
        {
            live.files.remove(identity);
        }
    }
}

/// What `path`, which must be absolute, is called here.
pub(super) fn key_of(path: &Path) -> Option<PathBuf> {
    Some(directory_of(path).join(path.file_name()?))
}

/// The open log called `key`.
pub(super) fn find(key: &Path) -> Option<Arc<SharedLog>> {
    lock(&LIVE).paths.get(key).and_then(usable)
}

/// Enters `log` as the one called `key`, and returns it. If another one is, returns that.
pub(super) fn enter(key: &Path, log: Arc<SharedLog>) -> Arc<SharedLog> {
    let mut live = lock(&LIVE);
    let known = live.paths.get(key).and_then(usable);
    if known.is_none() {
        live.paths.insert(key.to_owned(), Arc::downgrade(&log));
    }
    drop(live);
    known.unwrap_or(log)
}

/// Another log than `me` that has opened this file.
pub(super) fn with_identity(identity: Identity, me: &Weak<SharedLog>) -> Option<Arc<SharedLog>> {
    lock(&LIVE).files.get(&identity).filter(|known| !Weak::ptr_eq(known, me)).and_then(usable)
}

/// The log, unless a thread that does not exist in this forked child has locked it for ever.
fn usable(log: &Weak<SharedLog>) -> Option<Arc<SharedLog>> {
    log.upgrade().filter(|log| !log.abandoned.load(Ordering::Relaxed))
}

fn is_dead(log: &Weak<SharedLog>) -> bool {
    log.strong_count() == 0
}

#[derive(Debug, Default)]
struct Live {
    paths: HashMap<PathBuf, Weak<SharedLog>>,
    files: HashMap<Identity, Weak<SharedLog>>,
}

static LIVE: LazyLock<Arc<Mutex<Live>>> = LazyLock::new(|| {
    let live = Arc::default();
    hold_at_forks(&live);
    live
});
