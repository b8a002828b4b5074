//! Several records in one buffer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;

use super::encoding::Head;
use super::pool::{self, Buffer};
use super::{Kind, Record};
use crate::{Error, Partial};

/// A growing container of records, one after another in a single buffer.
///
/// Handlers keep records in it: records that wait for a thread, the rest of a batch after an error, the records for one of several
/// handlers. The memory is taken from a pool of the current thread and returned to it, so that the steady state allocates nothing.
///
/// Each record has a *place*: its index in the batch that it came from, which an error has to name. Unless it is
/// [given](Self::push_at), that is its index in this batch.
///
/// ```
/// use tracing_handlers::record::Batch;
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut batch = Batch::new();
/// for message in ["one", "two", "three"] {
///     batch.push(&RecordBuf::new(Severity::INFO, "shop", message).as_record());
/// }
/// assert_eq!(batch.len(), 3);
/// let messages: Vec<_> = batch.records().range(1..3).map(|record| record.message()).collect();
/// assert_eq!(messages, ["two", "three"]);
/// ```
#[derive(Default)]
pub struct Batch {
    /// `None` before the first record: an empty box would be an allocation.
    bytes: Option<Buffer>,
    /// Where the oldest record starts.
    head: usize,
    records: usize,
    notices: usize,
    /// Empty as long as each record's place is its index.
    places: VecDeque<usize>,
    /// How many records were popped: the place of the first one, unless it is listed.
    popped: usize,
    /// The buffer was allocated for this batch and is not returned to the pool.
    own: bool,
}

impl Batch {
    /// Creates an empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty batch with a buffer of exactly `bytes` bytes, which is freed with the batch instead of being returned to the
    /// pool: for records that are kept for a long time, and for a bounded amount of memory.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut batch = Self::new();
        batch.own = true;
        if bytes > 0 {
            batch.bytes = Some(Box::new(Vec::with_capacity(bytes)));
        }
        batch
    }

    /// Copies those of `records` that were not delivered according to `partial`, each with its place in `records`.
    ///
    /// ```
    /// use tracing_handlers::record::Batch;
    /// use tracing_handlers::{Error, ErrorKind, Partial, RecordBuf, Severity};
    ///
    /// let batch: Batch = ["a", "b", "c"].map(|text| RecordBuf::new(Severity::INFO, "", text)).iter().collect();
    /// let left = Batch::missed(batch.records(), &Partial::new(1, Error::new(ErrorKind::Io, "no answer")));
    /// assert_eq!((left.len(), left.place(0), left.place(1)), (2, Some(1), Some(2)));
    /// ```
    pub fn missed(records: Records<'_>, partial: &Partial) -> Self {
        let mut left = Self::new();
        each_missed(records, partial, |place, record| left.push_at(place, record));
        left
    }

    /// Copies those records of this batch that were not delivered according to `partial`, each with its place in this batch.
    #[must_use]
    pub fn missed_of(&self, partial: &Partial) -> Self {
        let mut left = Self::new();
        each_missed(self.records(), partial, |index, record| match self.place(index) {
            Some(place) => left.push_at(place, record),
            None => left.push_own(record),
        });
        left
    }

    /// Appends a record, whose place is its index.
    #[inline]
    pub fn push(&mut self, record: &Record<'_>) {
        if !self.places.is_empty() {
            self.places.push_back(self.popped + self.records);
        }
        self.append(record.kind(), record.raw());
    }

    /// Appends a record with its place in the batch it came from.
    pub fn push_at(&mut self, place: usize, record: &Record<'_>) {
        self.note(place);
        self.append(record.kind(), record.raw());
    }

    /// Appends a record without a place, which does not come from another batch: a notice that a handler adds.
    pub fn push_own(&mut self, record: &Record<'_>) {
        self.note(NOWHERE);
        self.append(record.kind(), record.raw());
    }

    /// Returns a view of all records, oldest first.
    #[inline]
    pub fn records(&self) -> Records<'_> {
        Records { raw: self.raw(), count: self.records }
    }

    /// Returns the number of records.
    #[inline]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether the batch is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Returns the size of the records in memory, in bytes.
    #[inline]
    pub fn size(&self) -> usize {
        self.raw().len()
    }

    /// Returns the number of loss notices ([`Kind::Loss`]), which [`len`](Self::len) includes.
    #[inline]
    pub fn notices(&self) -> usize {
        self.notices
    }

    /// Returns the place of the record at `index`; `None` if it was added by [`push_own`](Self::push_own).
    pub fn place(&self, index: usize) -> Option<usize> {
        match self.places.get(index) {
            None => Some(self.popped + index),
            Some(&NOWHERE) => None,
            Some(&place) => Some(place),
        }
    }

    /// Removes the oldest record and returns it. Its memory is reused, or freed, later.
    pub fn pop_first(&mut self) -> Option<Record<'_>> {
        let first = Record::decode(self.bytes.as_ref()?.get(self.head..)?)?;
        self.head += first.raw().len();
        self.records -= 1;
        self.notices -= usize::from(first.kind() == Kind::Loss);
        self.popped += 1;
        self.places.pop_front();
        Some(first)
    }

    /// Drops all records and keeps the memory.
    pub fn clear(&mut self) {
        if let Some(bytes) = &mut self.bytes {
            bytes.clear();
        }
        self.places.clear();
        (self.head, self.records, self.notices, self.popped) = (0, 0, 0, 0);
    }

    /// Converts to the error of a batch of `records` records of which those in this batch, by their places, were not delivered.
    pub fn into_partial(mut self, records: usize, error: Error) -> Partial {
        let mut missed = match self.places.is_empty() {
            true => (self.popped..self.popped + self.records).collect(),
            false => Vec::from(std::mem::take(&mut self.places)),
        };
        missed.retain(|place| *place != NOWHERE);
        missed.sort_unstable();
        missed.dedup();
        Partial::scattered(records, missed, error)
    }

    /// Drops the records for which `keep` returns `false`, in place. The places of the others become their indices.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Record<'_>) -> bool) {
        let mut bytes = self.bytes.take();
        let mut from = self.head;
        self.clear();
        let mut to = 0;
        while let Some(bytes) = &mut bytes
            && let Some(record) = Record::decode(&bytes[from..])
        {
            let len = record.raw().len();
            if keep(&record) {
                self.records += 1;
                self.notices += usize::from(record.kind() == Kind::Loss);
                bytes.copy_within(from..from + len, to);
                to += len;
            }
            from += len;
        }
        if let Some(bytes) = &mut bytes {
            bytes.truncate(to);
        }
        self.bytes = bytes;
    }

    /// Returns the capacity of the buffer, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.capacity())
    }

    /// Reserves memory for exactly `bytes` bytes more than are [used](Self::used).
    pub(crate) fn reserve_exact(&mut self, bytes: usize) {
        self.buffer().reserve_exact(bytes);
    }

    /// Returns the number of bytes of the buffer that are in use, including those of dropped records.
    pub(crate) fn used(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// Moves the records to the front of the buffer.
    pub(crate) fn compact(&mut self) {
        let head = std::mem::take(&mut self.head);
        if let Some(bytes) = &mut self.bytes {
            bytes.drain(..head);
        }
    }

    /// Appends a record to a batch that lists no places.
    #[inline]
    pub(crate) fn append(&mut self, kind: Kind, raw: &[u8]) {
        // Amortized: a move of `n` bytes happens only after at least `n` bytes have been dropped.
        if self.head > 0 && self.head >= self.size() {
            self.compact();
        }
        self.buffer().extend_from_slice(raw);
        self.records += 1;
        self.notices += usize::from(kind == Kind::Loss);
    }

    #[inline]
    fn buffer(&mut self) -> &mut Buffer {
        if self.bytes.is_none() {
            self.bytes = Some(if self.own { Buffer::default() } else { pool::take() });
        }
        self.bytes.as_mut().expect("it was set above")
    }

    fn note(&mut self, place: usize) {
        if self.places.is_empty() {
            if self.places.capacity() == 0 {
                self.places = take_places();
            }
            self.places.extend(self.popped..self.popped + self.records);
        }
        self.places.push_back(place);
    }

    #[inline]
    fn raw(&self) -> &[u8] {
        self.bytes.as_ref().and_then(|bytes| bytes.get(self.head..)).unwrap_or(&[])
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take()
            && !self.own
        {
            pool::give(bytes);
        }
        if self.places.capacity() > 0 {
            give_places(std::mem::take(&mut self.places));
        }
    }
}

impl<'a, R: Into<Record<'a>>> FromIterator<R> for Batch {
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Self {
        let mut batch = Self::new();
        batch.extend(records);
        batch
    }
}

impl<'a, R: Into<Record<'a>>> Extend<R> for Batch {
    fn extend<I: IntoIterator<Item = R>>(&mut self, records: I) {
        records.into_iter().for_each(|record| self.push(&record.into()));
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records().fmt(f)
    }
}

/// A view of records, one after another: of a [`Batch`], of a [range](Self::range) of it, or of a single record.
///
/// It is `Copy`; iterating over it does not change the batch.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    raw: &'a [u8],
    count: usize,
}

impl<'a> Records<'a> {
    /// Returns a view of the records with these indices. Indices beyond the end are ignored.
    #[must_use]
    pub fn range(self, range: Range<usize>) -> Self {
        let end = range.end.min(self.count);
        let start = range.start.min(end);
        let (from, to) = (self.end_of(start), self.end_of(end));
        Self { raw: self.raw.get(from..to).unwrap_or(&[]), count: end - start }
    }

    /// Returns the position where the first `records` records end.
    fn end_of(self, records: usize) -> usize {
        if records == self.count {
            return self.raw.len();
        }
        (0..records).fold(0, |at, _| at + self.raw.get(at..).and_then(Head::of).map_or(0, Head::len))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let record = Record::decode(self.raw)?;
        self.raw = &self.raw[record.raw().len()..];
        self.count -= 1;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }

    fn count(self) -> usize {
        self.count
    }
}

impl ExactSizeIterator for Records<'_> {}

impl FusedIterator for Records<'_> {}

/// Converts to a view of a single record.
impl<'a> From<Record<'a>> for Records<'a> {
    fn from(record: Record<'a>) -> Self {
        Self { raw: record.raw(), count: 1 }
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

fn each_missed(records: Records<'_>, partial: &Partial, mut each: impl FnMut(usize, &Record<'_>)) {
    let mut missed = partial.missed(records.len()).peekable();
    for (index, record) in records.enumerate() {
        if missed.next_if_eq(&index).is_some() {
            each(index, &record);
        }
    }
}

fn take_places() -> VecDeque<usize> {
    PLACES.try_with(|kept| kept.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
}

fn give_places(mut places: VecDeque<usize>) {
    places.clear();
    // A thread that is ending has no pool.
    let _ = PLACES.try_with(|kept| match kept.try_borrow_mut() {
        Ok(mut kept) if kept.len() < KEEP && places.capacity() <= KEEP_PLACES => kept.push(places),
        _ => {}
    });
}

/// The place of a record that does not come from another batch.
const NOWHERE: usize = usize::MAX;
/// The number of lists of places that each thread keeps for reuse.
const KEEP: usize = 8;
/// The maximum length of a list that is kept.
const KEEP_PLACES: usize = 8_192;

thread_local! {
    /// Kept for reuse, so that dividing a batch allocates nothing in the steady state.
    static PLACES: RefCell<Vec<VecDeque<usize>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;
    use crate::record::{RecordBuf, Severity};

    fn record(message: &str) -> RecordBuf {
        RecordBuf::new(Severity::INFO, "shop", message)
    }

    fn batch(messages: &[&str]) -> Batch {
        messages.iter().map(|message| record(message)).collect::<Vec<_>>().iter().collect()
    }

    fn messages(records: Records<'_>) -> Vec<String> {
        records.map(|record| record.message().to_owned()).collect()
    }

    #[test]
    fn a_range_is_a_part_of_a_batch_and_ends_where_the_batch_ends() {
        let batch = batch(&["a", "bb", "ccc", "d"]);
        for (range, expected) in [(0..4, 0..4), (1..3, 1..3), (2..9, 2..4), (4..5, 0..0), (3..3, 0..0)] {
            let part = batch.records().range(range.clone());
            assert_eq!(messages(part), messages(batch.records())[expected.clone()], "{range:?}");
            assert_eq!((part.len(), part.count()), (expected.len(), expected.len()));
            let again: Batch = part.collect();
            assert_eq!(again.size(), part.raw.len());
        }
        assert_eq!(messages(batch.records().range(1..4).range(1..2)), ["ccc"]);
    }

    #[test]
    fn remaining_records_keep_their_places_through_several_errors() {
        let all = batch(&["a", "b", "c", "d", "e"]);
        let error = || Error::new(ErrorKind::Io, "no answer");
        let left = Batch::missed(all.records(), &Partial::scattered(5, vec![1, 3, 4], error()));
        let left = left.missed_of(&Partial::scattered(3, vec![0, 2], error()));
        assert_eq!(messages(left.records()), ["b", "e"]);
        let partial = left.into_partial(5, error());
        assert_eq!((partial.delivered, partial.missed(5).collect::<Vec<_>>()), (3, vec![1, 4]));
    }

    #[test]
    fn added_records_have_no_place_and_do_not_count_as_missed() {
        let mut batch = Batch::new();
        batch.push(&record("a").as_record());
        batch.push_own(&RecordBuf::of_kind(Kind::Loss, Severity::WARN, "", "lost").as_record());
        batch.push_at(7, &record("b").as_record());
        batch.push(&record("c").as_record());
        let places: Vec<_> = (0..4).map(|index| batch.place(index)).collect();
        assert_eq!(places, [Some(0), None, Some(7), Some(3)]);
        assert_eq!((batch.len(), batch.notices()), (4, 1));
        let partial = batch.into_partial(9, Error::new(ErrorKind::Io, "no answer"));
        assert_eq!(partial.missed(9).collect::<Vec<_>>(), [0, 3, 7]);
    }

    #[test]
    fn what_is_retained_lies_at_the_front() {
        let mut batch = batch(&["a", "bb", "ccc", "dd", "e"]);
        batch.pop_first();
        batch.push_own(&RecordBuf::of_kind(Kind::Loss, Severity::WARN, "", "lost").as_record());
        batch.retain(|record| record.message().len() != 2);
        assert_eq!((messages(batch.records()), batch.notices()), (vec!["ccc".into(), "e".into(), "lost".into()], 1));
        assert_eq!((batch.used(), batch.place(2)), (batch.size(), Some(2)));
        batch.retain(|_| false);
        assert!(batch.is_empty() && batch.size() == 0);
    }

    #[test]
    fn places_stay_when_the_oldest_records_are_popped() {
        let mut plain = batch(&["a", "b", "c"]);
        plain.pop_first();
        plain.push(&record("d").as_record());
        assert_eq!((0..3).map(|index| plain.place(index)).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
        plain.pop_first();
        plain.push_at(9, &record("e").as_record());
        plain.push(&record("f").as_record());
        assert_eq!((0..4).map(|index| plain.place(index)).collect::<Vec<_>>(), [Some(2), Some(3), Some(9), Some(5)]);
        let partial = plain.into_partial(10, Error::new(ErrorKind::Io, "no answer"));
        assert_eq!(partial.missed(10).collect::<Vec<_>>(), [2, 3, 5, 9]);
    }

    proptest! {
        /// Compares the batch with a queue of messages.
        #[test]
        fn pushing_and_popping_in_any_order_leaves_the_right_records(steps in prop::collection::vec(0_usize..400, 0..80)) {
            let (mut batch, mut model) = (Batch::new(), VecDeque::new());
            for (number, step) in steps.into_iter().enumerate() {
                match step % 3 {
                    0 => {
                        let popped = batch.pop_first().map(|record| record.message().to_owned());
                        prop_assert_eq!(popped, model.pop_front());
                    }
                    _ => {
                        let message = format!("{number}{}", "x".repeat(step));
                        batch.push(&record(&message).as_record());
                        model.push_back(message);
                        prop_assert!(batch.used() <= 2 * batch.size());
                    }
                }
                let size: usize = model.iter().map(|text| record(text).as_record().raw().len()).sum();
                prop_assert_eq!((batch.len(), batch.size()), (model.len(), size));
            }
            prop_assert_eq!(messages(batch.records()), Vec::from(model));
        }
    }
}
