//! The integration tests: one binary, a module per topic.

mod architecture;
mod collect;
mod filter;
mod json;
mod layer;
mod output;
mod queue;
mod record;
mod rewrite;
mod rotation;
mod secrets;
mod sinks;
mod text;
