//! Alerts and counters.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
