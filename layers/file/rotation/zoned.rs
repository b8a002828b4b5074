//! Schedules in time zones.

use super::Schedule;
use super::python::TimedRotating;
use crate::Error;
use crate::clock::Zone;

/// With the feature `time-zone`.
impl Schedule {
    /// Sets the time zone by its [name](crate::clock#time-zones): `Europe/Berlin`, `CET-1CEST`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let berlin = Schedule::daily_at("02:30")?.zone("Europe/Berlin")?;
    /// let now = Timestamp::new(1_774_695_600, 0); // 2026-03-28T12:00:00+01:00
    /// // 2026-03-29T03:00:00+02:00: that night has no 02:30.
    /// assert_eq!(berlin.next(now, now), Some(Timestamp::new(1_774_746_000, 0)));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the name is not known.
    pub fn zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = Zone::named(name)?;
        Ok(self)
    }

    /// Sets the system's time zone, which is [looked up](crate::clock#time-zones) now and kept.
    pub fn local(mut self) -> Self {
        self.zone = Zone::local();
        self
    }
}

/// With the feature `time-zone`.
impl TimedRotating {
    /// Sets the time zone by its [name](crate::clock#time-zones): `Europe/Berlin`, `CET-1CEST`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::python::TimedRotating;
    ///
    /// let rule = TimedRotating::new("midnight")?.zone("Australia/Lord_Howe")?.interval(2);
    /// let begun = Timestamp::new(1_728_102_600, 0); // 2024-10-05T15:00:00+10:30
    /// // 2024-10-07T00:00:00+11:00, where Python rolls half an hour too early.
    /// assert_eq!(rule.deadline(begun), Timestamp::new(1_728_219_600, 0));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the name is not known.
    pub fn zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = Zone::named(name)?;
        Ok(self)
    }

    /// Sets the system's time zone, as Python does with `utc=False`. It is [looked up](crate::clock#time-zones) now and kept.
    pub fn local(mut self) -> Self {
        self.zone = Zone::local();
        self
    }
}
