//! How a nested value tells the capture that what it has just written is JSON: a visitor is handed no more than a `Debug`.

use std::cell::Cell;

/// Forgets what was noted before.
#[inline]
pub(super) fn clear() {
    note(0);
}

/// So many bytes of JSON have been written on this thread.
#[inline]
pub(super) fn note(bytes: usize) {
    // On a thread that is ending a nested value is a text.
    let _ = NOTED.try_with(|noted| noted.set(bytes));
}

/// Whether a text of this length is one nested value, and nothing else.
#[inline]
pub(super) fn is_all_of(bytes: usize) -> bool {
    bytes > 0 && NOTED.try_with(|noted| noted.get() == bytes).unwrap_or(false)
}

thread_local! {
    static NOTED: Cell<usize> = const { Cell::new(0) };
}
