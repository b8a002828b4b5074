//! Records from the output of other code, and records beside it.

mod child;
mod lines;
mod log_crate;
mod pipeline;
mod progress;
mod stream;

use crate::Recipe;

pub const RECIPES: &[Recipe] =
    &[lines::RECIPE, pipeline::RECIPE, child::RECIPE, log_crate::RECIPE, stream::RECIPE, progress::RECIPE];
