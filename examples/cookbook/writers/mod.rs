//! Lines of others as records.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
