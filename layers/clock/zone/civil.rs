use super::Zone;
use crate::clock::Timestamp;
use crate::clock::civil::{Civil, DAY};

/// The period between two changes of a zone's offset. Seconds are counted from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its first second.
    pub(crate) start: i64,
    /// The first second after it.
    pub(crate) end: i64,
    /// The offset from UTC, in seconds.
    pub(crate) offset: i64,
    /// The offset before the period.
    pub(crate) before: i64,
}

impl Zone {
    /// Returns the segment that this second of UTC lies in: `start <= seconds < end` within [`FOREVER`], so that a loop from segment
    /// to segment ends.
    pub(crate) fn segment(&self, seconds: i64) -> Segment {
        match &self.0 {
            Some(rules) => rules.segment(seconds),
            None => Segment { start: -FOREVER, end: FOREVER, offset: 0, before: 0 },
        }
    }

    /// Returns the local date and time at `time`.
    pub(crate) fn civil(&self, time: Timestamp) -> Civil {
        Civil::new(time.seconds().saturating_add(self.offset(time.seconds())))
    }

    /// Returns the point in time with this local date and time. Of two, it returns the first. A local time that is skipped is
    /// moved forward by the length of the gap, as on a clock that has not been set.
    pub(crate) fn instant(&self, civil: Civil) -> Timestamp {
        let local = civil.seconds();
        // Offsets are less than two days, so the local time is not reached before this segment.
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

/// Outside the calendar, but small enough that sums do not overflow.
pub(super) const FOREVER: i64 = 1 << 56;
