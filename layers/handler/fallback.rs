use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::group::one;
use super::wanted::Wanted;
use super::{Handler, Report, Stats, Tally, guarded};
use crate::clock::{Clock, System};
use crate::record::{Batch, Meta, Record, Records, SpanEvents};
use crate::{Error, ErrorKind, Partial, selflog};

/// Hands records that one handler cannot deliver to others: log4j2's `Failover`, Serilog's `FallbackChain`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`or`](Self::or) | none | another handler, for records that those before it could not deliver |
/// | [`retry_interval`](Self::retry_interval) | 60 s | how long the first handler is left alone after it failed |
/// | [`clock`](Self::clock) | the system's | measures that time |
/// | [`name`](Self::name) | `fallback` | the name used in reports and selflog messages |
///
/// After a failure the first handler, the primary, is left alone for the interval; then the next record that it wants is the
/// probe. The others are tried in order, for each record. The records of a batch that one handler could not deliver go to the next.
/// Each change of the primary's state is reported to [`selflog`](crate::selflog); failures of another handler are reported at most
/// once per interval.
///
/// A record has failed if no handler took it; then the last error is returned. A record that a handler does not want counts as
/// taken by it. A handler takes a record when its `handle` returns `Ok`: a [`Queue`](super::Queue) always does, so it must be
/// placed in front of the fallback, not inside. While the primary is left alone it does not see the records at all: an
/// [`Output`](super::Output) there logs how many records its own sink refused, not how many bypassed it.
///
/// ```
/// use tracing_handlers::handler::{Fallback, Handler, from_fn};
/// use tracing_handlers::{Error, ErrorKind, Output, RecordBuf, Severity, format::Json, sink::Memory};
///
/// # tracing_handlers::selflog::set(|_| ());
/// let network = from_fn(|_record| Err(Error::new(ErrorKind::Io, "no route to host")));
/// let disk = Memory::new();
/// let fallback = Fallback::new(network).or(Output::new(Json::new(), disk.clone()));
/// fallback.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record())?;
/// assert_eq!(disk.lines().len(), 1);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct Fallback {
    primary: Link,
    others: Vec<Link>,
    interval: Duration,
    clock: Box<dyn Clock>,
    name: String,
    tally: Tally,
}

impl Fallback {
    /// Creates a fallback whose first handler is `primary`.
    pub fn new(primary: impl Handler) -> Self {
        Self {
            primary: Link::new(primary),
            others: Vec::new(),
            interval: Duration::from_secs(60),
            clock: Box::new(System),
            name: "fallback".to_owned(),
            tally: Tally::default(),
        }
    }

    /// Adds a handler for the records that those before it could not deliver.
    pub fn or(mut self, handler: impl Handler) -> Self {
        self.others.push(Link::new(handler));
        self
    }

    /// How long the primary is left alone after it failed. With zero it is tried with each record.
    pub fn retry_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The clock that measures the interval.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The name used in reports and selflog messages.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn hand(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut failed = match self.attempt(std::iter::once(*record)) {
            Attempt::Rests => None,
            attempt => match self.try_primary(attempt, || Ok(one(&*self.primary.handler, record)?)) {
                Ok(()) => return Ok(()),
                Err(partial) => Some(partial.error),
            },
        };
        for (index, other) in self.others.iter().enumerate() {
            match one(&*other.handler, record) {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(self.other_failed(index, error)),
            }
        }
        Err(failed.unwrap_or_else(|| self.no_other()))
    }

    fn hand_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        if records.len() == 0 {
            return Ok(());
        }
        let (mut rest, mut failed) = match self.attempt(records) {
            Attempt::Rests => (records.collect(), None),
            Attempt::Probe => match self.probe_with_one(records) {
                (rest, None) if rest.is_empty() => return Ok(()),
                rest_and_error => rest_and_error,
            },
            Attempt::Works => match self.try_primary(Attempt::Works, || self.primary.handler.handle_batch(records)) {
                Ok(()) => return Ok(()),
                Err(partial) => (Batch::missed(records, &partial), Some(partial.error)),
            },
        };
        for (index, other) in self.others.iter().enumerate() {
            match guarded(|| other.handler.handle_batch(rest.records())) {
                Ok(()) => return Ok(()),
                Err(partial) => {
                    rest = rest.missed_of(&partial);
                    failed = Some(self.other_failed(index, partial.error));
                }
            }
        }
        Err(rest.into_partial(records.len(), failed.unwrap_or_else(|| self.no_other())))
    }

    /// Probes with the first record of the batch that the primary wants, so that a primary that still hangs does so only once. The
    /// records before it go to the other handlers, as if they had been logged one by one. Returns what the primary has not taken,
    /// and its error.
    fn probe_with_one(&self, records: Records<'_>) -> (Batch, Option<Error>) {
        let mut after = records;
        let mut rest = Batch::new();
        let probe = loop {
            match after.next() {
                Some(record) if self.primary.wants(&record) => break record,
                Some(record) => rest.push(&record),
                None => return (rest, None),
            }
        };
        if let Err(partial) = self.try_primary(Attempt::Probe, || Ok(one(&*self.primary.handler, &probe)?)) {
            return (records.collect(), Some(partial.error));
        }
        let before = rest.len() + 1;
        let handled = self.try_primary(Attempt::Works, || self.primary.handler.handle_batch(after));
        let error = handled.err().map(|partial| {
            let left = Batch::missed(after, &partial);
            for (index, record) in left.records().enumerate() {
                rest.push_at(left.place(index).unwrap_or(index) + before, &record);
            }
            partial.error
        });
        (rest, error)
    }

    /// How to use the primary for the next record or batch.
    fn attempt<'r>(&self, mut next: impl Iterator<Item = Record<'r>>) -> Attempt {
        let since = self.primary.failed_at.load(Ordering::Relaxed);
        if since == WORKS {
            return Attempt::Works;
        }
        let now = self.now();
        // A record that it does not want would prove nothing.
        if !self.is_over(since, now) || !next.any(|record| self.primary.wants(&record)) {
            return Attempt::Rests;
        }
        // One thread probes; for the others the primary rests until the outcome is known.
        let won = self.primary.failed_at.compare_exchange(since, now, Ordering::Relaxed, Ordering::Relaxed);
        won.map_or(Attempt::Rests, |_| Attempt::Probe)
    }

    /// Whether the interval is over. A clock that is set back does not extend it.
    fn is_over(&self, since: i64, now: i64) -> bool {
        now < since || u128::from(now.abs_diff(since)) >= self.interval.as_millis()
    }

    fn try_primary(&self, attempt: Attempt, handle: impl FnOnce() -> Result<(), Partial>) -> Result<(), Partial> {
        let handled = guarded(handle);
        match &handled {
            Ok(()) if attempt == Attempt::Probe => self.primary_recovered(),
            Ok(()) => {}
            Err(partial) => self.primary_failed(attempt, &partial.error),
        }
        handled
    }

    #[cold]
    fn primary_recovered(&self) {
        self.primary.failed_at.store(WORKS, Ordering::Relaxed);
        selflog::tell(&format!("{}: the primary works again", self.name));
    }

    #[cold]
    fn primary_failed(&self, attempt: Attempt, error: &Error) {
        let now = self.now();
        if attempt == Attempt::Probe {
            self.primary.failed_at.store(now, Ordering::Relaxed);
            return;
        }
        // Of several threads that see it fail, one reports it.
        if self.primary.failed_at.compare_exchange(WORKS, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let rest = if self.others.is_empty() { "it" } else { "others take its records, and it" };
            let seconds = self.interval.as_secs_f64();
            selflog::tell(&format!(
                "{}: the primary failed; {rest} is left alone for {seconds} s: {error:#}",
                self.name
            ));
        }
    }

    #[cold]
    fn other_failed(&self, index: usize, error: Error) -> Error {
        let link = &self.others[index];
        let (since, now) = (link.failed_at.load(Ordering::Relaxed), self.now());
        let is_news = since == WORKS || self.is_over(since, now);
        let is_first = || link.failed_at.compare_exchange(since, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_news && is_first() {
            selflog::tell(&format!("{}: handler {} failed: {error:#}", self.name, index + 2));
        }
        error
    }

    #[cold]
    fn no_other(&self) -> Error {
        let message =
            format!("{}: the primary is left alone after a failure, and there is no other handler", self.name);
        Error::new(ErrorKind::Closed, message).with_handler(self.name.as_str())
    }

    fn now(&self) -> i64 {
        // Monotonic: the interval does not change because the wall clock was set.
        i64::try_from(self.clock.monotonic().as_millis()).unwrap_or(i64::MAX)
    }

    fn links(&self) -> impl Iterator<Item = &dyn Handler> {
        std::iter::once(&self.primary).chain(&self.others).map(|link| &*link.handler)
    }
}

impl Handler for Fallback {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.tally.one(self.hand(record))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.tally.batch(records, self.hand_batch(records))
    }

    /// The primary first.
    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        self.links().try_for_each(visit)
    }

    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.name.as_str(), self.tally.stats()))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some(self.tally.stats())
    }

    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.links().any(|handler| handler.enabled(meta))
    }

    fn max_level(&self) -> LevelFilter {
        self.links().map(Handler::max_level).max().unwrap_or(LevelFilter::OFF)
    }

    fn span_events(&self) -> SpanEvents {
        self.links().fold(SpanEvents::NONE, |all, handler| all | handler.span_events())
    }
}

/// Takes no lock.
impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("name", &self.name)
            .field("handlers", &(1 + self.others.len()))
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// One handler of the chain. It has no lock, so that a fork cannot find it locked.
struct Link {
    handler: Box<dyn Handler>,
    wanted: Wanted,
    /// When the primary failed, or when a failure of another handler was last reported, in milliseconds.
    failed_at: AtomicI64,
}

impl Link {
    fn new(handler: impl Handler) -> Self {
        Self { handler: Box::new(handler), wanted: Wanted::new(), failed_at: AtomicI64::new(WORKS) }
    }

    fn wants(&self, record: &Record<'_>) -> bool {
        self.wanted.wants(&*self.handler, record)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Works,
    /// The primary failed and is left alone.
    Rests,
    /// The primary failed, and this caller tests whether it works again.
    Probe,
}

const WORKS: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Manual, Timestamp};
    use crate::handler::script::{Script, batch, record};
    use crate::record::{RecordBuf, Severity};

    const IO: Option<ErrorKind> = Some(ErrorKind::Io);

    fn fallback(primary: &Script, second: &Script) -> (Fallback, Arc<Manual>) {
        let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
        (Fallback::new(primary.clone()).or(second.clone()).clock(clock.clone()), clock)
    }

    fn send(to: &Fallback, message: &str) {
        to.handle(&record(message).as_record()).unwrap();
    }

    #[test]
    fn the_primary_is_left_alone_for_the_interval_and_then_probed() {
        let (primary, second) = (Script::new([None, IO, IO]), Script::default());
        let (fallback, clock) = fallback(&primary, &second);
        ["a", "b", "c"].into_iter().for_each(|message| send(&fallback, message));
        assert_eq!((primary.tried(), second.delivered()), (2, vec!["b".to_owned(), "c".to_owned()]));
        clock.advance(Duration::from_millis(59_999));
        send(&fallback, "d");
        assert_eq!(primary.tried(), 2);
        clock.advance(Duration::from_millis(1));
        // The probe fails, and the interval starts again.
        ["e", "f"].into_iter().for_each(|message| send(&fallback, message));
        assert_eq!(primary.tried(), 3);
        clock.advance(Duration::from_secs(60));
        ["g", "h"].into_iter().for_each(|message| send(&fallback, message));
        assert_eq!(primary.delivered(), ["a", "g", "h"]);
        assert_eq!(second.delivered(), ["b", "c", "d", "e", "f"]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_the_primary_waiting() {
        let (primary, second) = (Script::new([IO]), Script::default());
        let (fallback, clock) = fallback(&primary, &second);
        send(&fallback, "a");
        clock.set(Timestamp::new(0, 0));
        send(&fallback, "b");
        assert_eq!(primary.delivered(), ["b"]);
    }

    #[test]
    fn a_wall_clock_that_is_set_neither_shortens_nor_lengthens_the_interval() {
        for to in [0, 1_000_000] {
            let (primary, second) = (Script::new([IO]), Script::default());
            let (fallback, clock) = fallback(&primary, &second);
            send(&fallback, "a");
            clock.step(Timestamp::new(to, 0));
            clock.advance(Duration::from_secs(59));
            send(&fallback, "b");
            clock.advance(Duration::from_secs(1));
            send(&fallback, "c");
            assert_eq!((primary.delivered(), second.delivered().len()), (vec!["c".to_owned()], 2));
        }
    }

    #[test]
    fn only_the_failed_records_of_a_batch_go_to_the_next_handler() {
        let (primary, second) = (Script::new([None, IO, None, IO]), Script::new([IO]));
        let third = Script::default();
        let (fallback, _) = fallback(&primary, &second);
        let fallback = fallback.or(third.clone());
        fallback.handle_batch(batch(&["a", "b", "c", "d"]).records()).unwrap();
        assert_eq!((primary.delivered(), second.delivered()), (vec!["a".into(), "c".into()], vec!["d".to_owned()]));
        assert_eq!(third.delivered(), ["b"]);
        assert_eq!(fallback.stats()[0].stats.delivered, 4);
    }

    #[test]
    fn a_batch_probes_with_one_record() {
        let (primary, second) = (Script::new([IO, IO, None, IO]), Script::default());
        let (fallback, clock) = fallback(&primary, &second);
        send(&fallback, "a");
        clock.advance(Duration::from_secs(60));
        fallback.handle_batch(batch(&["b", "c"]).records()).unwrap();
        assert_eq!((primary.tried(), second.delivered().len()), (2, 3));
        clock.advance(Duration::from_secs(60));
        fallback.handle_batch(batch(&["d", "e", "f"]).records()).unwrap();
        assert_eq!((primary.delivered(), second.delivered().pop()), (vec!["d".into(), "f".into()], Some("e".into())));
    }

    #[test]
    fn a_batch_probes_with_the_first_record_that_the_primary_wants() {
        struct Errors(Script);
        impl Handler for Errors {
            fn enabled(&self, meta: &Meta<'_>) -> bool {
                meta.severity.is_at_least(Severity::ERROR)
            }
            fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
                if self.enabled(&record.meta()) { self.0.handle(record) } else { Ok(()) }
            }
        }
        let error = |message| RecordBuf::new(Severity::ERROR, "shop", message);
        let (primary, second) = (Script::new([IO, None, IO]), Script::default());
        let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
        let fallback = Fallback::new(Errors(primary.clone())).or(second.clone()).clock(clock.clone());
        fallback.handle(&error("a").as_record()).unwrap();
        clock.advance(Duration::from_secs(60));
        let records = [record("b"), error("c"), record("d"), error("e"), error("f")];
        let batch: Batch = records.iter().collect();
        fallback.handle_batch(batch.records()).unwrap();
        assert_eq!(
            (primary.delivered(), second.delivered()),
            (vec!["c".into(), "f".into()], vec!["a".into(), "b".into(), "e".to_owned()])
        );
    }

    #[test]
    fn records_missed_after_a_probe_are_named_by_their_places() {
        let (primary, second) = (Script::new([IO, None, None, IO, IO]), Script::new([None, IO]));
        let (fallback, clock) = fallback(&primary, &second);
        send(&fallback, "a");
        clock.advance(Duration::from_secs(60));
        let partial = fallback.handle_batch(batch(&["b", "c", "d", "e"]).records()).unwrap_err();
        assert_eq!(partial.missed(4).collect::<Vec<_>>(), [2]);
        assert_eq!(
            (primary.delivered(), second.delivered()),
            (vec!["b".into(), "c".into()], vec!["a".into(), "e".to_owned()])
        );
    }

    #[test]
    fn a_record_that_no_handler_takes_has_failed_with_a_named_error() {
        let (primary, second) = (Script::new([IO]), Script::new([IO, None, IO]));
        let (fallback, _) = fallback(&primary, &second);
        assert_eq!(fallback.handle(&record("a").as_record()).unwrap_err().kind(), ErrorKind::Io);
        let partial = fallback.handle_batch(batch(&["b", "c", "d"]).records()).unwrap_err();
        assert_eq!(partial.missed(3).collect::<Vec<_>>(), [1]);
        let stats = fallback.stats()[0].stats;
        assert!(stats.balances() && (stats.delivered, stats.failed) == (2, 2), "{stats:?}");
    }

    #[test]
    fn without_another_handler_the_primary_is_still_left_alone() {
        let primary = Script::new([IO]);
        let fallback = Fallback::new(primary.clone()).clock(Manual::default());
        assert_eq!(fallback.handle(&record("a").as_record()).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(fallback.handle(&record("b").as_record()).unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(primary.tried(), 1);
    }

    #[test]
    fn a_panicking_handler_has_failed() {
        let second = Script::default();
        let fallback = Fallback::new(crate::handler::from_fn(|_| panic!("on purpose"))).or(second.clone());
        send(&fallback, "a");
        assert_eq!(second.delivered(), ["a"]);
    }
}
