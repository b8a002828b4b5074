//! The integration tests: one binary, a module per topic.

mod architecture;
mod collect;
mod filter;
mod json;
#[cfg(feature = "serde")]
mod json_template;
mod layer;
mod output;
mod presets;
mod queue;
mod record;
mod rotation;
mod sinks;
mod text;
