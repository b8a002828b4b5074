//! Limits log calls inside log calls, by number and depth, so that they cannot recurse endlessly.

use std::cell::Cell;

/// One capture on this thread.
pub(super) struct Depth;

impl Depth {
    #[inline]
    pub(super) fn enter() -> Option<Self> {
        let nesting = NESTING.try_with(|nesting| {
            let Nesting { depth, captures } = nesting.get();
            let now = Nesting { depth: depth + 1, captures: if depth == 0 { 0 } else { captures.saturating_add(1) } };
            nesting.set(now);
            now
        });
        let nesting_or_ending = nesting.unwrap_or(Nesting { depth: 1, captures: 0 });
        let entered = Self;
        (nesting_or_ending.depth <= MAX_DEPTH && nesting_or_ending.captures <= MAX_NESTED).then_some(entered)
    }
}

impl Drop for Depth {
    #[inline]
    fn drop(&mut self) {
        let _ = NESTING.try_with(|nesting| {
            let Nesting { depth, captures } = nesting.get();
            nesting.set(Nesting { depth: depth - 1, captures });
        });
    }
}

/// How deeply nested this thread's captures are, and how many there have been since the outermost began: a `Debug` that logs itself
/// recurses endlessly, and one that does so twice, or under two layers, causes exponentially many captures, which depth alone does
/// not bound.
#[derive(Clone, Copy)]
struct Nesting {
    depth: u32,
    captures: u32,
}

thread_local! {
    static NESTING: Cell<Nesting> = const { Cell::new(Nesting { depth: 0, captures: 0 }) };
}

const MAX_DEPTH: u32 = 32;
/// The maximum number of captures inside one capture, at any depth.
const MAX_NESTED: u32 = 1_000;
