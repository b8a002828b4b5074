//! Log files: when they end, what they are called, and what becomes of them.

mod faults;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[faults::RECIPE];
