//! What this thread is in the middle of, so that a log call inside a log call finds its way.

use std::cell::{Cell, RefCell};

use super::queue::is_worker_thread;

/// Marks that this thread hands a record to the handlers of the layer with this id.
pub(crate) struct Delivering {
    /// Another layer, whose record this one is logged by; 0: none.
    outer: u32,
    from_worker: bool,
}

impl Delivering {
    /// `None` where this thread is in the middle of handing over another one of the same layer.
    #[inline]
    pub(crate) fn enter(layer: u32) -> Option<Self> {
        // A thread that is ending has no marks: its last records are handed over as they come.
        let outer = INNERMOST.try_with(|innermost| innermost.replace(layer)).unwrap_or(0);
        if outer != 0 {
            Self::enter_deeper(layer, outer)?;
        }
        let from_worker = is_worker_thread() && FROM_WORKER.try_with(|flag| !flag.replace(true)).unwrap_or(false);
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

/// While the process forks, this thread has all locks: what is logged by somebody else's fork handlers must not want one.
pub(crate) struct HeldBack {
    before: bool,
}

impl HeldBack {
    pub(crate) fn start() -> Self {
        Self { before: FROM_WORKER.replace(true) }
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        FROM_WORKER.set(self.before);
    }
}

/// Whether this thread is handing a record to any handler right now.
pub(crate) fn is_delivering() -> bool {
    is_worker_thread() || INNERMOST.try_with(|innermost| innermost.get() != 0).unwrap_or(false)
}

/// Whether the record being handed over was logged on a queue's own thread: it must not enter a queue again.
#[inline]
pub(crate) fn is_from_worker() -> bool {
    FROM_WORKER.try_with(Cell::get).unwrap_or(false)
}

thread_local! {
    /// The layer whose record this thread is handing over, from 1, as layers are numbered; 0: none.
    static INNERMOST: Cell<u32> = const { Cell::new(0) };
    /// Those further out, where a handler of one logs to another.
    static OUTER: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    static FROM_WORKER: Cell<bool> = const { Cell::new(false) };
}
