//! Files: how they are turned, kept and read back.

mod compress;
mod read_back;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[compress::RECIPE, read_back::RECIPE];
