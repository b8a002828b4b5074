use super::schedule::Schedule;
use crate::clock::Timestamp;

/// When a file has to make room; whichever comes first.
#[derive(Clone, Debug, Default)]
pub(super) struct Trigger {
    /// Before it would be longer than this many bytes.
    pub(super) size: Option<u64>,
    pub(super) schedules: Vec<Schedule>,
    /// When it is opened first and has lines already.
    pub(super) startup: bool,
}

impl Trigger {
    /// How many bytes a file of `len` bytes may still take.
    pub(super) fn room(&self, len: u64) -> u64 {
        self.size.map_or(u64::MAX, |limit| limit.saturating_sub(len))
    }

    /// The first deadline of a file that began at `base`, later than `after`.
    pub(super) fn deadline(&self, base: Timestamp, after: Timestamp) -> Option<Timestamp> {
        self.schedules.iter().filter_map(|schedule| schedule.next(base, after)).min()
    }

    /// When the period began to which `at` belongs.
    pub(super) fn period_start(&self, at: Timestamp) -> Timestamp {
        self.schedules.iter().map(|schedule| schedule.period_start(at, at)).max().unwrap_or(at)
    }
}
