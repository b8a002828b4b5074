//! The one integration binary: a module per topic.

mod layer;
mod output;
mod queue;
