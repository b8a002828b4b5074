use crate::handler::{DropReason, Dropped, Stats};
use crate::record::{Record, Records};
use crate::{Error, Partial};

/// The records that are kept, end to end in one buffer, and the counts of all others.
#[derive(Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    /// Where in `bytes` the oldest one starts.
    head: usize,
    records: usize,
    /// What the deliverer has.
    in_flight: usize,
    /// What the deliverer was through with last, for the next one.
    spare: Vec<u8>,
    accepted: u64,
    delivered: u64,
    failed: u64,
    dropped: Dropped,
}

/// Records on their way to the handler.
pub(super) struct Taken {
    bytes: Vec<u8>,
    head: usize,
}

impl Taken {
    pub(super) fn records(&self) -> Records<'_> {
        Records::new(&self.bytes[self.head..])
    }
}

impl Kept {
    pub(super) fn is_full(&self, records: usize, bytes: usize) -> bool {
        self.records >= records || self.size() >= bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    #[inline]
    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.accepted += 1;
        self.records += 1;
        self.bytes.extend_from_slice(record.raw());
    }

    /// The oldest make room.
    #[inline]
    pub(super) fn push_in_ring(&mut self, record: &Record<'_>, records: usize, bytes: usize) {
        let needed = record.raw().len();
        if needed > bytes {
            return self.refuse(DropReason::TooLarge);
        }
        while self.records >= records || self.size() + needed > bytes {
            if !self.drop_oldest() {
                break;
            }
        }
        self.push(record);
    }

    /// A record that is not kept.
    pub(super) fn refuse(&mut self, reason: DropReason) {
        self.accepted += 1;
        self.dropped.add(reason, 1);
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = Record::decode(&self.bytes[self.head..]) else { return false };
        self.head += oldest.raw().len();
        self.records -= 1;
        self.dropped.add(DropReason::Oldest, 1);
        // Each byte is moved once for each time that as many have gone.
        if self.head >= self.size() {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        true
    }

    pub(super) fn take(&mut self) -> Taken {
        let bytes = std::mem::replace(&mut self.bytes, std::mem::take(&mut self.spare));
        self.in_flight = std::mem::take(&mut self.records);
        Taken { bytes, head: std::mem::take(&mut self.head) }
    }

    /// What became of those that were taken.
    pub(super) fn done(&mut self, taken: Taken, handled: Result<(), Partial>) -> Result<(), Error> {
        let records = std::mem::take(&mut self.in_flight);
        let missed = handled.as_ref().map_or_else(|partial| partial.missed(records).count(), |()| 0).min(records);
        self.delivered += (records - missed) as u64;
        self.failed += missed as u64;
        self.spare = taken.bytes;
        self.spare.clear();
        Ok(handled?)
    }

    /// Gives up what is kept, but not what the deliverer has.
    pub(super) fn give_up(&mut self, reason: DropReason) {
        self.dropped.add(reason, std::mem::take(&mut self.records) as u64);
        self.bytes.clear();
        self.head = 0;
    }

    /// In a forked child: nothing that came along is this process's.
    pub(super) fn forget_inherited(&mut self) {
        self.give_up(DropReason::Forked);
        self.dropped.add(DropReason::Forked, std::mem::take(&mut self.in_flight) as u64);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            accepted: self.accepted,
            delivered: self.delivered,
            dropped: self.dropped,
            failed: self.failed,
            pending: (self.records + self.in_flight) as u64,
        }
    }

    fn size(&self) -> usize {
        self.bytes.len() - self.head
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::handler::script::record;

    proptest! {
        /// Against a queue of messages, and sizes added up anew each time.
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
