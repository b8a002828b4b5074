use std::time::Duration;

use super::cells::{Cells, Per};
use super::count::{Count, is_exempt};
use super::window::{self, Window};
use super::{Filter, Place, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes the first `n` records that say the same in each `interval`, and those that are important: zap's sampler.
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
        count: Count::default(),
    }
}

/// The first few in each interval of those that say the same, then one of so many. See [`first`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`then_every`](Self::then_every) | none | of the rest of an interval, one in so many passes too |
/// | [`per_callsite`](Self::per_callsite), [`by`](Self::by), [`overall`](Self::overall) | by severity and message | what is counted together |
/// | [`keys`](Self::keys) | 4,096 | how many messages or values are counted at a time; others make the oldest forgotten |
/// | [`always`](Self::always) | `ERROR` | records so important pass, and are not counted |
/// | [`name`](Self::name) | `first N in T` | how reports call it |
///
/// Intervals are those of the records' own times, and begin at whole multiples of their length since 1970. A record up to ten
/// seconds late counts as one of the present interval; a clock set back further begins anew. What it does not let pass is
/// counted as [`Sampled`](DropReason::Sampled).
#[derive(Debug)]
pub struct First {
    n: u32,
    every: u32,
    interval: i64,
    cells: Cells,
    keys: usize,
    always: Threshold,
    name: String,
    count: Count,
}

impl First {
    /// Of the rest of an interval every `m`th passes too, as zap's `thereafter`; 0: none.
    pub fn then_every(mut self, m: u32) -> Self {
        self.every = m;
        self
    }

    /// Each log call is counted by itself, whatever its message. From about 4,000 log calls on some are counted together.
    pub fn per_callsite(self) -> Self {
        self.per(Per::Callsite)
    }

    /// Records with the same value there are counted together, and those that have none.
    pub fn by(self, place: impl Into<Place>) -> Self {
        self.per(Per::Value(place.into()))
    }

    /// All records are counted together.
    pub fn overall(self) -> Self {
        self.per(Per::All)
    }

    /// How many messages or values are counted at a time, in some 90 bytes each. Of more than 512 those long not seen are forgotten part by part.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        let per = self.cells.per().clone();
        self.per(per)
    }

    /// Records of this severity and above pass. `LevelFilter::OFF`: none by that alone.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// How reports call it.
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

    /// Whether the record with this number, from 1, is one of the first or of those thereafter.
    fn is_wanted(&self, number: u32) -> bool {
        number <= self.n || (number - self.n).checked_rem(self.every) == Some(0)
    }
}

impl Filter for First {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.count.judged(is_exempt(record, self.always) || self.is_next(record))
    }

    fn reason(&self) -> DropReason {
        DropReason::Sampled
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.count.report(&self.name, DropReason::Sampled, reports);
    }
}

const KEYS: usize = 4_096;
