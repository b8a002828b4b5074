use super::Python;
use crate::Error;
use crate::format::Time;

/// With the feature `time-zone`.
impl Python {
    /// `asctime` in the system's time zone, as Python has it; the zone is looked up now and kept.
    pub fn local(mut self) -> Self {
        self.zone = Time::local();
        self
    }

    /// `asctime` in the time zone with this IANA name.
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
    /// [`Config`](crate::ErrorKind::Config) where the time zone database has no such name.
    pub fn zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = Time::zone(name)?;
        Ok(self)
    }
}
