//! Counts of records: accepted, delivered, dropped, failed and pending.

mod prometheus;

pub use prometheus::prometheus;

pub(crate) use prometheus::Exposition;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The outcome of the records that a handler accepted.
///
/// `accepted = delivered + dropped + failed + pending` holds in every snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that passed the filters and that the handler accepted.
    pub accepted: u64,
    /// Records whose delivery was acknowledged by the sink, or by the handler behind.
    pub delivered: u64,
    /// Records dropped on purpose, by reason.
    pub dropped: Dropped,
    /// Records whose delivery failed with an error.
    pub failed: u64,
    /// Records in a queue or a buffer, neither delivered nor lost yet.
    pub pending: u64,
}

impl Stats {
    /// Whether every accepted record is accounted for.
    pub fn balances(&self) -> bool {
        self.accepted == self.delivered + self.dropped.total() + self.failed + self.pending
    }

    /// Adds the counts of another handler.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.pending += other.pending;
        other.dropped.iter().for_each(|(reason, count)| self.dropped.add(reason, count));
    }

    /// Adds `count` records that were accepted and dropped for `reason`.
    pub fn add_dropped(&mut self, reason: DropReason, count: u64) {
        self.accepted += count;
        self.dropped.add(reason, count);
    }

    /// Adds records that were accepted before and whose outcome is now known.
    pub(crate) fn add_handled(&mut self, delivered: u64, failed: u64) {
        self.delivered += delivered;
        self.failed += failed;
    }

    /// The number of records that will never be delivered: dropped or failed.
    pub fn lost(&self) -> u64 {
        self.dropped.total() + self.failed
    }
}

/// Why a record was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full, and its policy drops the newest record.
    QueueFull,
    /// The queue stayed full for longer than its policy blocks.
    Timeout,
    /// The queue was full and dropped its oldest record for a newer one.
    Oldest,
    /// The queue was full, and its policy drops records of this severity at once.
    Unimportant,
    /// The record is larger than the whole queue.
    TooLarge,
    /// The record was logged while this same handler delivered another one: by a sink, or on a queue's own thread.
    Reentrant,
    /// The record was in the queue when the process forked; the parent delivers it.
    Forked,
    /// The handler was dropped, or the process ended, before the record was due.
    Closed,
    /// A filter rejected the record.
    Filtered,
    /// The record is not part of the sample.
    Sampled,
    /// Too many records arrived in too short a time.
    RateLimited,
    /// The record repeats a recent one.
    Duplicate,
    /// The record was kept in case something went wrong, and nothing did.
    NotNeeded,
}

const REASONS: [(DropReason, &str); 13] = [
    (DropReason::QueueFull, "queue full"),
    (DropReason::Timeout, "queue full for too long"),
    (DropReason::Oldest, "oldest, to make room"),
    (DropReason::Unimportant, "unimportant in a full queue"),
    (DropReason::TooLarge, "larger than the queue"),
    (DropReason::Reentrant, "logged by a handler"),
    (DropReason::Forked, "left to the parent process"),
    (DropReason::Closed, "closed"),
    (DropReason::Filtered, "filtered"),
    (DropReason::Sampled, "sampled"),
    (DropReason::RateLimited, "rate limited"),
    (DropReason::Duplicate, "duplicate"),
    (DropReason::NotNeeded, "not needed"),
];

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(REASONS[*self as usize].1)
    }
}

/// How many records were dropped, by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped([u64; REASONS.len()]);

impl Dropped {
    /// The number of records dropped for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The number of records dropped for `reason`.
    pub fn by(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// Returns the reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        REASONS.iter().map(|(reason, _)| (*reason, self.by(*reason))).filter(|(_, count)| *count > 0)
    }

    pub(crate) fn add(&mut self, reason: DropReason, count: u64) {
        self.0[reason as usize] += count;
    }

    /// The drops counted since the snapshot `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self(std::array::from_fn(|reason| self.0[reason].saturating_sub(before.0[reason])))
    }
}

/// [`Dropped`], counted by several threads at once.
#[derive(Debug, Default)]
pub(crate) struct Drops([AtomicU64; REASONS.len()]);

impl Drops {
    pub(crate) fn add(&self, reason: DropReason) {
        self.0[reason as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn all(&self) -> Dropped {
        Dropped(std::array::from_fn(|reason| self.0[reason].load(Ordering::SeqCst)))
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(reason, count)| (reason.to_string(), count))).finish()
    }
}

/// A handler's name and its [`Stats`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The name that was set for the handler, or a description of it (`file logs/app.jsonl`).
    pub name: String,
    /// The outcome of its records.
    pub stats: Stats,
    /// The least important level that the handler is set to accept.
    level: Option<String>,
}

impl Report {
    /// Creates a report. For handlers outside this crate.
    pub fn new(name: impl Into<String>, stats: Stats) -> Self {
        Self { name: name.into(), stats, level: None }
    }

    /// Adds the level that the handler is set to, which [`Handle::tree`](crate::Handle::tree) shows.
    #[must_use]
    pub fn with_level(mut self, level: impl fmt::Display) -> Self {
        self.level = Some(level.to_string());
        self
    }

    /// The line of [`Display`](fmt::Display), with the level after the name.
    pub(crate) fn line_in_tree(&self) -> String {
        match &self.level {
            Some(level) => Self::new(format!("{} [{level}]", self.name), self.stats).to_string(),
            None => self.to_string(),
        }
    }
}

/// Writes one line: `file logs/app.jsonl: accepted 10, delivered 8, dropped 1 (queue full 1), failed 1, pending 0`
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { accepted, delivered, dropped, failed, pending } = self.stats;
        write!(f, "{}: accepted {accepted}, delivered {delivered}, dropped {}", self.name, dropped.total())?;
        for (index, (reason, count)) in dropped.iter().enumerate() {
            write!(f, "{}{reason} {count}", if index == 0 { " (" } else { ", " })?;
        }
        if dropped.total() > 0 {
            f.write_str(")")?;
        }
        write!(f, ", failed {failed}, pending {pending}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_place_in_the_table() {
        for (index, (reason, _)) in REASONS.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }

    #[test]
    fn a_report_reads_as_one_line() {
        let mut stats = Stats { accepted: 10, delivered: 8, failed: 1, ..Stats::default() };
        stats.dropped.add(DropReason::QueueFull, 1);
        assert!(stats.balances());
        assert_eq!(
            Report::new("file a.log", stats).to_string(),
            "file a.log: accepted 10, delivered 8, dropped 1 (queue full 1), failed 1, pending 0"
        );
    }
}
