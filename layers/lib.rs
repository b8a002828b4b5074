//! Log handlers for [`tracing`]: consoles, rotating files and queues, with filters, formats and redaction, as layers of
//! `tracing-subscriber`.
//!
#![doc = include_str!("guide/terminal.svg")]
//!
//! # A start in five minutes
//!
//! ```sh
//! cargo add tracing
//! cargo add tracing-subscriber --features env-filter
//! cargo add tracing-handlers
//! ```
//!
//! ```
//! use tracing::Level;
//! use tracing_handlers::format::{Json, Text};
//! use tracing_handlers::rotation::{MIB, Rotation};
//! use tracing_handlers::sink::{Console, File};
//! use tracing_handlers::{Handler, Output, Queue};
//! use tracing_subscriber::{EnvFilter, prelude::*};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! // For people: INFO and above, in color on a terminal.
//! let console = Queue::new(Output::new(Text::compact(), Console::stderr()).level(Level::INFO));
//! // For machines: JSON with the fields of all spans, 10 MiB per file, 5 old files kept.
//! let file = File::open("logs/shop.jsonl")?.rotation(Rotation::size(10 * MIB).keep(5));
//! let json = Queue::new(Output::new(Json::new(), file));
//!
//! tracing_subscriber::registry()
//!     .with(console.layer())
//!     .with(json.layer().with_filter(EnvFilter::new("info,shop=debug")))
//!     .init();
//!
//! let request = tracing::info_span!("request", id = 7).entered();
//! tracing::info!(pieces = 3, "sold");
//! # drop(request);
//! # tracing_handlers::process::flush(std::time::Duration::from_secs(5))?;
//! # let line = std::fs::read_to_string("logs/shop.jsonl").unwrap();
//! # assert!(line.ends_with("\"message\":\"sold\",\"pieces\":3,\"spans\":[{\"name\":\"request\",\"id\":7}]}\n"), "{line}");
//! # std::env::set_current_dir("/").unwrap();
//! # Ok::<(), tracing_handlers::Error>(())
//! ```
//!
//! There is no guard to keep: queued records are delivered at the [end of the process](process). A program without other layers
//! passes its handlers, several as a tuple, to [`init`], which also receives the records of the `log` crate. Without any choice to
//! make, [`init_default`] logs to the terminal or as JSON, as `RUST_LOG` says.
//!
//! # How it works
//!
//! ```text
//! event ─▶ layer ───▶ Record ────┬─▶ Output: filters ▶ Format ▶ Framing ▶ Sink
//!          (wanted?)  (captured  ├─▶ Queue ─▶ a thread ─▶ any Handler
//!                      once)     ├─▶ Rewriting ─▶ any Handler
//!                                └─▶ (A, B, C): several Handlers
//! ```
//!
//! - A [`Record`] is captured once per event, with its typed fields and those of the enclosing spans, for any number of
//!   handlers.
//! - A [`Handler`] delivers records. [`Output`] is the standard one: filters, a [`Format`], a [`Framing`], a
//!   [`Sink`]. All others are handlers around handlers.
//! - A [`Queue`] passes records to a thread that formats and writes them. Lost records are counted, and reported in the log itself.
//! - A [`Handle`] flushes, counts, shows and swaps the handlers of a layer.
//!
//! A layer can be combined with `fmt::layer()`, `EnvFilter`, `Targets` and any other layer. Every sink is also a
//! [`MakeWriter`](sink::Writer), and every `MakeWriter` (`tracing_appender::rolling`, `non_blocking`) is a [sink](sink::Make).
//!
//! The [`guide`] covers the architecture, the terms, log files, stalls and security, and what users of Python's `logging` and of log4j2
//! find where.
//!
//! # Handlers
//!
//! | handler | delivers |
//! |---|---|
//! | [`Output`] | to a sink, as lines in a format |
//! | [`Queue`] | on a thread of its own |
//! | tuples, `Vec`, `Option`, `Box`, `Arc` | to each of several handlers, or to none |
//! | [`Rewriting`](handler::Rewriting) | records that [rewrites](#rewrites) have changed |
//! | [`Filtered`](handler::Filtered) | records that pass a filter, and a note about the others |
//! | [`Buffer`](handler::Buffer) | kept records, when one of them is severe or they are many |
//! | [`ScopedBuffer`](handler::ScopedBuffer) | a request's details, if it fails or is slow |
//! | [`Route`](handler::Route) | to one of several handlers, by field, target or severity |
//! | [`Fallback`](handler::Fallback), [`Retry`](handler::Retry) | to another handler, or again, after an error |
//! | [`Dedup`](handler::Dedup) | repeated records once, with their number |
//! | [`Audit`](handler::Audit), [`OrStop`](handler::OrStop) | before the call returns, or an error; or else stops the program |
//! | [`Alert`](handler::Alert), [`Counts`](handler::Counts) | a note if there are too many; numbers for Prometheus |
//! | [`handler::from_fn`] | to a closure |
//!
//! # Formats
//!
//! | format | a record is |
//! |---|---|
//! | [`Text`](format::Text) | a line for people, with colors: full, compact, or pretty on several lines |
//! | [`Json`](format::Json) | a JSON object |
//! | [`Preset`](format::Preset) | the JSON of ECS, GELF, Google Cloud, Logstash, Bunyan, OTLP, Datadog, or tracing-subscriber |
//! | `JsonTemplate` | JSON by log4j2's templates (feature `serde`) |
//! | [`Pattern`](format::Pattern) | a line by a pattern |
//! | [`Python`](format::Python) | a line by a format string of Python's `logging` |
//! | [`Logfmt`](format::Logfmt), [`Csv`](format::Csv) | `key=value` pairs, a row |
//! | [`format::from_fn`] | what a closure writes |
//!
//! # Sinks
//!
//! | sink | lines go to |
//! |---|---|
//! | [`Console`](sink::Console) | standard output or standard error, or both by severity |
//! | [`File`](sink::File) | a file, with a [`Rotation`](rotation::Rotation); shared, sealed, encrypted, durable if wanted |
//! | [`Memory`](sink::Memory), [`Null`](sink::Null) | memory, for tests; nowhere |
//! | [`Write`](sink::Write), [`Make`](sink::Make) | any `io::Write`, any `MakeWriter` |
//! | [`around`](sink::around) | another sink, inside a closure that hides a progress bar, for example |
//!
//! # Filters
//!
//! | filter | records pass |
//! |---|---|
//! | [`Level`](filter::Level), [`between`](filter::between), [`LevelSwitch`](filter::LevelSwitch) | by severity; by one that can be changed at run time |
//! | [`targets`](filter::targets), [`Targets`](filter::Targets), [`name`](filter::name()) | by target; by directives such as those of `RUST_LOG`; by Python's rule |
//! | [`field`](filter::field), [`span`](filter::span()), [`message`](filter::message) | by their values |
//! | `matches`, `field_matches` | by regular expression (feature `regex`) |
//! | [`one_in`](filter::one_in()), [`share`](filter::share()), [`first`](filter::first()), [`rate`](filter::rate()) | as a sample, or up to a rate |
//! | [`hours`](filter::hours()), [`level_by`](filter::level_by()) | by time of day; at a level that depends on a field |
//! | [`and`, `or`, `not`](filter::FilterExt), [`Chain`](filter::Chain) | by several filters |
//! | [`on_meta`](filter::on_meta), [`on_record`](filter::on_record) | if a closure says so |
//!
//! # Rewrites
//!
//! | rewrite | changes |
//! |---|---|
//! | [`Redact`](rewrite::Redact) | secrets, by name and by form, to `***` |
//! | [`Add`](rewrite::Add), [`Remove`](rewrite::Remove), [`Rename`](rewrite::Rename) | fields |
//! | [`SetSeverity`](rewrite::SetSeverity), [`Cap`](rewrite::Cap) | the severity; lengths |
//!
//! # Features
//!
//! | feature | for |
//! |---|---|
//! | `log` (default) | records of the `log` crate, with their key-values |
//! | `time-zone` | local time, named time zones and POSIX rules in formats, filters and schedules |
//! | `regex` | filters and redaction by regular expression |
//! | `env-filter` | `filter::EnvFilter`: directives with spans and fields, as tracing-subscriber's `EnvFilter` reads them |
//! | `hash` | redaction by keyed hash |
//! | `serde` | nested values; JSON templates |
//! | `valuable` | nested values of the `valuable` crate, under `--cfg tracing_unstable` |
//! | `tokio` | an `AsyncWrite` whose lines become records |
//! | `gzip`, `zstd` | compressed old files |
//! | `seal`, `encryption` | tamper-evident files, encrypted files |
//! | `signals` | signals that flush, reopen or rotate |
//!
//! A feature adds items and never changes what the others do.
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
#[doc(inline)]
pub use filter::Filter;
#[doc(inline)]
pub use format::Format;
pub use framing::Framing;
#[doc(inline)]
pub use handler::{Handler, Output, Queue};
#[cfg(feature = "log")]
pub use layer::bridge_log;
pub use layer::{Added, Flushing, Handle, HandlerLayer, init, layer};
#[cfg(feature = "serde")]
#[doc(inline)]
pub use record::nested;
#[doc(inline)]
pub use record::{FieldChange, Meta, Part, Record, RecordBuf, Records, Severity, Value};
#[doc(inline)]
pub use rewrite::Rewrite;
#[doc(inline)]
pub use sink::Sink;
pub use start::init_default;

/// For `tests/models`, which compiles this crate with its own locks, threads and clock.
#[cfg(tracing_handlers_models)]
#[doc(hidden)]
pub mod models {
    pub use crate::file::sink::Disk;
    pub use crate::sync::system::*;
}
