//! Tables with a value for each callsite, which their owners fill as the callsites are used.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use crate::sync::{lock, lock_until};

/// A value for each callsite of this process, by the callsite's id, prepared when it is first needed.
///
/// A format keeps what it prepares from the names of a callsite's fields in a static of this type.
pub(crate) struct PerCallsite<T> {
    chunks: [OnceLock<Box<Chunk<T>>>; CHUNKS],
}

type Chunk<T> = [OnceLock<T>; CHUNK];

impl<T> PerCallsite<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Returns the value for the callsite with this id; `None` if it has not been set, and for id 0.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let index = place_of(id);
        self.chunks.get(index / CHUNK)?.get()?[index % CHUNK].get()
    }

    /// Returns the value for the callsite with this id, which `prepare` makes on the first call; `None` for id 0.
    #[inline]
    pub(crate) fn get_or_prepare(&self, id: u32, prepare: impl FnOnce() -> T) -> Option<&T> {
        match self.get(id) {
            Some(value) => Some(value),
            None => self.prepare(id, prepare),
        }
    }

    #[cold]
    fn prepare(&self, id: u32, prepare: impl FnOnce() -> T) -> Option<&T> {
        if id > 0 {
            self.set(id, prepare());
        }
        self.get(id)
    }

    /// Sets the value for the callsite with this id, unless there is one already.
    pub(super) fn set(&self, id: u32, value: T) {
        let index = place_of(id);
        let Some(chunk) = self.chunks.get(index / CHUNK) else { return };
        // A fork holds this lock too. Without it, a child could be left with a slot that a thread of its parent was filling, and
        // wait for that thread forever.
        let _filling = lock(&FILLING);
        let chunk = chunk.get_or_init(|| Box::new([const { OnceLock::new() }; CHUNK]));
        let _ = chunk[index % CHUNK].set(value);
    }
}

impl<T> fmt::Debug for PerCallsite<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCallsite").finish_non_exhaustive()
    }
}

/// The index of an id, which is beyond every table for id 0.
#[inline]
fn place_of(id: u32) -> usize {
    id.wrapping_sub(1) as usize
}

/// Keeps all tables from being filled while the process forks.
pub(super) fn freeze(deadline: Instant) -> impl Any {
    lock_until(&FILLING, deadline)
}

/// The highest id that a table has room for. Callsites beyond it have id 0.
pub(super) const MAX_ID: u32 = (CHUNK * CHUNKS) as u32;

const CHUNK: usize = 256;
const CHUNKS: usize = 256;

static FILLING: Mutex<()> = Mutex::new(());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_prepared_once_and_only_for_ids_that_the_table_has_room_for() {
        let table = PerCallsite::new();
        let mut prepared = Vec::new();
        for id in [1, 256, 257, MAX_ID, 1, 257, 0, MAX_ID + 1, u32::MAX] {
            let value = table.get_or_prepare(id, || {
                prepared.push(id);
                id
            });
            assert_eq!(value.copied(), Some(id).filter(|id| (1..=MAX_ID).contains(id)));
        }
        assert_eq!(table.get(2), None);
        assert_eq!(prepared[..4], [1, 256, 257, MAX_ID]);
    }
}
