use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::debug::TypeName;
use super::{Handler, OrStop, Report, Stats, Tally, guarded};
use crate::record::{Record, Records};
use crate::sync::deadline_in;
use crate::{Error, ErrorKind, Partial};

/// Delivers each record before the call returns, or returns an error: Serilog's `AuditTo`.
///
/// Each record is handled and flushed to the ends of the handler, on the logging thread. Clones share the handler: one goes into
/// the layer, another is called by the code that needs to know the outcome. An error for an event that comes through tracing is
/// reported to [`selflog`](crate::selflog), because a macro returns nothing; [`log`](Self::log) returns it, and
/// [`or_stop`](Self::or_stop) stops the program after it.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 5 s | how long the flush of one record may take |
/// | [`name`](Self::name) | `audit` | the name used in reports |
///
/// A record counts as delivered when the sink says so: for a file, when the operating system has it, not when it is on the disk. A
/// record that the handler does not want, because of an output's level or filter, is not an error; one that a
/// [`Filtered`](super::Filtered), a [`Dedup`](super::Dedup) or a [`Route`](super::Route) accepts and then drops is an error. If the
/// handler accepts records and loses them later, as a [`Queue`](super::Queue) does, any loss during the call counts as the loss of
/// this record; do not put a queue into a tuple behind an audit.
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
#[must_use = "a handler does nothing until records reach it"]
pub struct Audit<H> {
    core: Arc<AuditCore<H>>,
}

/// Takes no lock.
impl<H> fmt::Debug for Audit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("name", &self.core.name)
            .field("timeout", &self.core.timeout)
            .field("handler", &TypeName::of(&self.core.handler))
            .finish()
    }
}

struct AuditCore<H> {
    handler: H,
    timeout: Duration,
    name: String,
    tally: Tally,
}

impl<H: Handler> Audit<H> {
    /// Creates an audit in front of `handler`.
    pub fn new(handler: H) -> Self {
        let timeout = Duration::from_secs(5);
        Self { core: Arc::new(AuditCore { handler, timeout, name: "audit".to_owned(), tally: Tally::default() }) }
    }

    /// How long the flush of one record may take.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set("timeout", |core| core.timeout = timeout)
    }

    /// The name used in reports.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("name", |core| core.name = name.into())
    }

    /// Stops the program at the first record that could not be delivered: see [`OrStop`].
    pub fn or_stop(self) -> OrStop<Self> {
        OrStop::new(self)
    }

    /// Delivers `record`, and returns when that is done. The record does not pass through tracing: no layer and no other handler
    /// sees it.
    ///
    /// # Errors
    ///
    /// Returned if the record did not reach its end, or not in time ([`Timeout`](ErrorKind::Timeout)); in that case it may still do
    /// so later.
    pub fn log(&self, record: &Record<'_>) -> Result<(), Error> {
        self.core.tally.one(self.core.deliver(|handler| handler.handle(record)))
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut AuditCore<H>)) -> Self {
        match Arc::get_mut(&mut self.core) {
            Some(core) => set(core),
            None => crate::selflog::tell(&format!(
                "`{setting}` has no effect: the audit `{}` has been cloned already",
                self.core.name
            )),
        }
        self
    }
}

impl<H> Clone for Audit<H> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<H: Handler> Handler for Audit<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.log(record)
    }

    /// Flushes once for the whole batch; if the flush fails, all records of the batch have failed.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        if records.len() == 0 {
            return Ok(());
        }
        self.core.tally.batch(records, self.core.deliver(|handler| handler.handle_batch(records)))
    }

    around!(self => self.core.handler);

    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.core.name.as_str(), self.core.tally.stats()))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some(self.core.tally.stats())
    }
}

impl<H: Handler> AuditCore<H> {
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

    /// The losses of the handler itself. A loss behind it does not count: another handler may have delivered that record.
    fn lost(&self) -> u64 {
        let stats = first_stats(&self.handler).or_else(|| {
            // Of a handler that reports, but not in the way of this crate's.
            let mut reports = Vec::new();
            self.handler.report(&mut reports);
            reports.first().map(|report| report.stats)
        });
        stats.map_or(0, |stats| stats.lost())
    }
}

/// Returns the counts of the outermost handler that has some.
fn first_stats(handler: &dyn Handler) -> Option<Stats> {
    let mut found = handler.own_stats();
    if found.is_none() {
        let _ = handler.inner(&mut |inner| {
            found = first_stats(inner);
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    found
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
    fn records_that_a_queue_loses_during_the_call_are_an_error() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let audit = Audit::new(Queue::new(script.clone()));
        audit.log(&record("a").as_record()).unwrap();
        assert_eq!(audit.log(&record("b").as_record()).unwrap_err().kind(), ErrorKind::Closed);
        audit.log(&record("c").as_record()).unwrap();
        assert_eq!(script.delivered(), ["a", "c"]);
    }

    #[test]
    fn records_that_a_handler_loses_which_only_reports_are_an_error() {
        #[derive(Default)]
        struct Loses(std::sync::atomic::AtomicU64);
        impl Handler for Loses {
            fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            }
            fn report(&self, reports: &mut Vec<Report>) {
                let failed = self.0.load(std::sync::atomic::Ordering::Relaxed);
                reports.push(Report::new("loses", Stats { accepted: failed, failed, ..Stats::default() }));
            }
        }
        assert_eq!(Audit::new(Loses::default()).log(&record("a").as_record()).unwrap_err().kind(), ErrorKind::Closed);
    }

    #[test]
    fn a_record_delivered_by_a_fallback_is_not_an_error() {
        let (primary, second) = (Script::new([Some(ErrorKind::Io)]), Script::default());
        let audit = Audit::new(Fallback::new(primary).or(second.clone()));
        audit.log(&record("a").as_record()).unwrap();
        assert_eq!(second.delivered(), ["a"]);
    }

    #[test]
    fn a_failed_flush_is_the_error_of_the_record() {
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
