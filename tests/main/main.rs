//! The integration tests: one binary, a module per topic.

mod alerts;
mod architecture;
mod around;
mod captured;
mod circles;
mod collect;
#[cfg(all(feature = "gzip", feature = "zstd"))]
mod compression;
mod csv;
mod debug;
mod durability;
#[cfg(all(unix, any(feature = "seal", feature = "encryption")))]
mod encoded_files;
#[cfg(feature = "encryption")]
mod encryption;
mod faults;
mod filter;
mod filters;
mod flush_async;
mod guide;
mod hostile_names;
mod json;
#[cfg(feature = "serde")]
mod json_template;
mod layer;
mod like_fmt;
mod logfmt;

#[cfg(feature = "serde")]
mod nested;
mod output;
#[cfg(unix)]
mod ownership;
mod parse;
mod pattern;
mod picture;
mod presets;
mod python_format;
mod queue;
mod read;
#[cfg(feature = "encryption")]
mod read_encrypted;
mod record;
mod request_spans;
mod rewrite;
mod rotation;
mod safe;
mod scoped_buffer;
mod scopes;
#[cfg(feature = "seal")]
mod seal;
mod secrets;
mod sinks;
#[path = "../support/skip.rs"]
mod skip;
mod skips;
mod suites;
mod switched;
mod tables;
mod testing;
mod text;
#[cfg(target_os = "linux")]
#[path = "../support/threads.rs"]
mod threads;
mod trees;
#[path = "../support/until.rs"]
mod until;
mod vocabulary;
mod waits;
mod wire;
mod writers;
