use super::Time;
use crate::Error;
use crate::clock::Zone;

/// With the feature `time-zone`.
impl Time {
    /// Writes RFC 3339 in the system's time zone, with its offset: `2026-11-21T03:19:03.123456+02:00`.
    ///
    /// The zone is [looked up](crate::clock#time-zones) now and kept: a later change of `TZ` has no effect on it.
    pub fn local() -> Self {
        Self::rfc3339().in_local()
    }

    /// Writes RFC 3339 in the time zone with this [name](crate::clock#time-zones): `Europe/Berlin`, `CET-1CEST`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// let time = Time::zone("Asia/Kathmandu")?.precision(0);
    /// assert_eq!(time.text(Timestamp::new(1_795_223_943, 0)), "2026-11-21T07:04:03+05:45");
    /// assert!(Time::zone("Atlantis/Centre").is_err());
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the name is not known.
    pub fn zone(name: &str) -> Result<Self, Error> {
        Self::named(name)
    }

    /// Writes the same in the system's time zone, which is looked up now and kept: `Time::clock().in_local()`. No effect on Unix times and
    /// texts that have no zone.
    pub fn in_local(self) -> Self {
        self.zoned(Zone::local())
    }

    /// Writes the same in the time zone with this [name](crate::clock#time-zones).
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::Time;
    ///
    /// let time = Timestamp::new(1_795_223_943, 0);
    /// assert_eq!(Time::clock().precision(0).offset(true).in_zone("Europe/Berlin")?.text(time), "02:19:03+01:00");
    /// assert_eq!(Time::strftime("%H:%M %Z")?.in_zone("Asia/Tokyo")?.text(time), "10:19 JST");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the name is not known.
    pub fn in_zone(self, name: &str) -> Result<Self, Error> {
        Ok(self.zoned(Zone::named(name)?))
    }
}
