//! What the current thread is doing, so that a log call inside a log call can be detected.
//!
//! A thread that is ending has no thread-locals any more; every function here works on such a thread too.

use std::cell::{Cell, RefCell};

use crate::sync::thread_local;

/// A number that no other living thread has; never 0.
#[inline]
pub(crate) fn token() -> usize {
    // All threads that are ending share a token, which matches no lock's holder.
    TOKEN.try_with(|token| std::ptr::from_ref(token).addr()).unwrap_or(usize::MAX)
}

/// Marks the current thread, for the rest of its life, as the worker of the queue at `address`.
pub(crate) fn serve(address: usize) {
    SERVES.with(|serves| serves.set(address));
}

/// Whether the current thread is the worker of the queue at `address`.
pub(crate) fn serves(address: usize) -> bool {
    SERVES.try_with(Cell::get).is_ok_and(|serves| serves == address)
}

/// Whether the current thread is the worker of any queue.
pub(crate) fn is_worker() -> bool {
    SERVES.try_with(Cell::get).is_ok_and(|serves| serves != 0)
}

/// Marks the current thread, for the rest of its life, as the one that compresses and removes old files.
pub(crate) fn become_keeper() {
    IS_KEEPER.with(|is_keeper| is_keeper.set(true));
}

/// Whether the current thread is the one that compresses and removes old files.
pub(crate) fn is_keeper() -> bool {
    IS_KEEPER.try_with(Cell::get).unwrap_or(false)
}

/// Whether the current thread is handing a record to any handler.
pub(crate) fn is_delivering() -> bool {
    is_worker() || INNERMOST.try_with(|innermost| innermost.get() != 0).unwrap_or(false)
}

/// Whether the record being handed over was logged on a worker thread, so that it must not enter a queue again.
#[inline]
pub(crate) fn is_from_worker() -> bool {
    FROM_WORKER.try_with(Cell::get).unwrap_or(false)
}

/// While it lives, the current thread hands a record to the handlers of one layer.
pub(crate) struct Delivering {
    /// The layer whose record was being handed over when this one was logged; 0: none.
    outer: u32,
    from_worker: bool,
}

impl Delivering {
    /// Enters the layer with the number `layer`, from 1. Returns `None` if this thread is already handing over a record of that
    /// layer.
    #[inline]
    pub(crate) fn enter(layer: u32) -> Option<Self> {
        // On a thread that is ending there are no marks, and records are handed over as they arrive.
        let outer = INNERMOST.try_with(|innermost| innermost.replace(layer)).unwrap_or(0);
        if outer != 0 {
            Self::enter_deeper(layer, outer)?;
        }
        let from_worker = is_worker() && FROM_WORKER.try_with(|flag| !flag.replace(true)).unwrap_or(false);
        Some(Self { outer, from_worker })
    }

    #[cold]
    fn enter_deeper(layer: u32, outer: u32) -> Option<()> {
        let entered = OUTER.try_with(|others| {
            let mut others = others.try_borrow_mut().ok()?;
            let first = outer != layer && !others.contains(&layer);
            first.then(|| others.push(outer))
        });
        let entered = entered.ok().flatten();
        if entered.is_none() {
            let _ = INNERMOST.try_with(|innermost| innermost.set(outer));
        }
        entered
    }

    #[cold]
    fn leave_deeper() {
        let _ = OUTER.try_with(|others| others.try_borrow_mut().map(|mut others| others.pop()).ok());
    }
}

impl Drop for Delivering {
    #[inline]
    fn drop(&mut self) {
        let _ = INNERMOST.try_with(|innermost| innermost.set(self.outer));
        if self.outer != 0 {
            Self::leave_deeper();
        }
        if self.from_worker {
            let _ = FROM_WORKER.try_with(|flag| flag.set(false));
        }
    }
}

/// While it lives, records that the current thread logs do not enter a queue: around a fork the thread holds all locks.
pub(super) struct HeldBack {
    before: bool,
}

impl HeldBack {
    pub(super) fn start() -> Self {
        Self { before: FROM_WORKER.with(|flag| flag.replace(true)) }
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        FROM_WORKER.with(|flag| flag.set(self.before));
    }
}

thread_local! {
    static TOKEN: u8 = const { 0 };
    /// The address of the queue that this thread is the worker of; 0: none.
    static SERVES: Cell<usize> = const { Cell::new(0) };
    static IS_KEEPER: Cell<bool> = const { Cell::new(false) };
    /// The layer whose record this thread is handing over; 0: none.
    static INNERMOST: Cell<u32> = const { Cell::new(0) };
    /// The layers further out, where a handler of one logs to another.
    static OUTER: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    static FROM_WORKER: Cell<bool> = const { Cell::new(false) };
}
