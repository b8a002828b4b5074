use std::time::Duration;

use super::cells::{Cells, Per};
use super::count::{Judged, is_exempt};
use super::window::{self, Window};
use super::{Filter, Place, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes the first `n` records with the same severity and message in each `interval`, and important ones: zap's sampler.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::first(2, Duration::from_secs(1)).then_every(100);
/// let passes = |second, message: &str| {
///     let record = RecordBuf::new(Severity::WARN, "shop", message).with_time(Timestamp::new(second, 0));
///     filter.passes(&record.as_record())
/// };
/// assert_eq!((0..202).filter(|_| passes(1, "slow")).count(), 4, "the first two, the 102nd, the 202nd");
/// assert!(passes(1, "something else"));
/// assert!(passes(2, "slow"), "the next second");
/// ```
pub fn first(n: u32, interval: Duration) -> First {
    First {
        n,
        every: 0,
        interval: window::length(interval),
        cells: Cells::new(Per::Message, KEYS),
        keys: KEYS,
        always: Severity::ERROR.into(),
        name: format!("first {n} in {interval:?}"),
        judged: Judged::default(),
    }
}

/// The first few similar records of each interval, then every m-th. See [`first`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`then_every`](Self::then_every) | none | every m-th of the further records of an interval passes too |
/// | [`per_callsite`](Self::per_callsite), [`by`](Self::by), [`overall`](Self::overall) | by severity and message | which records are counted together |
/// | [`keys`](Self::keys) | 4,096 | how many messages or values are counted at a time; a new one replaces the least recently seen |
/// | [`always`](Self::always) | `ERROR` | records from this severity up pass without being counted |
/// | [`name`](Self::name) | `first N in T` | the name in reports |
///
/// Intervals go by the times of the records and begin at whole multiples of their length since 1970. A record up to ten seconds
/// late counts in the current interval; if the clock is set back further, the count restarts. Dropped records are counted as
/// [`Sampled`](DropReason::Sampled).
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Debug)]
pub struct First {
    n: u32,
    every: u32,
    interval: i64,
    cells: Cells,
    keys: usize,
    always: Threshold,
    name: String,
    judged: Judged,
}

impl First {
    /// Also passes every `m`-th further record of an interval: zap's `thereafter`. 0 passes none.
    pub fn then_every(mut self, m: u32) -> Self {
        self.every = m;
        self
    }

    /// Counts each callsite separately, whatever the message. With more than about 4,000 callsites, some are counted together.
    pub fn per_callsite(self) -> Self {
        self.per(Per::Callsite)
    }

    /// Counts records by the value at `place`; those without one are counted together.
    pub fn by(self, place: impl Into<Place>) -> Self {
        self.per(Per::Value(place.into()))
    }

    /// Counts all records together.
    pub fn overall(self) -> Self {
        self.per(Per::All)
    }

    /// Sets how many messages or values are counted at a time; each takes about 90 bytes. A new one replaces the least recently seen,
    /// above 512 approximately.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        let per = self.cells.per().clone();
        self.per(per)
    }

    /// Sets the severity from which records always pass. [`Threshold::OFF`] exempts none.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// Sets the name used in reports.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn per(mut self, per: Per) -> Self {
        self.cells = Cells::new(per, self.keys);
        self
    }

    fn is_next(&self, record: &Record<'_>) -> bool {
        let nanos = record.time().unix_nanos();
        self.cells.step(record, |state| {
            let window = Window::unpack(state).count(nanos, self.interval);
            (window.pack(), self.is_wanted(window.seen))
        })
    }

    /// Whether the record with this number, counted from 1, passes.
    fn is_wanted(&self, number: u32) -> bool {
        number <= self.n || (number - self.n).checked_rem(self.every) == Some(0)
    }
}

impl Filter for First {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.judged.count(is_exempt(record, self.always) || self.is_next(record))
    }

    fn reason(&self) -> DropReason {
        DropReason::Sampled
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.judged.report(&self.name, DropReason::Sampled, reports);
    }
}

const KEYS: usize = 4_096;
