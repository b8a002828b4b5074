//! The integration tests: one binary, a module per topic.

mod alerts;
mod architecture;
mod collect;
mod filter;
mod json;
mod layer;
mod output;
mod queue;
mod record;
mod rotation;
mod sinks;
mod testing;
mod text;
mod writers;
