//! Trees of handlers: their description, the real handlers, and the model.

pub mod build;
pub mod model;
pub mod parts;
pub mod record;
pub mod tree;

pub use build::{Bench, Real};
pub use model::World;
pub use record::{Rec, Say};
pub use tree::Tree;
