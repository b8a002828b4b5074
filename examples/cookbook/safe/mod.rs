//! Lines that cannot be forged.

mod forged;
mod formula;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[forged::RECIPE, formula::RECIPE];
