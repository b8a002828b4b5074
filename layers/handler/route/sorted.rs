use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::handler::{Handler, Tally, guarded};
use crate::record::{Batch, Record};
use crate::{Error, Partial};

/// The records of a batch, grouped by handler.
pub(super) struct Sorted {
    pub(super) parts: Parts,
    /// The indices of the parts by the addresses of their handlers, if there are many. Allocates only then.
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
            places: HashMap::new(),
            records,
            missed: Vec::new(),
            failed: None,
        }
    }

    pub(super) fn push(&mut self, handler: Arc<dyn Handler>, place: usize, record: &Record<'_>) {
        let index = self.position(&handler).unwrap_or_else(|| {
            self.parts.push((handler, Batch::new()));
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
        }
    }

    pub(super) fn outcome(mut self) -> Result<(), Partial> {
        if self.parts.capacity() > KEEP {
            self.parts = Parts::new();
        }
        // A thread that is ending keeps nothing.
        let _ = PARTS.try_with(|kept| kept.set(std::mem::take(&mut self.parts)));
        self.missed.sort_unstable();
        self.failed.map_or(Ok(()), |error| Err(Partial::scattered(self.records, self.missed, error)))
    }
}

/// Up to this number of handlers, they are compared one by one.
const FEW: usize = 16;
/// The largest capacity of a list that is kept.
const KEEP: usize = 1_024;

thread_local! {
    /// Empty; kept for reuse.
    static PARTS: Cell<Parts> = const { Cell::new(Vec::new()) };
}
