//! Temporary handlers and levels.

mod handler;
mod level;
mod lives;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[handler::RECIPE, level::RECIPE, lives::RECIPE];
