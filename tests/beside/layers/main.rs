//! Our layer beside those of other crates.

mod buffer;
mod chrome;
mod eyre;
mod opentelemetry;
mod sentry;
mod span_trace;
mod tree;
