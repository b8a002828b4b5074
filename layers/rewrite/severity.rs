use std::fmt;
use std::sync::Arc;

use super::Rewrite;
use crate::record::{Record, RecordBuf, Severity};

/// Gives records another severity: with [`only`](super::only) those of a noisy library. log4j2's `LoggerNameLevelRewritePolicy`,
/// Python's filter that sets `levelno`.
///
/// What is behind judges by the new severity; whether a record is captured at all is decided by the one that it was logged with,
/// so that a record can be made less important anywhere, and more important only where those before it let it through.
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
#[derive(Clone)]
pub struct SetSeverity(Choice);

#[derive(Clone)]
enum Choice {
    Always(Severity),
    Own(Arc<Choose>),
}

/// `None`: it stays.
type Choose = dyn Fn(&Record<'_>) -> Option<Severity> + Send + Sync;

impl SetSeverity {
    /// To this one; a tracing level is fine.
    pub fn to(severity: impl Into<Severity>) -> Self {
        Self(Choice::Always(severity.into()))
    }

    /// To the one that `choose` gives for a record, if it gives one.
    pub fn with(choose: impl Fn(&Record<'_>) -> Option<Severity> + Send + Sync + 'static) -> Self {
        Self(Choice::Own(Arc::new(choose)))
    }
}

impl Rewrite for SetSeverity {
    fn rewrite(&self, record: &mut RecordBuf) {
        let severity = match &self.0 {
            Choice::Always(severity) => Some(*severity),
            Choice::Own(choose) => choose(&record.as_record()),
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
            Choice::Own(_) => f.write_str("SetSeverity(of its own)"),
        }
    }
}
