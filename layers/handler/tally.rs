use std::sync::atomic::{AtomicU64, Ordering};

use super::Stats;
use crate::record::Records;
use crate::{Error, Partial};

/// Counts records once their outcome is known. The number of accepted records is their sum, so that every snapshot balances.
#[derive(Debug, Default)]
pub(super) struct Tally {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub(super) fn one(&self, result: Result<(), Error>) -> Result<(), Error> {
        match &result {
            Ok(()) => self.delivered.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.failed.fetch_add(1, Ordering::Relaxed),
        };
        result
    }

    pub(super) fn batch(&self, records: Records<'_>, result: Result<(), Partial>) -> Result<(), Partial> {
        let records = records.len();
        let missed = result.as_ref().map_or_else(|partial| partial.missed(records).count(), |()| 0);
        self.add(records - missed.min(records), missed.min(records));
        result
    }

    pub(super) fn add(&self, delivered: usize, failed: usize) {
        self.delivered.fetch_add(delivered as u64, Ordering::Relaxed);
        self.failed.fetch_add(failed as u64, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let (delivered, failed) = (self.delivered.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed));
        Stats { accepted: delivered + failed, delivered, failed, ..Stats::default() }
    }
}
