//! What was last seen in a directory with many files: reading it again takes tens of milliseconds, and most of it is not ours.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::slots::{Name, Slots};
use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The archives of a family as they were last listed, with the changes made here since then.
///
/// Valid as long as nothing else has changed the directory, by its times. Where those are as coarse as the kernel's clock, a change
/// by another process within some milliseconds after one made here is not noticed before the next one. Nothing is lost by that:
/// no name is used for an archive without looking whether it is free, and after an error the directory is listed again.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    seen: Arc<ArcSwapOption<Seen>>,
    /// The last listing found few files: the next one costs less than asking whether there are many now.
    has_few: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Seen {
    state: State,
    slots: Slots,
}

impl Known {
    /// Returns the state of `directory`, if it has so many entries that listing it takes time.
    pub(super) fn crowded(&self, directory: &Path) -> Option<State> {
        if self.has_few.load(Relaxed) { None } else { State::of_crowded(directory) }
    }

    /// Called after a listing, which found this number of entries.
    pub(super) fn listed(&self, entries: usize) {
        self.has_few.store(entries < FEW, Relaxed);
    }

    /// Returns the archives, if the directory is as it was.
    pub(super) fn get(&self, state: &State) -> Option<Slots> {
        self.seen.load_full().filter(|seen| seen.state == *state).map(|seen| seen.slots.clone())
    }

    /// Remembers the archives of a directory with this state. What blocks a name may be gone without a change of the directory.
    pub(super) fn set(&self, state: Option<State>, slots: &Slots) {
        let state = state.filter(|_| slots.values().flatten().all(Name::can_move));
        self.seen.store(state.map(|state| Arc::new(Seen { state, slots: slots.clone() })));
    }

    /// Makes the next caller list the directory. Returns whether anything was known.
    pub(super) fn forget(&self) -> bool {
        self.seen.swap(None).is_some()
    }
}

/// Identifies a directory and a state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    file: (u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
}

#[cfg(unix)]
impl State {
    /// `None` if the directory is short, and where its times would say little: the file system counts whole seconds.
    fn of_crowded(directory: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;

        let metadata = directory.metadata().ok().filter(|metadata| metadata.len() > CROWDED)?;
        let state = Self {
            file: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        (state.changed.1 != 0).then_some(state)
    }
}

#[cfg(not(unix))]
impl State {
    /// Not known.
    fn of_crowded(_: &Path) -> Option<Self> {
        None
    }
}

/// Listing this number of entries takes some tens of microseconds.
const FEW: usize = 100;

/// The length of a directory with some hundred to some thousand entries, depending on the file system.
#[cfg(unix)]
const CROWDED: u64 = 32 << 10;
