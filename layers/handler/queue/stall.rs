//! Whether the handlers behind a queue have stopped delivering.

use std::time::{Duration, Instant};

use super::QueueSettings;

/// A queue is *stalled* when its handlers have delivered nothing for as long as a thread waits for room. From then on records for which
/// there is no room are dropped at once: threads wait once for each stall, and not once for each record.
///
/// The stall ends when a quarter of the queue's capacity has been delivered since it began, or a quarter of the queue is free: with a
/// sink that hangs again and again after each few records, threads would wait most of the time.
#[derive(Debug, Default)]
pub(super) struct Stall {
    /// Since when threads have been waiting for room while nothing was delivered.
    since: Option<Instant>,
    is_stalled: bool,
    /// Delivered since then.
    records: usize,
    bytes: usize,
    /// Dropped since then.
    dropped: u64,
}

impl Stall {
    /// Whether a thread with this patience need not begin to wait.
    pub(super) fn is_hopeless(&self, patience: Duration) -> bool {
        self.is_stalled && patience < Duration::MAX
    }

    /// Until when a thread may wait that began to wait at `start`. `None` means without limit.
    pub(super) fn deadline(&mut self, start: Instant, now: Instant, patience: Duration) -> Option<Instant> {
        if self.is_hopeless(patience) {
            return Some(now);
        }
        let since = *self.since.get_or_insert(now);
        start.min(since).checked_add(patience)
    }

    /// Called when a record, or a notice of another handler, was dropped because there was no room for it. A stall may begin with it.
    pub(super) fn dropped(&mut self, now: Instant, patience: Duration, is_record: bool) {
        if !self.is_stalled && self.since.is_some_and(|since| now.duration_since(since) >= patience) {
            *self = Self { is_stalled: true, ..Self::default() };
        }
        self.dropped += u64::from(self.is_stalled && is_record);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// The number of records that were dropped in the present stall.
    pub(super) fn lost(&self) -> u64 {
        self.dropped
    }

    /// Called when the handlers are done with `records`. Returns the number of records that were dropped in a stall
    /// that ends with it.
    pub(super) fn delivered(&mut self, records: usize, bytes: usize, is_roomy: bool, settings: &QueueSettings) -> u64 {
        self.since = None;
        if !self.is_stalled {
            return 0;
        }
        self.records += records;
        self.bytes += bytes;
        let is_over = is_roomy || self.records >= settings.records / 4 || self.bytes >= settings.bytes / 4;
        if is_over { std::mem::take(self).dropped } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Overflow;
    use crate::sync::now;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings() -> QueueSettings {
        QueueSettings { records: 100, bytes: 1_000, overflow: Overflow::BlockFor(SECOND) }
    }

    /// A stall that has begun.
    fn stalled(start: Instant) -> Stall {
        let mut stall = Stall::default();
        assert_eq!(stall.deadline(start, start, SECOND), Some(start + SECOND));
        stall.dropped(start + SECOND, SECOND, true);
        assert!(stall.is_stalled);
        stall
    }

    #[test]
    fn a_thread_that_comes_later_waits_for_the_rest_of_the_patience() {
        let (mut stall, start) = (Stall::default(), now());
        stall.deadline(start, start, SECOND);
        let later = start + SECOND / 2;
        assert_eq!(stall.deadline(later, later, SECOND), Some(start + SECOND));
        assert_eq!(stall.delivered(1, 1, false, &settings()), 0);
        assert_eq!(stall.deadline(later, later, SECOND), Some(later + SECOND));
    }

    #[test]
    fn a_thread_that_waits_too_long_while_others_get_their_room_starts_no_stall() {
        let (mut stall, start) = (Stall::default(), now());
        stall.deadline(start, start, SECOND);
        stall.delivered(1, 1, false, &settings());
        stall.deadline(start, start + SECOND / 2, SECOND);
        stall.dropped(start + SECOND, SECOND, true);
        assert!(!stall.is_stalled);
    }

    #[test]
    fn threads_that_wait_when_a_stall_begins_stop_waiting() {
        let start = now();
        let (mut stall, later) = (stalled(start), start + 2 * SECOND);
        assert_eq!(stall.deadline(start + SECOND / 2, later, SECOND), Some(later));
        assert_eq!(stall.deadline(start, later, Duration::MAX), None, "this one waits as long as it takes");
    }

    #[test]
    fn a_stall_ends_when_a_quarter_of_the_capacity_is_delivered_or_free() {
        let (settings, start) = (settings(), now());
        let mut stall = stalled(start);
        stall.dropped(start + SECOND, SECOND, true);
        stall.dropped(start + SECOND, SECOND, false);
        assert_eq!(stall.delivered(12, 10, false, &settings), 0);
        assert_eq!(stall.delivered(13, 10, false, &settings), 2);
        assert!(!stall.is_stalled);
        assert_eq!(stalled(start).delivered(1, 250, false, &settings), 1);
        assert_eq!(stalled(start).delivered(1, 1, true, &settings), 1);
    }
}
