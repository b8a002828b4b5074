//! The integration tests: one binary, a module per topic.

mod architecture;
mod layer;
mod queue;
mod rotation;
mod sinks;
