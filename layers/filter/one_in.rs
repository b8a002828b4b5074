use super::cells::{Cells, Per};
use super::count::{Judged, is_exempt};
use super::{Filter, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes the first of each `n` records, and important ones; with 0, only those.
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
        judged: Judged::default(),
    }
}

/// One of each `n` records, by counting them. See [`one_in`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`per_callsite`](Self::per_callsite) | all together | counts each callsite separately |
/// | [`always`](Self::always) | `ERROR` | records from this severity up pass without being counted |
/// | [`name`](Self::name) | `one in N` | the name in reports |
///
/// Dropped records are counted as [`Sampled`](DropReason::Sampled). To keep either all records of a request or none, use
/// [`share`](super::share).
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Debug)]
pub struct OneIn {
    n: u64,
    cells: Cells,
    always: Threshold,
    name: String,
    judged: Judged,
}

impl OneIn {
    /// Counts each callsite separately, so that rare events are not lost among frequent ones. With more than about 4,000 callsites,
    /// some are counted together.
    pub fn per_callsite(mut self) -> Self {
        self.cells = Cells::new(Per::Callsite, 0);
        self
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

    fn is_next(&self, record: &Record<'_>) -> bool {
        self.cells.step(record, |before| (before.wrapping_add(1), before.checked_rem(self.n) == Some(0)))
    }
}

impl Filter for OneIn {
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
