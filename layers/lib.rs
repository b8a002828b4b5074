//! Handlers, filters and formats for [`tracing`]: what Python's `logging` and log4j2 offer, as composable layers.
//!
//! ```text
//! tracing event ─▶ HandlerLayer ─▶ wanted? ─▶ Record ─▶ Handler ──┬─▶ Output: accepts? ─▶ Format ─▶ Framing ─▶ Sink
//!                                 (cached per  (captured  (one     ├─▶ Queue ─▶ worker thread ─▶ any Handler
//!                                  callsite)    once)      record,  ├─▶ Rewriting ─▶ any Handler
//!                                                          N ways)  └─▶ (A, B, C): several Handlers, one capture
//! ```
//!
//! - A [`Record`] is captured once per event, with its typed fields and those of the enclosing spans, for any number of
//!   handlers.
//! - A [`Handler`] delivers records. [`Output`] is the standard one: filters, a [`Format`], a [`Framing`], a
//!   [`Sink`]. All others are handlers around handlers.
//! - A [`Queue`] passes records to a thread that formats and writes them. There is no guard to keep: queued records are
//!   delivered at the [end of the process](process), and lost records are counted and reported in the log itself.
//!
//! ```
//! use tracing_handlers::rotation::{MIB, Rotation};
//! use tracing_handlers::sink::{Console, File};
//! use tracing_handlers::{Output, Queue, format::{Json, Text}};
//! use tracing_subscriber::prelude::*;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! tracing_subscriber::registry()
//!     .with(tracing_handlers::layer((
//!         Queue::new(Output::new(Text::new(), Console::stderr()).level(tracing::Level::WARN)),
//!         Queue::new(Output::new(Json::new(), File::open("logs/app.jsonl")?.rotation(Rotation::size(10 * MIB).keep(5)))),
//!     )))
//!     .init();
//!
//! let request = tracing::info_span!("request", id = 7).entered();
//! tracing::info!(pieces = 3, "sold");
//! # drop(request);
//! # tracing_handlers::process::flush(std::time::Duration::from_secs(5))?;
//! # let line = std::fs::read_to_string("logs/app.jsonl").unwrap();
//! # assert!(line.ends_with("\"message\":\"sold\",\"pieces\":3,\"spans\":[{\"name\":\"request\",\"id\":7}]}\n"), "{line}");
//! # std::env::set_current_dir("/").unwrap();
//! # Ok::<(), tracing_handlers::Error>(())
//! ```
//!
//! The layer can be combined with `fmt::layer()`, `EnvFilter`, `Targets` and any other layer. Every sink is also a
//! [`MakeWriter`](sink::Writer), and every `MakeWriter` (`tracing_appender::rolling`, `non_blocking`) is a [sink](sink::Make).
//!
//! The [`guide`] covers the architecture, the terms, and how to add a sink.
//!
//! # Versions
//!
//! This crate follows semantic versioning, and its public API includes parts of two other crates, so that a new incompatible
//! version of either is one of this crate as well:
//!
//! - tracing 0.1: `Level`, `Metadata` and `Span` occur in signatures;
//! - tracing-subscriber 0.3: `LevelFilter` occurs in signatures, [`HandlerLayer`] implements `Layer` for any subscriber with
//!   `LookupSpan`, and [`sink::Writer`] and [`sink::Make`] connect sinks with `MakeWriter`.
//!
//! With the features of these names, signatures also contain serde's `Serialize` (1) and tokio's `AsyncWrite` (1). The minimum
//! supported Rust version is 1.89; raising it is a minor change.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::undocumented_unsafe_blocks, clippy::unwrap_used)]

mod bytes;
mod changes;
pub mod clock;
mod error;
mod file;
pub mod filter;
pub mod format;
mod framing;
pub mod guide;
pub mod handler;
mod layer;
pub mod process;
pub mod receive;
pub mod record;
pub mod rewrite;
pub mod selflog;
mod severities;
pub mod sink;
#[cfg(test)]
#[path = "../tests/support/skip.rs"]
mod skip;
mod start;
pub mod stats;
mod stream;
mod sync;
pub mod testing;
mod threads;
#[cfg(test)]
#[path = "../tests/support/until.rs"]
mod until;

#[doc(hidden)]
pub use record::macro_names as __severity;
#[doc(hidden)]
pub use tracing as __tracing;

pub use error::{Error, ErrorClass, ErrorKind, Partial};
#[cfg(feature = "encryption")]
pub use file::encryption;
#[cfg(feature = "seal")]
pub use file::seal;
pub use file::{read, rotation};
pub use filter::Filter;
pub use format::Format;
pub use framing::Framing;
pub use handler::{Handler, Output, Queue};
#[cfg(feature = "log")]
pub use layer::bridge_log;
pub use layer::{Added, Flushing, Handle, HandlerLayer, init, layer};
#[cfg(feature = "serde")]
pub use record::nested;
pub use record::{FieldChange, Meta, Part, Record, RecordBuf, Records, Severity, Value};
pub use rewrite::Rewrite;
pub use sink::Sink;
pub use start::init_default;

/// For `tests/models`, which compiles this crate with its own locks, threads and clock.
#[cfg(tracing_handlers_models)]
#[doc(hidden)]
pub mod models {
    pub use crate::file::sink::Disk;
    pub use crate::sync::system::*;
}
