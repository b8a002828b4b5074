use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::debug::TypeName;
use super::{Handler, Report, Stats};
use crate::filter::{Filter, FilterExt};
use crate::record::{Batch, Record, RecordBuf, Records, pool};
use crate::rewrite::Rewrite;
use crate::{Error, ErrorKind, Partial};

/// Applies a [`Rewrite`] in front of handlers, which see only the result.
///
/// ```
/// use tracing_handlers::handler::Rewriting;
/// use tracing_handlers::{Output, Queue, format::Json, rewrite::Redact, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let handler = Rewriting::new(Redact::fields(["card"]), Output::new(Json::new(), memory.clone()));
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
/// tracing::subscriber::with_default(subscriber, || {
///     let _span = tracing::info_span!("pay", card = "4111 1111 1111 1111").entered();
///     tracing::info!("paid");
/// });
/// assert!(memory.text().contains(r#""card":"***""#));
/// assert!(!memory.text().contains("4111"));
/// ```
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`only`](Self::only) | all | which records are rewritten; the others pass unchanged |
#[must_use = "a handler does nothing until records reach it"]
pub struct Rewriting<R, H> {
    rewrite: R,
    only: Option<Box<dyn Filter>>,
    handler: H,
    failed: AtomicU64,
}

impl<R: Rewrite, H: Handler> Rewriting<R, H> {
    /// Creates a handler that applies `rewrite` in front of `handler`.
    pub fn new(rewrite: R, handler: H) -> Self {
        Self { rewrite, only: None, handler, failed: AtomicU64::new(0) }
    }

    /// Rewrites only the records that `filter` passes; the others are handed on unchanged. The filter judges records as they
    /// were logged. Its counts are not reported, since it drops nothing. Several filters are joined by `and`.
    ///
    /// ```
    /// use tracing_handlers::handler::Rewriting;
    /// use tracing_handlers::{Output, Severity, filter, format::{Text, Time}, rewrite::SetSeverity, sink::Memory};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let memory = Memory::new();
    /// let output = Output::new(Text::new().time(Time::none()), memory.clone()).level(tracing::Level::INFO);
    /// let handler = Rewriting::new(SetSeverity::to(Severity::DEBUG), output).only(filter::targets(["hyper"]));
    /// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(handler));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!(target: "hyper::pool", "connection reused");
    ///     tracing::info!(target: "shop", "sold");
    /// });
    /// assert_eq!(memory.lines(), [" INFO shop: sold"]);
    /// ```
    pub fn only(mut self, filter: impl Filter) -> Self {
        self.only = Some(match self.only {
            Some(before) => Box::new(before.and(filter)),
            None => Box::new(filter),
        });
        self
    }

    /// Returns the record that the handler may see, which is in `buf` if it is not the original. A record for which the rewrite or
    /// the filter panicked may still contain a secret, so it is not handed on.
    fn rewritten<'r>(&self, record: &Record<'r>, buf: &'r mut RecordBuf) -> Result<Record<'r>, Error> {
        let rewrite = AssertUnwindSafe(|| {
            let wanted = self.only.as_ref().is_none_or(|only| only.passes(record));
            if wanted {
                buf.copy_from(record);
                self.rewrite.rewrite(buf);
            }
            wanted
        });
        let rewritten = catch_unwind(rewrite).map_err(|_| {
            self.failed.fetch_add(1, Ordering::Relaxed);
            Error::new(ErrorKind::Panic, "a rewrite panicked")
        })?;
        Ok(if rewritten { buf.as_record() } else { *record })
    }
}

impl<R: Rewrite, H: Handler> Handler for Rewriting<R, H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut buf = take_spare();
        let result = self.rewritten(record, &mut buf).and_then(|record| self.handler.handle(&record));
        give_spare(buf);
        result
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let mut buf = take_spare();
        let mut rewritten = Batch::new();
        let (mut missed, mut failed) = (Vec::new(), None);
        for (place, record) in records.enumerate() {
            match self.rewritten(&record, &mut buf) {
                Ok(record) if missed.is_empty() => rewritten.push(&record),
                Ok(record) => rewritten.push_at(place, &record),
                Err(error) => {
                    missed.push(place);
                    failed = Some(error);
                }
            }
        }
        give_spare(buf);
        let handled = self.handler.handle_batch(rewritten.records());
        match failed {
            Some(error) => Err(not_rewritten(records.len(), missed, error, &rewritten, handled)),
            None => handled,
        }
    }

    around!(self => self.handler, deciding by self.only);

    /// Reports only records for which the rewrite panicked: they do not reach the handlers behind.
    fn own_report(&self) -> Option<Report> {
        self.own_stats().map(|stats| Report::new("rewrite", stats))
    }

    fn own_stats(&self) -> Option<Stats> {
        let failed = self.failed.load(Ordering::Relaxed);
        (failed > 0).then(|| Stats { accepted: failed, failed, ..Stats::default() })
    }
}

/// Joins the records that failed after the rewrite with those for which the rewrite failed.
#[cold]
fn not_rewritten(
    records: usize,
    mut missed: Vec<usize>,
    error: Error,
    rewritten: &Batch,
    handled: Result<(), Partial>,
) -> Partial {
    let Err(partial) = handled else { return Partial::scattered(records, missed, error) };
    missed.extend(partial.missed(rewritten.len()).filter_map(|index| rewritten.place(index)));
    missed.sort_unstable();
    Partial::scattered(records, missed, partial.error)
}

impl<R, H> fmt::Debug for Rewriting<R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rewrite, only, handler, .. } = self;
        f.debug_struct("Rewriting")
            .field("rewrite", &TypeName::of(rewrite))
            .field("only", &only.is_some())
            .field("handler", &TypeName::of(handler))
            .finish()
    }
}

fn take_spare() -> RecordBuf {
    SPARES.try_with(|spares| spares.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
}

fn give_spare(buf: RecordBuf) {
    if buf.capacity() > pool::KEEP_BYTES {
        return;
    }
    // A thread that is ending keeps nothing.
    let _ = SPARES.try_with(|spares| match spares.try_borrow_mut() {
        Ok(mut spares) if spares.len() < KEEP => spares.push(buf),
        _ => {}
    });
}

/// How many records a thread keeps: as many handlers of this kind may stand one behind the other.
const KEEP: usize = 8;

thread_local! {
    /// Kept for reuse, so that rewriting allocates nothing in the steady state.
    static SPARES: RefCell<Vec<RecordBuf>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::script::{Script, batch};

    struct Stumbles;

    impl Rewrite for Stumbles {
        fn rewrite(&self, record: &mut RecordBuf) {
            assert!(record.as_record().message() != "b", "on purpose");
            record.set_message("rewritten");
        }
    }

    #[test]
    fn missed_records_are_named_by_their_places_before_the_rewrite() {
        let io = Some(ErrorKind::Io);
        let records = batch(&["a", "b", "c", "d"]);
        let missed = |script: Script| {
            let partial = Rewriting::new(Stumbles, script).handle_batch(records.records()).unwrap_err();
            partial.missed(4).collect::<Vec<_>>()
        };
        assert_eq!(missed(Script::default()), [1]);
        assert_eq!(missed(Script::new([None, io])), [1, 2]);
        assert_eq!(missed(Script::new([io, None, io])), [0, 1, 3]);
    }
}
