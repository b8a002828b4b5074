use crate::record::pool::{self, Buffer};
use crate::record::{Record, Records};
use crate::{Error, Partial};

/// What is left of a batch for somebody else to deliver, or for another try; each record knows its place in the whole.
///
/// Only made where something went wrong; the list of places is allocated then.
pub(super) struct Rest {
    bytes: Buffer,
    places: Vec<usize>,
}

impl Rest {
    pub(super) fn new() -> Self {
        Self { bytes: pool::take(), places: Vec::new() }
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
        self.bytes.extend_from_slice(record.raw());
        self.places.push(place);
    }

    /// Where in the whole batch the record at this place of the rest stood.
    pub(super) fn place(&self, place: usize) -> usize {
        self.places.get(place).copied().unwrap_or(place)
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records::new(&self.bytes)
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
        pool::give(std::mem::take(&mut self.bytes));
    }
}

fn each_missed(records: Records<'_>, partial: &Partial, mut each: impl FnMut(usize, &Record<'_>)) {
    let mut missed = partial.missed(records.count()).peekable();
    for (place, record) in records.enumerate() {
        if missed.next_if_eq(&place).is_some() {
            each(place, &record);
        }
    }
}
