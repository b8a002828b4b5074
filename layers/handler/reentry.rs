//! What this thread is in the middle of, so that a log call inside a log call finds its way.

use std::cell::{Cell, RefCell};

use super::queue::is_worker_thread;

/// Marks that this thread hands a record to the handlers of the layer with this id.
pub(crate) struct Delivering {
    from_worker: bool,
}

impl Delivering {
    /// `None` where this thread is in the middle of handing over another one of the same layer.
    #[inline]
    pub(crate) fn enter(layer: u32) -> Option<Self> {
        // A thread that is ending has no marks: its last records are handed over as they come.
        LAYERS
            .try_with(|layers| {
                let mut layers = layers.try_borrow_mut().ok()?;
                if layers.contains(&layer) {
                    return None;
                }
                layers.push(layer);
                Some(())
            })
            .unwrap_or(Some(()))?;
        let from_worker = is_worker_thread() && FROM_WORKER.try_with(|flag| !flag.replace(true)).unwrap_or(false);
        Some(Self { from_worker })
    }
}

impl Drop for Delivering {
    #[inline]
    fn drop(&mut self) {
        let _ = LAYERS.try_with(|layers| layers.try_borrow_mut().map(|mut layers| layers.pop()).ok());
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
    is_worker_thread()
        || LAYERS.try_with(|layers| layers.try_borrow().is_ok_and(|layers| !layers.is_empty())).unwrap_or(false)
}

/// Whether the record being handed over was logged on a queue's own thread: it must not enter a queue again.
#[inline]
pub(crate) fn is_from_worker() -> bool {
    FROM_WORKER.try_with(Cell::get).unwrap_or(false)
}

thread_local! {
    static LAYERS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    static FROM_WORKER: Cell<bool> = const { Cell::new(false) };
}
