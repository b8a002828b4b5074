//! The integration tests: one binary, a module per topic.

mod architecture;
mod collect;
mod filter;
mod json;
mod layer;
#[cfg(feature = "serde")]
mod nested;
mod output;
mod queue;
mod record;
mod rotation;
mod scoped_buffer;
mod scopes;
mod sinks;
mod text;
