use super::Filter;
use super::condition::TextTest;
use crate::record::Meta;

/// Passes records whose target contains this text.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::target_contains("audit");
/// assert!(filter.passes(&RecordBuf::new(Severity::INFO, "shop::audit::till", "").as_record()));
/// assert!(!filter.passes(&RecordBuf::new(Severity::INFO, "shop::till", "audit").as_record()));
/// ```
pub fn target_contains(part: impl Into<String>) -> OnTarget {
    OnTarget(TextTest::contains(part.into()))
}

/// Passes records whose target starts with this text, even in the middle of a name: `shop` passes `shopping`.
/// [`targets`](super::targets) and [`name`](super::name) compare whole names.
pub fn target_starts_with(start: impl Into<String>) -> OnTarget {
    OnTarget(TextTest::starts_with(start.into()))
}

/// A condition on the target. The answer is cached per callsite. See [`target_contains`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct OnTarget(pub(super) TextTest);

impl Filter for OnTarget {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0.fits(meta.target)
    }

    fn per_record(&self) -> bool {
        false
    }
}
