use super::Python;
use crate::Error;
use crate::clock::Zone;

/// With the feature `time-zone`.
impl Python {
    /// Writes `asctime` in the system's time zone, as Python does. The zone is [looked up](crate::clock#time-zones) now and kept.
    pub fn local(mut self) -> Self {
        self.zone = Zone::local();
        self
    }

    /// Writes `asctime` in the time zone with this [name](crate::clock#time-zones): `Europe/Berlin`, `CET-1CEST`.
    ///
    /// ```
    /// use tracing_handlers::clock::Timestamp;
    /// use tracing_handlers::format::{Caps, Format, Out, Python};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let format = Python::percent("%(asctime)s")?.datefmt("%H:%M %Z %z").zone("Europe/Berlin")?;
    /// let record = RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::new(1_700_000_000, 0));
    /// let mut line = Vec::new();
    /// format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    /// assert_eq!(line, b"23:13 CET +0100");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the name is not known.
    pub fn zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = Zone::named(name)?;
        Ok(self)
    }
}
