use super::Filter;
use crate::record::{Meta, Record};

/// Creates a filter from a closure on the metadata. The answer is cached per callsite.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::on_meta(|meta| meta.target.ends_with("::audit"));
/// assert!(filter.passes(&RecordBuf::new(Severity::INFO, "shop::audit", "").as_record()));
/// ```
pub fn on_meta<F>(decide: F) -> OnMeta<F>
where
    F: Fn(&Meta<'_>) -> bool + Send + Sync + 'static,
{
    OnMeta(decide)
}

/// See [`on_meta`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct OnMeta<F>(F);

impl<F: Fn(&Meta<'_>) -> bool + Send + Sync + 'static> Filter for OnMeta<F> {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0(meta)
    }

    fn per_record(&self) -> bool {
        false
    }
}

/// Creates a filter from a closure on the whole record, which is called for each one.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let slow = filter::on_record(|record| matches!(record.field("ms"), Some(Value::U64(500..))));
/// let record = RecordBuf::new(Severity::INFO, "shop", "done").with_field("ms", 731_u64);
/// assert!(slow.passes(&record.as_record()));
/// ```
pub fn on_record<F>(decide: F) -> OnRecord<F>
where
    F: Fn(&Record<'_>) -> bool + Send + Sync + 'static,
{
    OnRecord(decide)
}

/// See [`on_record`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct OnRecord<F>(F);

impl<F: Fn(&Record<'_>) -> bool + Send + Sync + 'static> Filter for OnRecord<F> {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.0(record)
    }
}
