//! The integration tests: one binary, a module per topic.

mod architecture;
mod collect;
mod csv;
mod filter;
mod json;
mod layer;
mod logfmt;
mod output;
mod queue;
mod record;
mod rotation;
mod safe;
mod sinks;
mod text;
