use std::sync::Weak;
use std::time::Duration;

use crate::process::{Alarm, Due};

/// Has the owner of a sink call [`write_buffered`](super::Sink::write_buffered) after a time, on the thread `log-timer`.
///
/// [`Output`](crate::Output) and [`Writer`](super::Writer) give one to their sink. Dropping it cancels the call.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::sink::{Framed, Reminder, Sink};
/// use tracing_handlers::{Error, Partial};
///
/// /// Collects lines for at most a second.
/// struct Collects<S> {
///     inner: S,
///     bytes: Vec<u8>,
///     ends: Vec<tracing_handlers::sink::RecordEnd>,
///     reminder: Option<Reminder>,
/// }
///
/// impl<S: Sink> Sink for Collects<S> {
///     fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
///         if let (true, Some(reminder)) = (self.ends.is_empty(), &self.reminder) {
///             reminder.set(Duration::from_secs(1));
///         }
///         let start = self.bytes.len();
///         self.bytes.extend_from_slice(framed.bytes());
///         self.ends.extend(framed.ends().iter().map(|line| {
///             let mut line = *line;
///             line.end += start;
///             line
///         }));
///         Ok(())
///     }
///
///     fn write_buffered(&mut self) -> Result<(), Error> {
///         // A complete sink would keep what was not taken.
///         self.inner.write(Framed::new(&self.bytes, &self.ends)).map_err(|partial| partial.error)?;
///         self.bytes.clear();
///         self.ends.clear();
///         Ok(())
///     }
///
///     fn set_reminder(&mut self, reminder: Reminder) {
///         self.reminder = Some(reminder);
///     }
///
///     fn pending(&self) -> usize {
///         self.ends.len()
///     }
///
///     fn describe(&self) -> String {
///         format!("collected lines for {}", self.inner.describe())
///     }
/// }
/// # let memory = tracing_handlers::sink::Memory::new();
/// # let sink = Collects { inner: memory.clone(), bytes: Vec::new(), ends: Vec::new(), reminder: None };
/// # let output = tracing_handlers::Output::new(tracing_handlers::format::Json::new(), sink);
/// # let record = tracing_handlers::RecordBuf::new(tracing_handlers::Severity::INFO, "shop", "sold");
/// # tracing_handlers::Handler::handle(&output, &record.as_record())?;
/// # assert!(memory.lines().is_empty());
/// # while memory.lines().is_empty() {
/// #     std::thread::sleep(Duration::from_millis(10));
/// # }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reminder(Alarm);

impl Reminder {
    pub(crate) fn new(owner: Weak<dyn Due>) -> Self {
        Self(Alarm::new(owner))
    }

    /// Has `write_buffered` called once, after `time`. Replaces an earlier time. `Duration::MAX` never ends.
    ///
    /// The call may come somewhat later: while the sink is in use, it is tried again after a few milliseconds.
    pub fn set(&self, time: Duration) {
        self.0.set(time);
    }

    /// Cancels the call. If the time is over at this moment, it may still happen.
    #[inline]
    pub fn clear(&self) {
        self.0.clear();
    }
}
