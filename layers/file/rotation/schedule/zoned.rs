use super::Schedule;
use crate::Error;
use crate::file::rotation::zone::Zone;

/// With the feature `time-zone`.
impl Schedule {
    /// By the calendar and the clocks of the time zone with this IANA name, daylight saving included.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::rotation::Schedule;
    ///
    /// let berlin = Schedule::daily_at("02:30")?.zone("Europe/Berlin")?;
    /// let now = Timestamp::new(1_774_695_600, 0); // 2026-03-28T12:00:00+01:00
    /// // 2026-03-29T03:00:00+02:00: in that night there is no 02:30.
    /// assert_eq!(berlin.next(now, now), Some(Timestamp::new(1_774_746_000, 0)));
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the time zone database has no such name.
    pub fn zone(self, name: &str) -> Result<Self, Error> {
        Ok(Self { zone: Zone::named(name)?, ..self })
    }

    /// By the system's time zone: looked up now (`TZ`, then the system's setting; UTC where neither is usable) and kept.
    pub fn local(self) -> Self {
        Self { zone: Zone::local(), ..self }
    }
}
