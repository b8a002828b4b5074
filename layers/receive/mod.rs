//! Makes records of lines written by other code.
//!
//! [`Lines`] is an `io::Write` (with the feature `tokio` an `AsyncWrite` as well) for code that logs by writing lines: a
//! library that wants a `Write`, `println!`-style output, a C library's log file through a pipe. [`spawn`] starts a program
//! whose standard output and standard error become records.
//!
//! ```
//! use std::io::Write;
//! use tracing_handlers::testing::Captured;
//! use tracing_handlers::{Severity, receive::Lines};
//!
//! let captured = Captured::new();
//! let mut lines = Lines::new(captured.clone()).target("legacy").severity_of(tracing_handlers::receive::prefix);
//! write!(lines, "starting up\nWARN: no configuration, ")?;
//! writeln!(lines, "using defaults")?;
//! assert_eq!(captured.text(), " INFO legacy: starting up\n WARN legacy: no configuration, using defaults\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The records go to a [`Handler`](crate::Handler): a dedicated one, a shared one in an `Arc`, or, through a
//! [`Handle`](crate::Handle), all those of an installed layer, among the events of tracing. They do not pass through tracing
//! itself, whose targets and levels are fixed at compile time: other layers do not see them.

mod child;
mod lines;
mod prefix;
#[cfg(feature = "tokio")]
mod tokio;

pub use child::{Child, spawn};
pub use lines::Lines;
pub use prefix::prefix;
