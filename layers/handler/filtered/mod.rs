mod core;

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::core::FilteredCore;
use super::debug::TypeName;
use super::{DropReason, Dropped, Handler, Report, Stats, guarded};
use crate::filter::Filter;
use crate::process::Lifecycle;
use crate::record::{Batch, Kind, Meta, Record, Records, SpanEvents};
use crate::{Error, ErrorKind, Partial};

/// Puts a [`Filter`] in front of a handler, counts what it drops, and can report that in the log itself.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`tell_every`](Self::tell_every) | never | how often a record in the log reports how many records were dropped, and why |
/// | [`name`](Self::name) | `filtered` | the name used in reports |
///
/// Its [report](Handler::report) counts all records that the handler behind it wants as accepted, and those dropped by reason:
/// [`Filtered`](DropReason::Filtered), [`Sampled`](DropReason::Sampled), [`RateLimited`](DropReason::RateLimited). The filter is
/// not asked about other records, so that they do not use up a rate. A callsite that the filter rejects by its metadata alone is
/// disabled, unless another handler wants it: its records are never created, and not counted.
///
/// Loss notices ([`Kind::Loss`]) pass uncounted, and the filter does not limit which spans are captured: those that the handlers
/// behind want, by their own levels ([`Output::spans`](crate::Output::spans)).
///
/// ```
/// use tracing_handlers::handler::Filtered;
/// use tracing_handlers::stats::DropReason;
/// use tracing_handlers::{Handler, Output, filter, format::{Text, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
/// let layer = tracing_handlers::layer(Filtered::new(filter::one_in(3), output));
/// let handle = layer.handle();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || (1..=4).for_each(|n| tracing::info!("{n}")));
/// assert_eq!(memory.lines(), [" INFO 1", " INFO 4"]);
/// let stats = handle.stats()[0].stats;
/// assert_eq!((stats.accepted, stats.delivered, stats.dropped.by(DropReason::Sampled)), (4, 2, 2));
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct Filtered<F: Filter, H: Handler> {
    core: Lifecycle<FilteredCore<F, H>>,
}

impl<F: Filter, H: Handler> Filtered<F, H> {
    /// Creates a handler that puts `filter` in front of `handler`, which may be several: a tuple, a `Vec`.
    pub fn new(filter: F, handler: H) -> Self {
        Self { core: Lifecycle::new("filtered", FilteredCore::new(filter, handler), Dropped::default()) }
    }

    /// Reports in the log what was dropped: a WARN record `37 records filtered here: rate limited 30, sampled 7` with the field
    /// `lost`, before the next record that passes once `interval` has elapsed since the first drop, by the records' own times. The
    /// rest is reported on flush, when this handler is dropped, and when the process ends. With zero, every record that passes is
    /// preceded by a report, if there is anything to report.
    ///
    /// Making such a record allocates.
    pub fn tell_every(mut self, interval: Duration) -> Self {
        self.core.set("tell_every", |core| core.tell_every = Some(interval));
        self
    }

    /// The name used in reports.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.core.set("name", |core| core.name = name.into());
        self
    }

    /// Decides about a record. If the filter panics, the record is lost.
    fn judge(&self, record: &Record<'_>) -> Judged {
        let core = self.core.start();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            if !core.wanted.wants(&core.handler, record) {
                return Judged::Unwanted;
            }
            match record.kind() {
                Kind::Loss => Judged::Notice,
                _ => core.filter.refusal(record).map_or(Judged::Passes, Judged::Dropped),
            }
        }));
        match judged {
            Ok(Judged::Dropped(reason)) => core.drop_record(record, reason),
            Ok(_) => {}
            Err(_) => core.tally.add(0, 1),
        }
        judged.unwrap_or(Judged::Failed)
    }

    fn hand_on(&self, record: &Record<'_>) -> Result<(), Error> {
        if let Some(notice) = self.core.due_before(record) {
            self.core.tell(&notice);
        }
        self.core.tally.one(guarded(|| self.core.handler.handle(record)))
    }

    /// The records that pass, each preceded by the notice that is due before it.
    fn sort(&self, records: Records<'_>) -> Sorted {
        let mut sorted = Sorted { all: records.len(), passing: Batch::new(), panicked: Vec::new() };
        for (place, record) in records.enumerate() {
            match self.judge(&record) {
                Judged::Unwanted | Judged::Dropped(_) => {}
                Judged::Failed => sorted.panicked.push(place),
                Judged::Notice => sorted.passing.push_at(place, &record),
                Judged::Passes => {
                    if let Some(notice) = self.core.due_before(&record) {
                        sorted.passing.push_own(&notice.as_record());
                    }
                    sorted.passing.push_at(place, &record);
                }
            }
        }
        sorted
    }

    /// Returns what the handler behind did not deliver, by the places in the original batch.
    #[cold]
    fn batch_failed(&self, sorted: Sorted, partial: Partial) -> Result<(), Partial> {
        let Sorted { all, passing, panicked } = sorted;
        let left = passing.missed_of(&partial);
        let failed = left.len() - left.notices();
        self.core.tally.add(passing.len() - passing.notices() - failed, failed);
        let mut missed: Vec<_> = (0..left.len()).filter_map(|index| left.place(index)).chain(panicked).collect();
        if missed.is_empty() && !left.is_empty() {
            // Only notices of this handler failed, which are not the caller's records.
            self.core.not_told(&partial.error);
            return Ok(());
        }
        missed.sort_unstable();
        Err(Partial::scattered(all, missed, partial.error))
    }
}

/// Takes no lock.
impl<F: Filter, H: Handler> fmt::Debug for Filtered<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FilteredCore { filter, handler, tell_every, .. } = &**self.core;
        f.debug_struct("Filtered")
            .field("name", &self.core.name)
            .field("tell_every", tell_every)
            .field("filter", &TypeName::of(filter))
            .field("handler", &TypeName::of(handler))
            .finish()
    }
}

impl<F: Filter, H: Handler> Handler for Filtered<F, H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        match self.judge(record) {
            Judged::Unwanted | Judged::Dropped(_) => Ok(()),
            Judged::Failed => Err(filter_panicked()),
            Judged::Notice => self.core.handler.handle(record),
            Judged::Passes => self.hand_on(record),
        }
    }

    /// The records that pass are handed on in one batch.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let sorted = self.sort(records);
        if !sorted.passing.is_empty()
            && let Err(partial) = guarded(|| self.core.handler.handle_batch(sorted.passing.records()))
        {
            return self.batch_failed(sorted, partial);
        }
        self.core.tally.add(sorted.passing.len() - sorted.passing.notices(), 0);
        match sorted.panicked.is_empty() {
            true => Ok(()),
            false => Err(Partial::scattered(sorted.all, sorted.panicked, filter_panicked())),
        }
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.core.handler)
    }

    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.core.name.as_str(), (**self.core).stats()))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some((**self.core).stats())
    }

    /// As in an `Output`, spans are wanted for the events in them, so the filter does not apply to spans.
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let FilteredCore { filter, handler, .. } = &**self.core;
        match meta.is_span {
            true if filter.max_level() == LevelFilter::OFF => false,
            true => handler.enabled(meta) || (filter.needs_span(meta) && handler.max_level() != LevelFilter::OFF),
            false => filter.enabled(meta) && handler.enabled(meta),
        }
    }

    /// The handler's level: how much of it is for spans, which the filter does not limit, is not known here.
    fn max_level(&self) -> LevelFilter {
        match (self.core.filter.max_level(), self.core.handler.max_level()) {
            (LevelFilter::OFF, _) | (_, LevelFilter::OFF) => LevelFilter::OFF,
            (_, level) => level.max(self.core.filter.span_level()),
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.core.handler.span_events()
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.core.tell_last();
        self.core.handler.flush(deadline)
    }

    /// Its own counts, then those of its filter, then those behind it.
    fn report(&self, reports: &mut Vec<Report>) {
        reports.extend(self.own_report());
        self.core.filter.report(reports);
        self.core.handler.report(reports);
    }
}

/// Reports the remaining drops before the handler behind is dropped too.
impl<F: Filter, H: Handler> Drop for Filtered<F, H> {
    fn drop(&mut self) {
        self.core.tell_last();
    }
}

fn filter_panicked() -> Error {
    Error::new(ErrorKind::Panic, "a filter panicked")
}

enum Judged {
    /// The handler does not want it.
    Unwanted,
    /// A loss notice.
    Notice,
    Passes,
    Dropped(DropReason),
    Failed,
}

/// A batch after the filter.
struct Sorted {
    /// The number of records in the batch.
    all: usize,
    /// The records for the handler.
    passing: Batch,
    /// The places of the records for which the filter panicked.
    panicked: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::filter;
    use crate::handler::script::{Script, batch};
    use crate::record::{RecordBuf, Severity};

    /// Wants the close events of spans.
    #[derive(Default)]
    struct Closes(AtomicU64);

    impl Handler for Closes {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn span_events(&self) -> SpanEvents {
            SpanEvents::CLOSE
        }
    }

    #[test]
    fn records_of_spans_are_filtered_like_others_if_the_handler_asks_for_them() {
        let closes = Arc::new(Closes::default());
        let filtered = Filtered::new(filter::one_in(2), closes.clone());
        let record = |kind| RecordBuf::of_kind(kind, Severity::INFO, "shop", "");
        let kinds = [Kind::SpanNew, Kind::SpanClose, Kind::SpanEnter, Kind::SpanClose, Kind::Event, Kind::Loss];
        let records = kinds.map(record);
        records.iter().for_each(|record| assert!(filtered.handle(&record.as_record()).is_ok()));
        let batch: Batch = records.iter().collect();
        assert!(filtered.handle_batch(batch.records()).is_ok());
        // Each round has two closes and an event, and every other record passes: 3 of 6, plus the notices.
        assert_eq!(closes.0.load(Ordering::Relaxed), 3 + 2);
        let stats = filtered.stats()[0].stats;
        assert_eq!((stats.accepted, stats.delivered), (6, 3));
    }

    #[test]
    fn missed_records_are_named_by_their_places_in_the_original_batch() {
        let io = Some(ErrorKind::Io);
        let keep = || {
            filter::on_record(|record| match record.message() {
                "panic" => panic!("on purpose"),
                message => message != "dropped",
            })
        };
        let missed = |script: Vec<_>, messages: &[&str]| {
            let filtered = Filtered::new(keep(), Script::new(script));
            let partial = filtered.handle_batch(batch(messages).records()).unwrap_err();
            let missed: Vec<_> = partial.missed(messages.len()).collect();
            let stats = filtered.stats()[0].stats;
            assert!(stats.balances() && stats.failed == missed.len() as u64, "{stats:?}");
            missed
        };
        assert_eq!(missed(vec![io], &["a", "b", "c"]), [0]);
        assert_eq!(missed(vec![None, io], &["dropped", "a", "b", "dropped"]), [2]);
        assert_eq!(missed(vec![], &["a", "panic", "b"]), [1]);
        assert_eq!(missed(vec![io], &["a", "panic", "b"]), [0, 1]);
    }

    #[test]
    fn a_retry_in_front_sends_only_missed_records_again() {
        let script = Script::new([Some(ErrorKind::Io)]);
        let filtered = Filtered::new(filter::on_record(|record| record.message() != "dropped"), script.clone());
        let retry = crate::handler::Retry::new(filtered).wait_by(|_| ());
        retry.handle_batch(batch(&["a", "dropped", "b", "dropped"]).records()).unwrap();
        assert_eq!(script.delivered(), ["b", "a"]);
    }

    #[test]
    fn a_missed_notice_is_not_a_record_of_the_batch() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let filtered = Filtered::new(filter::one_in(2), script.clone()).tell_every(Duration::ZERO);
        filtered.handle_batch(batch(&["a", "dropped", "b"]).records()).unwrap();
        assert_eq!(script.delivered(), ["a", "b"]);
        let stats = filtered.stats()[0].stats;
        assert_eq!((stats.delivered, stats.failed), (2, 0));
    }
}
