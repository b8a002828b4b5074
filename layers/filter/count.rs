use std::sync::atomic::{AtomicU64, Ordering};

use super::Threshold;
use crate::record::{Kind, Record};
use crate::stats::{DropReason, Report, Stats};

/// How many records a filter passed, and how many it dropped.
#[derive(Debug, Default)]
pub(super) struct Judged {
    passed: AtomicU64,
    dropped: AtomicU64,
}

impl Judged {
    /// Counts a record and returns `passes`.
    #[inline]
    pub(super) fn count(&self, passes: bool) -> bool {
        let counter = if passes { &self.passed } else { &self.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
        passes
    }

    pub(super) fn report(&self, name: &str, reason: DropReason, reports: &mut Vec<Report>) {
        let (passed, dropped) = (self.passed.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed));
        let mut stats = Stats { accepted: passed + dropped, delivered: passed, ..Stats::default() };
        stats.dropped.add(reason, dropped);
        reports.push(Report::new(name, stats));
    }
}

/// Whether samplers and rate limits always pass this record: it is important, or a loss notice.
#[inline]
pub(super) fn is_exempt(record: &Record<'_>, always: Threshold) -> bool {
    always.allows(record.severity()) || record.kind() == Kind::Loss
}
