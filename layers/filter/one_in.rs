use super::cells::{Cells, Per};
use super::count::{Count, is_exempt};
use super::{Filter, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes the first of each `n` records, and those that are important; 0 passes the important ones alone.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::one_in(10);
/// let passes = |severity| filter.passes(&RecordBuf::new(severity, "shop", "sold").as_record());
/// assert_eq!((0..30).filter(|_| passes(Severity::INFO)).count(), 3);
/// assert_eq!((0..30).filter(|_| passes(Severity::ERROR)).count(), 30);
/// ```
pub fn one_in(n: u64) -> OneIn {
    OneIn {
        n,
        cells: Cells::new(Per::All, 0),
        always: Severity::ERROR.into(),
        name: format!("one in {n}"),
        count: Count::default(),
    }
}

/// One of so many records, by counting them. See [`one_in`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`per_callsite`](Self::per_callsite) | all together | each log call is counted by itself |
/// | [`always`](Self::always) | `ERROR` | records so important pass, and are not counted |
/// | [`name`](Self::name) | `one in N` | how reports call it |
///
/// What it does not let pass is counted as [`Sampled`](DropReason::Sampled). Where all records of a request should share one
/// fate, take [`share`](super::share).
#[derive(Debug)]
pub struct OneIn {
    n: u64,
    cells: Cells,
    always: Threshold,
    name: String,
    count: Count,
}

impl OneIn {
    /// Each log call is counted by itself, so that a seldom one is not lost among many of another. From about 4,000 log calls on
    /// some are counted together.
    pub fn per_callsite(mut self) -> Self {
        self.cells = Cells::new(Per::Callsite, 0);
        self
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

    fn is_next(&self, record: &Record<'_>) -> bool {
        self.cells.step(record, |before| (before.wrapping_add(1), before.checked_rem(self.n) == Some(0)))
    }
}

impl Filter for OneIn {
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
