//! What a line shows cannot lie.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
