//! Changes to records, made once for all handlers behind them.
//!
//! A [`Rewrite`] changes each record; [`Rewriting`](crate::handler::Rewriting) applies one in front of handlers. What it removes,
//! from the event or its spans, never reaches a sink, a queue or a buffer behind it.
//!
//! | to | use |
//! |---|---|
//! | mask secrets by name or by their form | [`Redact`], [`Detector`] |
//! | remove, rename or add fields | [`Remove`], [`Rename`], [`Add`] |
//! | make a noisy library less important | [`SetSeverity`] |
//! | limit lengths, numbers of fields, depth of spans | [`Cap`] |
//! | do something else | a closure on [`RecordBuf`] |
//! | do several things, one after the other | a tuple or a `Vec` of these |
//! | do it to some records only | [`only`] |
//!
//! ```
//! use tracing_handlers::filter;
//! use tracing_handlers::rewrite::{self, Add, Detector, Redact, Rewrite, SetSeverity};
//! use tracing_handlers::{RecordBuf, Severity};
//!
//! let rewrite = (
//!     Redact::fields(["password"]).with_detectors([Detector::Email]),
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
mod detector;
#[cfg(feature = "hash")]
mod hash;
mod json;
mod mask;
mod names;
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
pub use detector::Detector;
#[cfg(feature = "hash")]
pub use hash::HashKey;
pub use redact::Redact;
pub use remove::Remove;
pub use rename::Rename;
pub use severity::SetSeverity;

use crate::record::RecordBuf;
use std::fmt;

/// Changes a record.
///
/// A rewrite runs after levels and filters have judged the metadata: a record that no handler wants as it was logged is never
/// captured, whatever a rewrite would have made of it. Levels and filters behind the rewrite see the changed record.
pub trait Rewrite: Send + Sync + 'static {
    /// Changes `record` in place.
    fn rewrite(&self, record: &mut RecordBuf);
}

/// Shows `dyn Rewrite`, so that a boxed one does not keep others from deriving `Debug`.
impl fmt::Debug for dyn Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Rewrite")
    }
}

/// Calls the closure.
impl<F: Fn(&mut RecordBuf) + Send + Sync + 'static> Rewrite for F {
    fn rewrite(&self, record: &mut RecordBuf) {
        self(record);
    }
}
