use std::cell::RefCell;

use crate::record::pool::{self, Buffer};
use crate::record::{Record, Records};
use crate::{Error, Partial};

/// Some records of a batch, for somebody else to deliver, or for another try; each knows its place in the whole.
pub(super) struct Rest {
    /// `Some` until it is dropped: an empty box would be an allocation.
    bytes: Option<Buffer>,
    places: Vec<usize>,
}

impl Rest {
    pub(super) fn new() -> Self {
        Self { bytes: Some(pool::take()), places: take_places() }
    }

    pub(super) fn all(records: Records<'_>) -> Self {
        let mut rest = Self::new();
        records.enumerate().for_each(|(place, record)| rest.push(place, &record));
        rest
    }

    /// What `partial` did not deliver of `records`.
    pub(super) fn of(records: Records<'_>, partial: &Partial) -> Self {
        let mut rest = Self::new();
        each_missed(records, partial, |place, record| rest.push(place, record));
        rest
    }

    /// What `partial` did not deliver of this rest.
    pub(super) fn after(&self, partial: &Partial) -> Self {
        let mut rest = Self::new();
        each_missed(self.records(), partial, |place, record| rest.push(self.place(place), record));
        rest
    }

    pub(super) fn push(&mut self, place: usize, record: &Record<'_>) {
        if let Some(bytes) = &mut self.bytes {
            bytes.extend_from_slice(record.raw());
            self.places.push(place);
        }
    }

    /// Where in the whole batch the record at this place of the rest stood.
    pub(super) fn place(&self, place: usize) -> usize {
        self.places.get(place).copied().unwrap_or(place)
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records::new(self.bytes.as_ref().map_or(&[], |bytes| bytes.as_slice()))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Nobody delivered it, of a batch of so many.
    pub(super) fn failed(mut self, records: usize, error: Error) -> Partial {
        Partial::scattered(records, std::mem::take(&mut self.places), error)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            pool::give(bytes);
        }
        give_places(std::mem::take(&mut self.places));
    }
}

fn take_places() -> Vec<usize> {
    PLACES.try_with(|kept| kept.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
}

fn give_places(mut places: Vec<usize>) {
    places.clear();
    // A thread that is ending keeps nothing.
    let _ = PLACES.try_with(|kept| match kept.try_borrow_mut() {
        Ok(mut kept) if kept.len() < KEEP && places.capacity() <= KEEP_PLACES => kept.push(places),
        _ => {}
    });
}

const KEEP: usize = 8;
const KEEP_PLACES: usize = 8_192;

thread_local! {
    /// Kept for reuse, so that dividing a batch allocates nothing in the steady state.
    static PLACES: RefCell<Vec<Vec<usize>>> = const { RefCell::new(Vec::new()) };
}

fn each_missed(records: Records<'_>, partial: &Partial, mut each: impl FnMut(usize, &Record<'_>)) {
    let mut missed = partial.missed(records.count()).peekable();
    for (place, record) in records.enumerate() {
        if missed.next_if_eq(&place).is_some() {
            each(place, &record);
        }
    }
}
