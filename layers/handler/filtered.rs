mod shared;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;

use self::shared::{NEVER, Shared};
use super::rest::Rest;
use super::{DropReason, Handler, Report, guarded};
use crate::filter::Filter;
use crate::record::{Kind, Meta, Record, RecordBuf, Records, SpanEvents};
use crate::{Error, ErrorKind, Partial};

/// A [`Filter`] in front of any handler, which counts what it drops and can tell of it in the log itself.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`tell_every`](Self::tell_every) | never | a record in the log says how many were dropped, and why |
/// | [`name`](Self::name) | `filtered` | how reports call it |
///
/// Its [report](Handler::report) has all records that the handler behind it wants as accepted, and those dropped by reason:
/// [`Filtered`](DropReason::Filtered), [`Sampled`](DropReason::Sampled), [`RateLimited`](DropReason::RateLimited). The filter is
/// not asked about others, so that they use up nothing of a rate. What it knows from the metadata alone, though, switches
/// the callsite off where no other handler wants it: such records are never made, and not counted.
///
/// Records that tell of lost ones ([`Kind::Loss`]) go through uncounted, and spans are the handler's own business.
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
pub struct Filtered<F, H: Handler> {
    filter: F,
    name: String,
    tell_every: Option<Duration>,
    shared: Arc<Shared<H>>,
}

impl<F: Filter, H: Handler> Filtered<F, H> {
    /// `filter` in front of `handler`, which may be several: a tuple, a `Vec`.
    pub fn new(filter: F, handler: H) -> Self {
        let shared = Arc::new(Shared::new(handler));
        Self { filter, name: "filtered".to_owned(), tell_every: None, shared }
    }

    /// Tells in the log what was dropped: a WARN record `37 records filtered here: rate limited 30, sampled 7` with the field
    /// `lost`, before the next one that passes once `interval` is over since the first of them, by the records' own times; and
    /// the rest on flush, when this is dropped, and when the process ends. Zero: before each that passes.
    ///
    /// Such a record is made anew, which takes some allocations.
    pub fn tell_every(mut self, interval: Duration) -> Self {
        self.tell_every = Some(interval);
        self
    }

    /// How reports call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What is to become of a record; a filter that panics costs it.
    fn judge(&self, record: &Record<'_>) -> Judged {
        let judged = catch_unwind(AssertUnwindSafe(|| {
            if !self.shared.wants(record) {
                return Judged::Unwanted;
            }
            match record.kind() {
                Kind::Loss => Judged::Notice,
                _ => self.filter.refusal(record).map_or(Judged::Passes, Judged::Dropped),
            }
        }));
        match judged {
            Ok(Judged::Dropped(reason)) => self.drop_record(record, reason),
            Ok(_) => {}
            Err(_) => drop(self.shared.failed.fetch_add(1, Ordering::Relaxed)),
        }
        judged.unwrap_or(Judged::Failed)
    }

    fn drop_record(&self, record: &Record<'_>, reason: DropReason) {
        self.shared.dropped.add(reason);
        let Some(interval) = self.tell_every else { return };
        Shared::register(&self.shared);
        let now = record.time().unix_nanos();
        self.shared.last.store(now, Ordering::Relaxed);
        let interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
        let due = now.saturating_add(interval).min(NEVER - 1);
        // For the first of those not told yet. Whoever tells sets it back before he counts them.
        if self.shared.due.load(Ordering::SeqCst) == NEVER {
            let _ = self.shared.due.compare_exchange(NEVER, due, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    fn hand_on(&self, record: &Record<'_>) -> Result<(), Error> {
        if let Some(notice) = self.due_before(record) {
            self.shared.tell(&self.name, &notice);
        }
        let handled = guarded(|| self.shared.handler.handle(record));
        self.shared.handled(u64::from(handled.is_ok()), u64::from(handled.is_err()));
        handled
    }

    /// Those that go on, each behind the notice that has to stand before it.
    fn sort(&self, records: Records<'_>) -> Sorted {
        let mut sorted = Sorted { all: 0, go_on: Rest::new(), passed: 0, panicked: Vec::new() };
        for (place, record) in records.enumerate() {
            sorted.all = place + 1;
            match self.judge(&record) {
                Judged::Unwanted | Judged::Dropped(_) => continue,
                Judged::Failed => {
                    sorted.panicked.push(place);
                    continue;
                }
                Judged::Notice => {}
                Judged::Passes => {
                    if let Some(notice) = self.due_before(&record) {
                        sorted.go_on.push(NOWHERE, &notice.as_record());
                    }
                    sorted.passed += 1;
                }
            }
            sorted.go_on.push(place, &record);
        }
        sorted
    }

    /// What the handler behind did not deliver, by the places in the batch that came.
    #[cold]
    fn batch_failed(&self, mut sorted: Sorted, partial: Partial) -> Result<(), Partial> {
        let rest = sorted.go_on.after(&partial);
        let mut failed = 0;
        for (at, record) in rest.records().enumerate() {
            failed += usize::from(record.kind() != Kind::Loss);
            if rest.place(at) != NOWHERE {
                sorted.panicked.push(rest.place(at));
            }
        }
        self.shared.handled((sorted.passed - failed) as u64, failed as u64);
        let mut missed = sorted.panicked;
        if missed.is_empty() && rest.len() > 0 {
            // Only of notices that are nobody's record.
            self.shared.not_told(&self.name, &partial.error);
            return Ok(());
        }
        missed.sort_unstable();
        Err(Partial::scattered(sorted.all, missed, partial.error))
    }

    /// The notice that has to stand before this record.
    #[inline]
    fn due_before(&self, record: &Record<'_>) -> Option<RecordBuf> {
        let due = self.shared.due.load(Ordering::Relaxed);
        if due == NEVER || record.time().unix_nanos() < due {
            return None;
        }
        self.shared.notice(record.time())
    }
}

impl<F: Filter, H: Handler> Handler for Filtered<F, H> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        // As an `Output` has it: spans are wanted for the events in them, which the filter must not cost their spans.
        let passes = if meta.is_span { self.filter.max_level() != LevelFilter::OFF } else { self.filter.enabled(meta) };
        passes && self.shared.handler.enabled(meta)
    }

    /// The handler's: how much of it is for spans, which the filter does not limit, is not known here.
    fn max_level(&self) -> LevelFilter {
        match self.filter.max_level() {
            LevelFilter::OFF => LevelFilter::OFF,
            _ => self.shared.handler.max_level(),
        }
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        match self.judge(record) {
            Judged::Unwanted | Judged::Dropped(_) => Ok(()),
            Judged::Failed => Err(filter_panicked()),
            Judged::Notice => self.shared.handler.handle(record),
            Judged::Passes => self.hand_on(record),
        }
    }

    /// Those that pass go on together.
    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let sorted = self.sort(records);
        if sorted.go_on.len() > 0
            && let Err(partial) = guarded(|| self.shared.handler.handle_batch(sorted.go_on.records()))
        {
            return self.batch_failed(sorted, partial);
        }
        self.shared.handled(sorted.passed as u64, 0);
        match sorted.panicked.is_empty() {
            true => Ok(()),
            false => Err(Partial::scattered(sorted.all, sorted.panicked, filter_panicked())),
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.shared.handler.span_events()
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.shared.tell_rest(&self.name);
        self.shared.handler.flush(deadline)
    }

    fn report(&self, reports: &mut Vec<Report>) {
        reports.push(Report::new(&*self.name, self.shared.stats()));
        self.filter.report(reports);
        self.shared.handler.report(reports);
    }
}

/// What was not told yet is told to the handler before it is dropped too.
impl<F, H: Handler> Drop for Filtered<F, H> {
    fn drop(&mut self) {
        self.shared.tell_rest(&self.name);
    }
}

fn filter_panicked() -> Error {
    Error::new(ErrorKind::Panic, "a filter panicked")
}

enum Judged {
    /// The handler does not want it.
    Unwanted,
    /// It only tells of others.
    Notice,
    Passes,
    Dropped(DropReason),
    Failed,
}

/// What a batch consists of.
struct Sorted {
    all: usize,
    /// What the handler gets.
    go_on: Rest,
    /// How many of those are counted: notices are not.
    passed: usize,
    /// The places of those that the filter panicked at.
    panicked: Vec<usize>,
}

/// The place of a notice that was made here.
const NOWHERE: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::filter;
    use crate::handler::script::{Script, batch};
    use crate::record::Severity;

    /// Wants of spans that they are over.
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
        let mut raw = Vec::new();
        for kind in kinds {
            assert!(filtered.handle(&record(kind).as_record()).is_ok());
            raw.extend_from_slice(record(kind).as_record().raw());
        }
        assert!(filtered.handle_batch(Records::new(&raw)).is_ok());
        // Of each round the first close, the second, the event: every other of six. And the notices.
        assert_eq!(closes.0.load(Ordering::Relaxed), 3 + 2);
        let stats = filtered.stats()[0].stats;
        assert_eq!((stats.accepted, stats.delivered), (6, 3));
    }

    #[test]
    fn what_a_batch_missed_is_told_by_its_places_whatever_was_dropped() {
        let io = Some(ErrorKind::Io);
        let keep = || {
            filter::on_record(|record| match record.message() {
                "panic" => panic!("on purpose"),
                message => message != "dropped",
            })
        };
        let missed = |script: Vec<_>, messages: &[&str]| {
            let filtered = Filtered::new(keep(), Script::new(script));
            let partial = filtered.handle_batch(Records::new(&batch(messages))).unwrap_err();
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
    fn a_retry_in_front_sends_what_was_missed_again_and_nothing_twice() {
        let script = Script::new([Some(ErrorKind::Io)]);
        let filtered = Filtered::new(filter::on_record(|record| record.message() != "dropped"), script.clone());
        let retry = crate::handler::Retry::new(filtered).wait_by(|_| ());
        retry.handle_batch(Records::new(&batch(&["a", "dropped", "b", "dropped"]))).unwrap();
        assert_eq!(script.delivered(), ["b", "a"]);
    }

    #[test]
    fn a_notice_that_is_missed_is_no_record_of_the_batch() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let filtered = Filtered::new(filter::one_in(2), script.clone()).tell_every(Duration::ZERO);
        filtered.handle_batch(Records::new(&batch(&["a", "dropped", "b"]))).unwrap();
        assert_eq!(script.delivered(), ["a", "b"]);
        let stats = filtered.stats()[0].stats;
        assert_eq!((stats.delivered, stats.failed), (2, 0));
    }
}
