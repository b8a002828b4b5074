//! Changes records on their way: one point for all the handlers behind it.
//!
//! A [`Rewrite`] gets each record to change; [`Rewriting`](crate::handler::Rewriting) puts it in front of handlers. What
//! it takes out never reaches a sink, a queue or a buffer behind it, span fields included.

mod json;
mod mask;
mod names;
mod pattern;
mod redact;
mod search;

pub use pattern::Pattern;
pub use redact::Redact;

use crate::record::RecordBuf;

/// Changes a record.
///
/// It comes after the levels and filters on metadata: a record that no handler wants as it was logged is never captured,
/// whatever a rewrite would make of it. What it changes counts for the levels and filters behind it.
pub trait Rewrite: Send + Sync + 'static {
    /// Changes `record` in place.
    fn rewrite(&self, record: &mut RecordBuf);
}

/// Closures rewrite.
impl<F: Fn(&mut RecordBuf) + Send + Sync + 'static> Rewrite for F {
    fn rewrite(&self, record: &mut RecordBuf) {
        self(record);
    }
}
