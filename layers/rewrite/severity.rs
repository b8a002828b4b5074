use std::fmt;
use std::sync::Arc;

use super::Rewrite;
use crate::record::{Record, RecordBuf, Severity};

/// Sets the severity of records; with [`only`](super::only), that of a noisy library's records: log4j2's
/// `LoggerNameLevelRewritePolicy`, a Python filter that sets `levelno`.
///
/// Handlers and filters behind it judge by the new severity. Whether a record is captured at all is decided by the severity it was
/// logged with: lowering always works, raising only affects records that passed the levels in front.
///
/// ```
/// use tracing_handlers::rewrite::{Rewrite, SetSeverity};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let slow = |record: &tracing_handlers::Record<'_>| record.field("slow").map(|_| Severity::WARN);
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("slow", true);
/// SetSeverity::with(slow).rewrite(&mut record);
/// assert_eq!(record.as_record().severity(), Severity::WARN);
/// SetSeverity::to(Severity::NOTICE).rewrite(&mut record);
/// assert_eq!(record.as_record().severity().name(), "NOTICE");
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone)]
pub struct SetSeverity(Choice);

#[derive(Clone)]
enum Choice {
    Always(Severity),
    Custom(Arc<Choose>),
}

/// Returns `None` to keep the severity.
type Choose = dyn Fn(&Record<'_>) -> Option<Severity> + Send + Sync;

impl SetSeverity {
    /// Sets this severity; accepts a tracing level as well.
    pub fn to(severity: impl Into<Severity>) -> Self {
        Self(Choice::Always(severity.into()))
    }

    /// Sets the severity that `choose` returns for a record; `None` keeps it.
    pub fn with(choose: impl Fn(&Record<'_>) -> Option<Severity> + Send + Sync + 'static) -> Self {
        Self(Choice::Custom(Arc::new(choose)))
    }
}

impl Rewrite for SetSeverity {
    fn rewrite(&self, record: &mut RecordBuf) {
        let severity = match &self.0 {
            Choice::Always(severity) => Some(*severity),
            Choice::Custom(choose) => choose(&record.as_record()),
        };
        if let Some(severity) = severity {
            record.set_severity(severity);
        }
    }
}

impl fmt::Debug for SetSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::Always(severity) => f.debug_tuple("SetSeverity").field(severity).finish(),
            Choice::Custom(_) => f.write_str("SetSeverity(custom)"),
        }
    }
}
