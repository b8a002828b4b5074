use std::fmt;
use std::time::{Duration, Instant};

use super::debug::TypeName;
use super::{Handler, Report, Stats, Tally, guarded};
use crate::clock::Backoff;
use crate::clock::{Clock, System};
use crate::error::ErrorClass;
use crate::record::{Batch, Record, Records};
use crate::{Error, Partial, process};

/// Tries again to deliver records that failed, with growing pauses between the attempts.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`times`](Self::times) | 3 | attempts after the first one; the count restarts for the rest of a batch when some of it has been delivered |
/// | [`initial`](Self::initial) | 100 ms | the first pause |
/// | [`factor`](Self::factor) | 2 | each pause is this many times as long as the one before |
/// | [`max`](Self::max) | 10 s | the longest pause |
/// | [`jitter`](Self::jitter) | 0.2 | pauses are randomly shortened by up to this fraction |
/// | [`deadline`](Self::deadline) | 30 s | no attempt starts later than this after the first failure |
/// | [`only`](Self::only) | those that are not permanent | the errors that justify another attempt |
/// | [`clock`](Self::clock) | the system's | the clock that measures the deadline |
/// | [`wait_by`](Self::wait_by) | sleep | how it waits |
/// | [`name`](Self::name) | `retry` | the name used in reports |
///
/// The pauses block the calling thread: put a retry **behind a [`Queue`](super::Queue)**, so that this is not the logging thread.
/// While the process ends, pauses are at most 20 ms, and the [exit timeout](crate::process::set_exit_timeout) is a deadline too.
///
/// Like NLog's `RetryingWrapper`. For a batch, only the records that were not delivered are tried again. The last error is
/// returned. In its report a record counts once; the handler behind it counts each attempt. If several records of a batch failed
/// for different reasons, the last one decides.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
/// use tracing_handlers::handler::{Handler, Retry, from_fn};
/// use tracing_handlers::{Error, ErrorKind, RecordBuf, Severity};
///
/// let tries = std::sync::Arc::new(AtomicU32::new(0));
/// let counted = tries.clone();
/// let third_time_lucky = from_fn(move |_record| match counted.fetch_add(1, Ordering::Relaxed) {
///     2 => Ok(()),
///     _ => Err(Error::new(ErrorKind::Io, "no answer")),
/// });
/// let retry = Retry::new(third_time_lucky).initial(Duration::from_millis(1));
/// retry.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record())?;
/// assert_eq!(tries.load(Ordering::Relaxed), 3);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "a handler does nothing until records reach it"]
pub struct Retry<H> {
    handler: H,
    times: u32,
    backoff: Backoff,
    deadline: Duration,
    only: Box<dyn Fn(&Error) -> bool + Send + Sync>,
    clock: Box<dyn Clock>,
    wait: Box<dyn Fn(Duration) + Send + Sync>,
    name: String,
    tally: Tally,
}

impl<H: Handler> Retry<H> {
    /// Creates a retry in front of `handler`, with the defaults of the table.
    pub fn new(handler: H) -> Self {
        Self {
            handler,
            times: 3,
            backoff: Backoff {
                initial: Duration::from_millis(100),
                factor: 2.0,
                max: Duration::from_secs(10),
                jitter: 0.2,
            },
            deadline: Duration::from_secs(30),
            only: Box::new(|error| error.class() != ErrorClass::Permanent),
            clock: Box::new(System),
            wait: Box::new(sleep),
            name: "retry".to_owned(),
            tally: Tally::default(),
        }
    }

    /// The number of attempts after the first one.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The first pause.
    pub fn initial(mut self, pause: Duration) -> Self {
        self.backoff.initial = pause;
        self
    }

    /// Each pause is this many times as long as the one before; a factor below 1 counts as 1.
    pub fn factor(mut self, factor: f64) -> Self {
        self.backoff.factor = factor;
        self
    }

    /// The longest pause.
    pub fn max(mut self, pause: Duration) -> Self {
        self.backoff.max = pause;
        self
    }

    /// Pauses are randomly shortened by up to this fraction, 0 to 1, so that clients that failed together do not retry together.
    pub fn jitter(mut self, part: f64) -> Self {
        self.backoff.jitter = part;
        self
    }

    /// No attempt starts later than this after the first failure of a record or a batch.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The errors that justify another attempt. By default those whose [class](Error::class) is not
    /// [permanent](ErrorClass::Permanent).
    ///
    /// ```
    /// use tracing_handlers::handler::{Retry, from_fn};
    /// use tracing_handlers::ErrorKind;
    ///
    /// let retry = Retry::new(from_fn(|_| Ok(()))).only(|error| error.kind() == ErrorKind::Timeout);
    /// # let _ = retry;
    /// ```
    pub fn only(mut self, worth: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        self.only = Box::new(worth);
        self
    }

    /// The clock that measures the deadline.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// A function that waits, in place of sleeping: for tests, which advance a [`Manual`](crate::clock::Manual) clock.
    pub fn wait_by(mut self, wait: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.wait = Box::new(wait);
        self
    }

    /// The name used in reports.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn insist(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut tries = Tries::new(self);
        let mut result = guarded(|| self.handler.handle(record));
        while let Err(error) = &result {
            if !tries.again(error) {
                break;
            }
            result = guarded(|| self.handler.handle(record));
        }
        result
    }

    fn insist_on_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let Err(partial) = guarded(|| self.handler.handle_batch(records)) else { return Ok(()) };
        let mut tries = Tries::new(self);
        let mut rest = Batch::missed(records, &partial);
        let mut error = partial.error;
        while !rest.is_empty() && tries.again(&error) {
            let handled = guarded(|| self.handler.handle_batch(rest.records()));
            let Err(partial) = handled else { return Ok(()) };
            let left = rest.missed_of(&partial);
            if left.len() < rest.len() {
                tries.failed = 0;
            }
            (rest, error) = (left, partial.error);
        }
        Err(rest.into_partial(records.len(), error))
    }
}

impl<H: Handler> Handler for Retry<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.tally.one(self.insist(record))
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.tally.batch(records, self.insist_on_batch(records))
    }

    around!(self => self.handler);

    fn own_report(&self) -> Option<Report> {
        Some(Report::new(self.name.as_str(), self.tally.stats()))
    }

    fn own_stats(&self) -> Option<Stats> {
        Some(self.tally.stats())
    }
}

/// Takes no lock.
impl<H> fmt::Debug for Retry<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("name", &self.name)
            .field("times", &self.times)
            .field("backoff", &self.backoff)
            .field("deadline", &self.deadline)
            .field("handler", &TypeName::of(&self.handler))
            .finish_non_exhaustive()
    }
}

/// The state of the attempts for one record or one batch.
struct Tries<'a, H> {
    retry: &'a Retry<H>,
    /// The number of failures since a record was last delivered.
    failed: u32,
    /// By a monotonic clock.
    first_failed: Option<Duration>,
}

impl<'a, H> Tries<'a, H> {
    fn new(retry: &'a Retry<H>) -> Self {
        Self { retry, failed: 0, first_failed: None }
    }

    /// Returns whether there is another attempt after `error`, after waiting for it. A closure that panics ends the attempts, but
    /// the records delivered so far still count.
    #[cold]
    fn again(&mut self, error: &Error) -> bool {
        guarded(|| Ok::<_, Error>(self.wait_after(error))).unwrap_or(false)
    }

    fn wait_after(&mut self, error: &Error) -> bool {
        let retry = self.retry;
        if self.failed >= retry.times || !(retry.only)(error) {
            return false;
        }
        self.failed += 1;
        let now = retry.clock.monotonic();
        let first = *self.first_failed.get_or_insert(now);
        let left = retry.deadline.saturating_sub(now.saturating_sub(first));
        let pause = retry.backoff.pause(self.failed);
        if process::is_exiting() {
            (retry.wait)(pause.min(SLICE));
            return Instant::now() < process::exit_deadline();
        }
        if pause > left {
            return false;
        }
        (retry.wait)(pause);
        true
    }
}

/// Sleeps in slices, so that the end of the process ends the pause.
fn sleep(pause: Duration) {
    let mut left = pause;
    while !left.is_zero() {
        let slice = left.min(SLICE);
        std::thread::sleep(slice);
        left -= slice;
        if process::is_exiting() {
            return;
        }
    }
}

const SLICE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ErrorKind;
    use crate::clock::{Manual, Timestamp};
    use crate::handler::Stats;
    use crate::handler::script::{Script, batch, record};

    /// A retry whose pauses advance the clock and are recorded.
    fn retry(script: &Script) -> (Retry<Script>, Arc<Mutex<Vec<u128>>>) {
        let clock = Arc::new(Manual::default());
        let pauses = Arc::new(Mutex::new(Vec::new()));
        let noted = pauses.clone();
        let retry = Retry::new(script.clone()).jitter(0.0).clock(clock.clone()).wait_by(move |pause| {
            clock.advance(pause);
            crate::sync::lock(&noted).push(pause.as_millis());
        });
        (retry, pauses)
    }

    fn pauses(of: &Mutex<Vec<u128>>) -> Vec<u128> {
        crate::sync::lock(of).clone()
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_move_the_deadline() {
        struct SetBack(Arc<Mutex<u64>>);
        impl Clock for SetBack {
            fn now(&self) -> Timestamp {
                Timestamp::new(1_000_000 - 3_600 * (*crate::sync::lock(&self.0) as i64), 0)
            }
            fn monotonic(&self) -> Duration {
                Duration::from_secs(*crate::sync::lock(&self.0))
            }
        }
        let seconds = Arc::new(Mutex::new(0));
        let script = Script::new([Some(ErrorKind::Io); 9]);
        let waited = seconds.clone();
        let retry = Retry::new(script.clone()).times(8).clock(SetBack(seconds)).jitter(0.0);
        let retry = retry.initial(Duration::from_secs(10)).wait_by(move |_| *crate::sync::lock(&waited) += 10);
        assert!(retry.handle(&record("a").as_record()).is_err());
        assert_eq!(script.tried(), 4);
    }

    #[test]
    fn records_delivered_before_a_closure_panics_still_count() {
        let script = Script::new([None, Some(ErrorKind::Io)]);
        let retry = Retry::new(script.clone()).only(|_| panic!("on purpose"));
        let partial = retry.handle_batch(batch(&["a", "b"]).records()).unwrap_err();
        assert_eq!((partial.missed(2).collect::<Vec<_>>(), partial.error.kind()), (vec![1], ErrorKind::Io));
        assert_eq!((retry.stats()[0].stats.delivered, retry.stats()[0].stats.failed), (1, 1));
    }

    #[test]
    fn pauses_grow_until_an_attempt_succeeds() {
        let script = Script::new([Some(ErrorKind::Io), Some(ErrorKind::Io), Some(ErrorKind::Timeout), None]);
        let (retry, waited) = retry(&script);
        retry.handle(&record("a").as_record()).unwrap();
        assert_eq!(pauses(&waited), [100, 200, 400]);
        assert_eq!(script.delivered(), ["a"]);
        assert_eq!(retry.stats()[0].stats, Stats { accepted: 1, delivered: 1, ..Stats::default() });
    }

    #[test]
    fn the_last_error_is_returned_when_all_attempts_failed() {
        let script = Script::new([Some(ErrorKind::Io); 9]);
        let (retry, waited) = retry(&script);
        assert_eq!(retry.handle(&record("a").as_record()).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!((pauses(&waited).len(), script.tried()), (3, 4));
        assert_eq!(retry.stats()[0].stats.failed, 1);
    }

    #[test]
    fn permanent_errors_are_not_tried_again() {
        for kind in [ErrorKind::Format, ErrorKind::Config, ErrorKind::Closed, ErrorKind::Panic] {
            let script = Script::new([Some(kind)]);
            let (retry, waited) = retry(&script);
            assert_eq!(retry.handle(&record("a").as_record()).unwrap_err().kind(), kind);
            assert!(pauses(&waited).is_empty());
        }
    }

    #[test]
    fn the_class_of_an_error_decides_and_not_its_kind() {
        for (class, tries) in [(ErrorClass::Temporary, 3), (ErrorClass::Full, 3), (ErrorClass::Permanent, 1)] {
            let tried = Arc::new(Mutex::new(0));
            let counted = tried.clone();
            let handler = crate::handler::from_fn(move |_| {
                *crate::sync::lock(&counted) += 1;
                Err(Error::new(ErrorKind::Closed, "by the peer").with_class(class))
            });
            assert!(Retry::new(handler).times(2).wait_by(|_| ()).handle(&record("a").as_record()).is_err());
            assert_eq!(*crate::sync::lock(&tried), tries, "{class:?}");
        }
    }

    #[test]
    fn no_pause_extends_beyond_the_deadline() {
        let script = Script::new([Some(ErrorKind::Io); 99]);
        let (retry, waited) = retry(&script);
        let retry = retry.times(50).deadline(Duration::from_millis(1_000));
        assert!(retry.handle(&record("a").as_record()).is_err());
        // 800 more would be 1,500 in all.
        assert_eq!(pauses(&waited), [100, 200, 400]);
    }

    #[test]
    fn only_undelivered_records_of_a_batch_are_tried_again() {
        // `b` and `d` fail at first, then `d` alone.
        let io = Some(ErrorKind::Io);
        let script = Script::new([None, io, None, io, None, io, None]);
        let (retry, waited) = retry(&script);
        retry.handle_batch(batch(&["a", "b", "c", "d"]).records()).unwrap();
        assert_eq!(script.delivered(), ["a", "c", "b", "d"]);
        // The second pause is a first pause again: `b` was delivered.
        assert_eq!(pauses(&waited), [100, 100]);
        assert_eq!(retry.stats()[0].stats, Stats { accepted: 4, delivered: 4, ..Stats::default() });
    }

    #[test]
    fn undelivered_records_are_named_by_their_places_in_the_batch() {
        let io = Some(ErrorKind::Io);
        let script = Script::new([None, io, None, io, None, io, io, io, io, io, io]);
        let (retry, _) = retry(&script);
        let partial = retry.handle_batch(batch(&["a", "b", "c", "d"]).records()).unwrap_err();
        assert_eq!((partial.delivered, partial.missed(4).collect::<Vec<_>>()), (3, vec![3]));
        assert_eq!(retry.stats()[0].stats.failed, 1);
    }
}
