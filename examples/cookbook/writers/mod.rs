//! Records from the output of other code.

mod child;
mod lines;
mod pipeline;
mod stream;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[lines::RECIPE, pipeline::RECIPE, child::RECIPE, stream::RECIPE];
