//! Records kept until something goes wrong.

mod scoped;
mod slow;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[scoped::RECIPE, slow::RECIPE];
