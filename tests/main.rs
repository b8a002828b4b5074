//! The one integration binary: a module per topic.

mod architecture;
mod layer;
mod queue;
