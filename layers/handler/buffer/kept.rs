use crate::handler::{DropReason, Stats};
use crate::record::{Batch, Record};
use crate::{Error, Partial};

/// The records that are kept, and the counts of all others.
#[derive(Default)]
pub(super) struct Kept {
    records: Batch,
    /// The number of records being delivered.
    in_flight: usize,
    /// The batch that was delivered last, kept for reuse.
    spare: Batch,
    /// The counts, except of pending records.
    counts: Stats,
}

impl Kept {
    pub(super) fn is_full(&self, records: usize, bytes: usize) -> bool {
        self.records.len() >= records || self.records.size() >= bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    #[inline]
    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.counts.accepted += 1;
        self.records.push(record);
    }

    /// Appends the record; the oldest records make room for it.
    #[inline]
    pub(super) fn push_in_ring(&mut self, record: &Record<'_>, records: usize, bytes: usize) {
        let needed = record.raw().len();
        if needed > bytes {
            return self.refuse(DropReason::TooLarge);
        }
        while !self.is_empty() && (self.records.len() >= records || self.records.size() + needed > bytes) {
            self.records.pop_first();
            self.counts.dropped.add(DropReason::Oldest, 1);
        }
        self.push(record);
    }

    /// Counts a record that is not kept.
    pub(super) fn refuse(&mut self, reason: DropReason) {
        self.counts.add_dropped(reason, 1);
    }

    pub(super) fn take(&mut self) -> Batch {
        self.in_flight = self.records.len();
        std::mem::replace(&mut self.records, std::mem::take(&mut self.spare))
    }

    /// Counts the outcome of the records that were taken for delivery.
    pub(super) fn done(&mut self, mut taken: Batch, handled: Result<(), Partial>) -> Result<(), Error> {
        let records = std::mem::take(&mut self.in_flight);
        let missed = handled.as_ref().map_or_else(|partial| partial.missed(records).count(), |()| 0).min(records);
        self.counts.add_handled((records - missed) as u64, missed as u64);
        taken.clear();
        self.spare = taken;
        Ok(handled?)
    }

    /// Drops the kept records, but not those being delivered.
    pub(super) fn give_up(&mut self, reason: DropReason) {
        self.counts.dropped.add(reason, self.records.len() as u64);
        self.records.clear();
    }

    /// Called in a forked child: everything belongs to the parent.
    pub(super) fn forget_inherited(&mut self) {
        self.give_up(DropReason::Forked);
        self.counts.dropped.add(DropReason::Forked, std::mem::take(&mut self.in_flight) as u64);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { pending: (self.records.len() + self.in_flight) as u64, ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::handler::script::record;

    proptest! {
        /// Compares the ring with a queue of messages whose sizes are summed each time.
        #[test]
        fn a_ring_keeps_the_newest_that_have_room(
            lengths in prop::collection::vec(0_usize..300, 0..60), records in 1_usize..8, bytes in 100_usize..1_500,
        ) {
            let mut kept = Kept::default();
            let mut model = VecDeque::new();
            let size = |of: &VecDeque<String>| of.iter().map(|text| record(text).as_record().raw().len()).sum::<usize>();
            for (number, length) in lengths.iter().enumerate() {
                let message = format!("{number}{}", "x".repeat(*length));
                let buf = record(&message);
                kept.push_in_ring(&buf.as_record(), records, bytes);
                if buf.as_record().raw().len() <= bytes {
                    model.push_back(message);
                    while model.len() > records || size(&model) > bytes {
                        model.pop_front();
                    }
                }
                prop_assert!(kept.stats().balances());
                prop_assert_eq!(kept.stats().pending, model.len() as u64);
            }
            let taken = kept.take();
            let messages: Vec<_> = taken.records().map(|record| record.message().to_owned()).collect();
            prop_assert_eq!(messages, Vec::from(model));
            kept.done(taken, Ok(())).unwrap();
            prop_assert!(kept.stats().balances() && kept.stats().pending == 0);
        }
    }
}
