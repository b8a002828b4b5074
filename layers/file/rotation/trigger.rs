use super::schedule::Schedule;
use crate::clock::Timestamp;

/// The conditions that rotate a file. The first one that is met rotates it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trigger {
    /// The maximum length of the file in bytes.
    pub(super) size: Option<u64>,
    pub(super) schedules: Vec<Schedule>,
    /// Whether to rotate a file that already has lines when the process first writes to it.
    pub(super) startup: bool,
}

impl Trigger {
    /// Returns how many bytes may be added to a file of `len` bytes.
    pub(super) fn room(&self, len: u64) -> u64 {
        self.size.map_or(u64::MAX, |limit| limit.saturating_sub(len))
    }

    /// Whether deadlines depend on when the file began.
    pub(super) fn counts_from_begin(&self) -> bool {
        self.schedules.iter().any(Schedule::counts_from_begin)
    }

    /// Returns the first deadline after `after` of a file that was begun at `base`; `None` if there is none.
    pub(super) fn deadline(&self, base: Timestamp, after: Timestamp) -> Option<Timestamp> {
        self.schedules.iter().filter_map(|schedule| schedule.next(base, after)).min()
    }

    /// Returns the beginning of the period that `at` lies in.
    pub(super) fn period_start(&self, at: Timestamp) -> Timestamp {
        self.schedules.iter().map(|schedule| schedule.period_start(at, at)).max().unwrap_or(at)
    }
}
