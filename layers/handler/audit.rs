use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::{Handler, OrStop, Report, Tally, guarded};
use crate::record::{Meta, Record, Records, SpanEvents};
use crate::sync::deadline_in;
use crate::{Error, ErrorKind, Partial};

/// Delivery that is over when the call returns, with the record at its end or an error: Serilog's `AuditTo`.
///
/// Each record is handled and flushed to the ends of the handler, on the thread that logs. Clones share the handler: one goes
/// into the layer, another is called by what must know. An error of an event that comes through tracing goes to
/// [`selflog`](crate::selflog), for a macro returns nothing; [`log`](Self::log) returns it, and
/// [`or_stop`](Self::or_stop) lets the program not go on after it.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 5 s | how long the flush of one record may take |
/// | [`name`](Self::name) | `audit` | the name used in reports |
///
/// What counts as delivered is what the sink calls so: for a file that the system has it, not that the disk does. A record
/// that the handler does not want, because of an output's level or filter, is no error; one that a
/// [`Filtered`](super::Filtered), a [`Dedup`](super::Dedup) or a [`Route`](super::Route) drops after taking it on is. Where the handler takes records and loses them later, as a
/// [`Queue`](super::Queue) does, what it lost during the call counts as this record; put no queue into a tuple behind an audit.
///
/// ```
/// use tracing_handlers::handler::Audit;
/// use tracing_handlers::{Error, Output, RecordBuf, Severity, format::Json, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let audit = Audit::new(Output::new(Json::new(), memory.clone()));
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(audit.clone()));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(target: "audit", user = "ada", "asked for a transfer");
///     let record = RecordBuf::new(Severity::NOTICE, "audit", "transfer").with_field("cents", 1_250_u64);
///     // No transfer without its record.
///     audit.log(&record.as_record())?;
///     assert_eq!(memory.lines().len(), 2);
///     Ok::<(), Error>(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub struct Audit<H> {
    shared: Arc<Shared<H>>,
}

struct Shared<H> {
    handler: H,
    timeout: Duration,
    name: String,
    tally: Tally,
}

impl<H: Handler> Audit<H> {
    /// What `handler` takes is delivered when the call returns.
    pub fn new(handler: H) -> Self {
        let timeout = Duration::from_secs(5);
        Self { shared: Arc::new(Shared { handler, timeout, name: "audit".to_owned(), tally: Tally::default() }) }
    }

    /// How long the flush of one record may take.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set("timeout", |shared| shared.timeout = timeout)
    }

    /// The name used in reports.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |shared| shared.name = name.into())
    }

    /// Stops the program at the first record that could not be delivered: see [`OrStop`].
    pub fn or_stop(self) -> OrStop<Self> {
        OrStop::new(self)
    }

    /// Delivers `record`, and comes back when that is done. Not through tracing: no layer and no other handler sees it.
    ///
    /// # Errors
    ///
    /// The record did not reach its end, or not in time ([`Timeout`](ErrorKind::Timeout)): then it may still do so later.
    pub fn log(&self, record: &Record<'_>) -> Result<(), Error> {
        self.shared.tally.one(self.shared.deliver(|handler| handler.handle(record)))
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shared<H>)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(shared),
            None => crate::selflog::tell(&format!(
                "`{setting}` has no effect: the audit `{}` has been cloned already",
                self.shared.name
            )),
        }
        self
    }
}

impl<H> Clone for Audit<H> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<H: Handler> Handler for Audit<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.log(record)
    }

    /// With one flush; when that fails, all of them have.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        if records.len() == 0 {
            return Ok(());
        }
        self.shared.tally.batch(records, self.shared.deliver(|handler| handler.handle_batch(records)))
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.shared.handler)
    }

    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.shared.name.as_str(), self.shared.tally.stats()))
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.shared.handler.enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.shared.handler.max_level()
    }

    fn span_events(&self) -> SpanEvents {
        self.shared.handler.span_events()
    }
}

impl<H: Handler> Shared<H> {
    fn deliver<E: From<Error>>(&self, handle: impl FnOnce(&H) -> Result<(), E>) -> Result<(), E> {
        let before = self.lost();
        guarded(|| handle(&self.handler))?;
        guarded(|| self.handler.flush(deadline_in(self.timeout)))?;
        let lost = self.lost().saturating_sub(before);
        if lost > 0 {
            let message = format!("{}: {lost} records were lost while this one was delivered", self.name);
            return Err(Error::new(ErrorKind::Closed, message).into());
        }
        Ok(())
    }

    /// What the handler itself has lost: those behind it may have, and somebody else may have delivered that.
    fn lost(&self) -> u64 {
        self.handler.stats().first().map_or(0, |report| report.stats.lost())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::handler::script::{Script, batch, record};
    use crate::handler::{Fallback, Queue};

    #[test]
    fn each_record_is_flushed_and_each_error_returned() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let audit = Audit::new(script.clone());
        audit.log(&record("a").as_record()).unwrap();
        assert_eq!((script.flushed(), script.delivered().len()), (1, 1));
        assert_eq!(audit.clone().log(&record("b").as_record()).unwrap_err().kind(), ErrorKind::Io);
        audit.handle_batch(batch(&["c", "d"]).records()).unwrap();
        let stats = audit.stats()[0].stats;
        assert!(stats.balances() && (stats.delivered, stats.failed, script.flushed()) == (3, 1, 2), "{stats:?}");
    }

    #[test]
    fn what_a_queue_loses_behind_the_call_is_an_error_all_the_same() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let audit = Audit::new(Queue::new(script.clone()));
        audit.log(&record("a").as_record()).unwrap();
        assert_eq!(audit.log(&record("b").as_record()).unwrap_err().kind(), ErrorKind::Closed);
        audit.log(&record("c").as_record()).unwrap();
        assert_eq!(script.delivered(), ["a", "c"]);
    }

    #[test]
    fn what_another_handler_took_over_is_no_error() {
        let (primary, second) = (Script::new([Some(ErrorKind::Io)]), Script::default());
        let audit = Audit::new(Fallback::new(primary).or(second.clone()));
        audit.log(&record("a").as_record()).unwrap();
        assert_eq!(second.delivered(), ["a"]);
    }

    #[test]
    fn a_flush_that_fails_is_the_record_s_error() {
        struct Late;
        impl Handler for Late {
            fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
                Ok(())
            }
            fn flush(&self, _: Instant) -> Result<(), Error> {
                Err(Error::new(ErrorKind::Timeout, "on purpose"))
            }
        }
        let audit = Audit::new(Late);
        assert_eq!(audit.log(&record("a").as_record()).unwrap_err().kind(), ErrorKind::Timeout);
        let partial = audit.handle_batch(batch(&["b", "c"]).records()).unwrap_err();
        assert_eq!((partial.delivered, audit.stats()[0].stats.failed), (0, 3));
    }
}
