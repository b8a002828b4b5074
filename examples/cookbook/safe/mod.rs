//! What a line shows cannot lie.

mod forged;
mod formula;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[forged::RECIPE, formula::RECIPE];
