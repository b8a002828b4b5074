//! Points in time to what the clocks of a zone show, and back.

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::clock::civil::Civil;

#[cfg(feature = "time-zone")]
mod named;

/// Whose calendar and clock it goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone(
    /// `None`: UTC.
    Option<Arc<dyn Offsets>>,
);

/// A time between two changes of a zone's clocks.
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

/// When the clocks change, and by how much.
trait Offsets: fmt::Debug + Send + Sync {
    /// The segment that this second of UTC lies in.
    fn segment(&self, seconds: i64) -> Segment;
}

impl Zone {
    /// The segment that this second of UTC lies in.
    pub(crate) fn segment(&self, seconds: i64) -> Segment {
        match &self.0 {
            Some(offsets) => offsets.segment(seconds),
            None => Segment { start: -FOREVER, end: FOREVER, offset: 0, before: 0 },
        }
    }

    /// What is added to UTC then, in seconds.
    pub(crate) fn offset(&self, time: Timestamp) -> i64 {
        self.segment(time.seconds()).offset
    }

    /// What the calendar and the clock show then.
    pub(crate) fn civil(&self, time: Timestamp) -> Civil {
        Civil::new(time.seconds().saturating_add(self.offset(time)))
    }

    /// When they show that. What they show twice is the first time; what they leave out is moved on by as much as they are
    /// put forward, which is what a clock shows that nobody has set.
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

const DAY: i64 = crate::clock::civil::DAY;
/// Farther than the calendar goes, and so near that sums do not overflow.
const FOREVER: i64 = 1 << 56;

#[cfg(all(test, feature = "time-zone"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_segment_ends_where_the_next_one_begins() {
        let zone = Zone::named("Australia/Lord_Howe").unwrap();
        let winter = zone.segment(1_720_000_000);
        let summer = zone.segment(winter.end);
        assert_eq!((summer.start, summer.before), (winter.end, winter.offset));
        assert_eq!((winter.offset, summer.offset), (37_800, 39_600));
        assert_eq!(zone.segment(summer.start - 1), winter);
    }

    proptest! {
        #[test]
        fn instants_are_those_of_jiff(seconds in -4_000_000_000..40_000_000_000_i64, zone in 0..ZONES.len()) {
            let theirs = jiff::tz::TimeZone::get(ZONES[zone]).unwrap();
            let zone = Zone::named(ZONES[zone]).unwrap();
            // Near a change of the clocks, where there is one.
            for seconds in [seconds, zone.segment(seconds).end.min(50_000_000_000) + seconds % 7_200] {
                let civil = Civil::new(seconds);
                let date = jiff::civil::date(civil.year as i16, civil.month as i8, civil.day as i8);
                let time = date.at(civil.hour as i8, civil.minute as i8, civil.second as i8, 0);
                prop_assert_eq!(zone.instant(civil).seconds(), theirs.to_timestamp(time).unwrap().as_second());
                let shown = theirs.to_datetime(jiff::Timestamp::from_second(seconds).unwrap());
                let ours = zone.civil(Timestamp::new(seconds, 0));
                prop_assert_eq!(
                    (ours.year, ours.month, ours.day, ours.hour, ours.minute, ours.second),
                    (shown.year().into(), shown.month() as u8, shown.day() as u8, shown.hour() as u8, shown.minute() as u8, shown.second() as u8)
                );
            }
        }
    }

    const ZONES: [&str; 6] = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Havana",
    ];
}
