//! Records as bytes.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
