//! The positions in the buffer of the members of open objects.

use std::cell::Cell;
use std::ops::Range;

use super::shape::Shape;

/// The position of a member in the buffer: `,"name":` from `start` to `value`, and the value from there to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) start: usize,
    pub(super) value: usize,
    pub(super) end: usize,
    pub(super) shape: Shape,
    /// Whether a later member of the same name has replaced it: it is removed when the object is closed.
    pub(super) replaced: bool,
}

impl Member {
    #[inline]
    pub(super) fn name<'o>(&self, out: &'o [u8]) -> &'o [u8] {
        &out[self.name_range()]
    }

    #[inline]
    pub(super) fn name_range(&self) -> Range<usize> {
        self.start + self.shape.before().len()..self.value - self.shape.after().len()
    }
}

/// Returns an empty list, reusing the thread's if it is free.
pub(super) fn take_list() -> Vec<Member> {
    MEMBERS.try_with(Cell::take).unwrap_or_default()
}

/// Keeps a list for the thread's next [`take_list`], unless it has grown large.
#[inline]
pub(super) fn give_list(mut members: Vec<Member>) {
    if members.capacity() == 0 || members.capacity() > KEEP {
        return;
    }
    members.clear();
    // Fails while the thread is ending.
    let _ = MEMBERS.try_with(|kept| kept.set(members));
}

/// The largest capacity of a list that is kept.
const KEEP: usize = 1024;

thread_local! {
    static MEMBERS: Cell<Vec<Member>> = const { Cell::new(Vec::new()) };
}
