//! Log calls inside log calls: how many, and how deep, before they count as having no end.

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

/// How deep this thread is in captures, and how many there were since the outermost began: a `Debug` that logs itself has
/// no end, and one that does so twice, or under two layers, has more of them than depth alone could bound.
#[derive(Clone, Copy)]
struct Nesting {
    depth: u32,
    captures: u32,
}

thread_local! {
    static NESTING: Cell<Nesting> = const { Cell::new(Nesting { depth: 0, captures: 0 }) };
}

const MAX_DEPTH: u32 = 32;
/// Captures inside one capture, however deep.
const MAX_NESTED: u32 = 1_000;
