use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{FOREVER, Offsets, Segment, Zone};
use crate::{Error, ErrorKind};

/// With the feature `time-zone`.
impl Zone {
    /// The time zone with this IANA name.
    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        let zone = TimeZone::get(name).map_err(|error| {
            Error::new(ErrorKind::Config, format!("no time zone is called `{name}`")).with_source(error)
        })?;
        Ok(Self(Some(Arc::new(zone))))
    }

    /// The system's: looked up now (`TZ`, then the system's setting; UTC where neither is usable) and kept.
    pub(crate) fn local() -> Self {
        Self(Some(Arc::new(TimeZone::system())))
    }
}

impl Offsets for TimeZone {
    fn segment(&self, seconds: i64) -> Segment {
        let start = self.preceding(nearest(seconds + 1)).next().map(|change| change.timestamp());
        let end = self.following(nearest(seconds)).next().map(|change| change.timestamp());
        let offset = |time| i64::from(self.to_offset(time).seconds());
        let inside = offset(nearest(seconds));
        Segment {
            start: start.map_or(-FOREVER, Timestamp::as_second),
            end: end.map_or(FOREVER, Timestamp::as_second),
            offset: inside,
            before: start.map_or(inside, |start| offset(nearest(start.as_second() - 1))),
        }
    }
}

/// What comes nearest to it among the times that jiff knows.
fn nearest(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
