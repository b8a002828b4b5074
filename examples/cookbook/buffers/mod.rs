//! Records that are kept until something goes wrong.

mod recorder;
mod scoped;
mod slow;
mod until_error;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[recorder::RECIPE, scoped::RECIPE, slow::RECIPE, until_error::RECIPE];
