//! Changes records on their way: one point for all the handlers behind it.
//!
//! A [`Rewrite`] gets each record to change; [`Rewriting`](crate::handler::Rewriting) puts it in front of handlers. What
//! it takes out never reaches a sink, a queue or a buffer behind it, span fields included.
//!
//! | to | there is |
//! |---|---|
//! | mask secrets by name or by what they look like | [`Redact`], [`Pattern`] |
//! | take fields out, rename them, add some | [`Remove`], [`Rename`], [`Add`] |
//! | make a noisy library quieter | [`SetSeverity`] |
//! | bound lengths, numbers of fields, depth of spans | [`Cap`] |
//! | do something else | a closure on [`RecordBuf`] |
//! | do several things, one after the other | a tuple or a `Vec` of these |
//! | do it to some records only | [`only`] |
//!
//! ```
//! use tracing_handlers::filter;
//! use tracing_handlers::rewrite::{self, Add, Pattern, Redact, Rewrite, SetSeverity};
//! use tracing_handlers::{RecordBuf, Severity};
//!
//! let rewrite = (
//!     Redact::fields(["password"]).with_patterns([Pattern::Email]),
//!     rewrite::only(filter::targets(["hyper"]), SetSeverity::to(Severity::DEBUG)),
//!     Add::new().constant("service", "shop"),
//! );
//! let mut record = RecordBuf::new(Severity::INFO, "hyper::client", "asked for ada@example.org");
//! rewrite.rewrite(&mut record);
//! let record = record.as_record();
//! assert_eq!((record.severity(), record.message()), (Severity::DEBUG, "asked for ***"));
//! assert_eq!(record.field("service").unwrap().as_str(), Some("shop"));
//! ```

mod add;
mod cap;
mod combine;
#[cfg(feature = "hash")]
mod hash;
mod json;
mod mask;
mod names;
mod pattern;
mod redact;
#[cfg(feature = "regex")]
mod regex;
mod remove;
mod rename;
mod search;
mod severity;

pub use add::Add;
pub use cap::Cap;
pub use combine::{Only, only};
#[cfg(feature = "hash")]
pub use hash::HashKey;
pub use pattern::Pattern;
pub use redact::Redact;
pub use remove::Remove;
pub use rename::Rename;
pub use severity::SetSeverity;

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
