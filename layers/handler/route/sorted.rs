use std::cell::Cell;
use std::sync::Arc;

use crate::handler::{Handler, Tally, guarded};
use crate::record::{Batch, Record};
use crate::{Error, Partial};

/// The records of a batch, grouped by handler.
pub(super) struct Sorted {
    pub(super) parts: Parts,
    records: usize,
    missed: Vec<usize>,
    failed: Option<Error>,
}

type Parts = Vec<(Arc<dyn Handler>, Batch)>;

impl Sorted {
    /// For a batch of `records` records.
    pub(super) fn new(records: usize) -> Self {
        Self { parts: PARTS.try_with(Cell::take).unwrap_or_default(), records, missed: Vec::new(), failed: None }
    }

    pub(super) fn push(&mut self, handler: Arc<dyn Handler>, place: usize, record: &Record<'_>) {
        if let Some((_, part)) = self.parts.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &handler)) {
            return part.push_at(place, record);
        }
        let mut part = Batch::new();
        part.push_at(place, record);
        self.parts.push((handler, part));
    }

    pub(super) fn failed(&mut self, tally: &Tally, place: usize, error: Error) {
        tally.add(0, 1);
        self.missed.push(place);
        self.failed = Some(error);
    }

    pub(super) fn deliver(&mut self, tally: &Tally) {
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

/// The largest capacity of a list that is kept.
const KEEP: usize = 1_024;

thread_local! {
    /// Empty; kept for reuse.
    static PARTS: Cell<Parts> = const { Cell::new(Vec::new()) };
}
