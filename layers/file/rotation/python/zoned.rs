use super::TimedRotating;
use crate::Error;
use crate::file::rotation::zone::Zone;

/// With the feature `time-zone`.
impl TimedRotating {
    /// By the calendar and the clocks of the time zone with this IANA name.
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
    /// [`Config`](crate::ErrorKind::Config): the time zone database has no such name.
    pub fn zone(self, name: &str) -> Result<Self, Error> {
        Zone::named(name).map(|zone| self.in_zone(zone))
    }

    /// By the system's time zone, as Python does with `utc=False`: looked up now (`TZ`, then the system's setting; UTC where
    /// neither is usable) and kept.
    pub fn local(self) -> Self {
        self.in_zone(Zone::local())
    }
}
