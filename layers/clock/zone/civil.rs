use super::Zone;
use crate::clock::Timestamp;
use crate::clock::civil::{Civil, DAY};

/// The time between two changes of a zone's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its first second.
    pub(crate) start: i64,
    /// The first second after it.
    pub(crate) end: i64,
    /// What is added to UTC, in seconds.
    pub(crate) offset: i64,
    /// What was added before it began.
    pub(crate) before: i64,
}

impl Zone {
    /// Returns the segment that this second of UTC lies in.
    pub(crate) fn segment(&self, seconds: i64) -> Segment {
        match &self.0 {
            Some(rules) => rules.segment(seconds),
            None => Segment { start: -FOREVER, end: FOREVER, offset: 0, before: 0 },
        }
    }

    /// Returns what the calendar and the clock show at `time`.
    pub(crate) fn civil(&self, time: Timestamp) -> Civil {
        Civil::new(time.seconds().saturating_add(self.offset(time.seconds())))
    }

    /// Returns when the clock shows `civil`. A time that is shown twice is the first of the two. A time that is skipped is moved
    /// on by as much as the clock is put forward, which is what a clock shows that has not been set.
    pub(crate) fn instant(&self, civil: Civil) -> Timestamp {
        let local = civil.seconds();
        // Offsets are less than two days: there it has not been shown yet.
        let mut segment = self.segment(local - 2 * DAY);
        while local - segment.offset >= segment.end {
            let next = self.segment(segment.end);
            // In a gap: past the end by the old offset, before the start by the new one.
            if local - next.offset < next.start {
                break;
            }
            segment = next;
        }
        Timestamp::new(local - segment.offset, 0)
    }
}

/// Beyond the calendar, and so near that sums do not overflow.
pub(super) const FOREVER: i64 = 1 << 56;
