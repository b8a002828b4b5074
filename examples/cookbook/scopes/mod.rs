//! Handlers and levels for a while.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
