use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::handler::{Handler, Tally, guarded};
use crate::record::{Batch, Record};
use crate::{Error, Partial};

/// The records of a batch, grouped by handler.
pub(super) struct Sorted {
    pub(super) parts: Parts,
    /// The indices of the parts by the addresses of their handlers, if there are many.
    places: HashMap<usize, usize>,
    records: usize,
    missed: Vec<usize>,
    failed: Option<Error>,
}

type Parts = Vec<(Arc<dyn Handler>, Batch)>;

impl Sorted {
    /// For a batch of `records` records.
    pub(super) fn new(records: usize) -> Self {
        Self {
            parts: PARTS.try_with(Cell::take).unwrap_or_default(),
            places: PLACES.try_with(Cell::take).ok().flatten().unwrap_or_default(),
            records,
            missed: Vec::new(),
            failed: None,
        }
    }

    pub(super) fn push(&mut self, handler: Arc<dyn Handler>, place: usize, record: &Record<'_>) {
        let index = self.position(&handler).unwrap_or_else(|| {
            self.parts.push((handler, take_spare()));
            self.parts.len() - 1
        });
        self.parts[index].1.push_at(place, record);
    }

    /// Returns the index of the handler's part. Few handlers are compared one by one.
    fn position(&mut self, handler: &Arc<dyn Handler>) -> Option<usize> {
        if self.parts.len() <= FEW {
            return self.parts.iter().position(|(known, _)| Arc::ptr_eq(known, handler));
        }
        for (index, (known, _)) in self.parts.iter().enumerate().skip(self.places.len()) {
            self.places.insert(Arc::as_ptr(known).addr(), index);
        }
        self.places.get(&Arc::as_ptr(handler).addr()).copied()
    }

    pub(super) fn failed(&mut self, tally: &Tally, place: usize, error: Error) {
        tally.add(0, 1);
        self.missed.push(place);
        self.failed = Some(error);
    }

    pub(super) fn deliver(&mut self, tally: &Tally) {
        self.places.clear();
        for (handler, part) in self.parts.drain(..) {
            let handled = tally.batch(part.records(), guarded(|| handler.handle_batch(part.records())));
            if let Err(partial) = handled {
                self.missed.extend(partial.missed(part.len()).filter_map(|index| part.place(index)));
                self.failed = Some(partial.error);
            }
            give_spare(part);
        }
    }

    pub(super) fn outcome(mut self) -> Result<(), Partial> {
        if self.parts.capacity() > KEEP {
            self.parts = Parts::new();
            self.places = HashMap::new();
        }
        // A thread that is ending keeps nothing.
        let _ = PARTS.try_with(|kept| kept.set(std::mem::take(&mut self.parts)));
        let _ = PLACES.try_with(|kept| kept.set(Some(std::mem::take(&mut self.places))));
        self.missed.sort_unstable();
        self.failed.map_or(Ok(()), |error| Err(Partial::scattered(self.records, self.missed, error)))
    }
}

fn take_spare() -> Batch {
    SPARES.try_with(|spares| spares.try_borrow_mut().ok()?.take()).ok().flatten().unwrap_or_default()
}

fn give_spare(mut part: Batch) {
    part.clear();
    // A thread that is ending keeps nothing.
    let _ = SPARES.try_with(|spares| spares.try_borrow_mut().map(|mut spares| spares.give(part)));
}

/// Empty batches with memory. The thread's pool of buffers is smaller than the number of handlers of a route.
struct Spares {
    batches: Vec<Batch>,
    bytes: usize,
}

impl Spares {
    fn take(&mut self) -> Option<Batch> {
        let batch = self.batches.pop()?;
        self.bytes -= batch.capacity();
        Some(batch)
    }

    fn give(&mut self, batch: Batch) {
        let bytes = self.bytes + batch.capacity();
        if bytes <= KEEP_BYTES && self.batches.len() < KEEP {
            self.bytes = bytes;
            self.batches.push(batch);
        }
    }
}

/// Up to this number of handlers, they are compared one by one.
const FEW: usize = 16;
/// The most bytes that a thread keeps in empty batches.
const KEEP_BYTES: usize = 1 << 20;
/// The largest capacity of a list that is kept.
const KEEP: usize = 1_024;

thread_local! {
    /// Empty; kept for reuse.
    static PARTS: Cell<Parts> = const { Cell::new(Vec::new()) };
    static PLACES: Cell<Option<HashMap<usize, usize>>> = const { Cell::new(None) };
    static SPARES: RefCell<Spares> = const { RefCell::new(Spares { batches: Vec::new(), bytes: 0 }) };
}
