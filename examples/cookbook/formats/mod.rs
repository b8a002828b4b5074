//! Records as bytes.

mod nested;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[nested::RECIPE];
