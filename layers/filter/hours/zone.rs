use jiff::Timestamp;
use jiff::tz::TimeZone;

use std::sync::Arc;

use super::{Hours, Zone};
use crate::{Error, ErrorKind};

/// With the feature `time-zone`.
impl Hours {
    /// By the clocks of the time zone with this IANA name, daylight saving included.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::filter::{self, Filter};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let office = filter::hours("09:00", "17:30")?.zone("Europe/Berlin")?;
    /// let record = |seconds| RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::new(seconds, 0));
    /// let (july, november) = (1_783_926_000, 1_795_158_000); // 07:00 UTC
    /// assert!(office.passes(&record(july).as_record()), "09:00 in summer");
    /// assert!(!office.passes(&record(november).as_record()), "08:00 in winter");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config): the time zone database has no such name.
    pub fn zone(self, name: &str) -> Result<Self, Error> {
        let zone = TimeZone::get(name).map_err(|error| {
            Error::new(ErrorKind::Config, format!("no time zone is called `{name}`")).with_source(error)
        })?;
        Ok(Self { zone: Some(Arc::new(zone)), ..self })
    }

    /// By the system's time zone: looked up now (`TZ`, then the system's setting; UTC where neither is usable) and kept.
    pub fn local(self) -> Self {
        Self { zone: Some(Arc::new(TimeZone::system())), ..self }
    }
}

impl Zone for TimeZone {
    fn offset(&self, seconds: i64) -> i64 {
        let time = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
        self.to_offset(time).seconds().into()
    }
}
