//! The one integration binary: a module per topic.

mod collect;
mod filter;
mod layer;
mod queue;
mod record;
