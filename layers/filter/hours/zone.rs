use super::Hours;
use crate::Error;
use crate::clock::Zone;

/// With the feature `time-zone`.
impl Hours {
    /// Sets the time zone by its [name](crate::clock#time-zones): `Europe/Berlin`, `CET-1CEST`.
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
    /// [`Config`](crate::ErrorKind::Config): the name is not known.
    pub fn zone(self, name: &str) -> Result<Self, Error> {
        Ok(Self { zone: Zone::named(name)?, ..self })
    }

    /// Sets the system's time zone, which is [looked up](crate::clock#time-zones) now and kept.
    pub fn local(self) -> Self {
        Self { zone: Zone::local(), ..self }
    }
}
