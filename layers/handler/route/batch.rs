use std::cell::Cell;
use std::sync::Arc;

use crate::handler::rest::Rest;
use crate::handler::{Handler, Tally, guarded};
use crate::record::Record;
use crate::{Error, Partial};

/// What goes to which handler of a batch.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) parts: Parts,
    pub(super) count: usize,
    missed: Vec<usize>,
    failed: Option<Error>,
}

type Parts = Vec<(Arc<dyn Handler>, Rest)>;

impl Batch {
    pub(super) fn new() -> Self {
        Self { parts: PARTS.try_with(Cell::take).unwrap_or_default(), ..Self::default() }
    }

    pub(super) fn push(&mut self, handler: Arc<dyn Handler>, place: usize, record: &Record<'_>) {
        if let Some((_, rest)) = self.parts.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &handler)) {
            return rest.push(place, record);
        }
        let mut rest = Rest::new();
        rest.push(place, record);
        self.parts.push((handler, rest));
    }

    pub(super) fn failed(&mut self, tally: &Tally, place: usize, error: Error) {
        tally.add(0, 1);
        self.missed.push(place);
        self.failed = Some(error);
    }

    pub(super) fn deliver(&mut self, tally: &Tally) {
        for (handler, rest) in self.parts.drain(..) {
            let handled = tally.batch(rest.records(), guarded(|| handler.handle_batch(rest.records())));
            if let Err(partial) = handled {
                self.missed.extend(partial.missed(rest.len()).map(|at| rest.place(at)));
                self.failed = Some(partial.error);
            }
        }
    }

    pub(super) fn outcome(mut self) -> Result<(), Partial> {
        // A thread that is ending keeps nothing.
        let _ = PARTS.try_with(|kept| kept.set(std::mem::take(&mut self.parts)));
        self.missed.sort_unstable();
        self.failed.map_or(Ok(()), |error| Err(Partial::scattered(self.count, self.missed, error)))
    }
}

thread_local! {
    /// Empty; kept for reuse.
    static PARTS: Cell<Parts> = const { Cell::new(Vec::new()) };
}
