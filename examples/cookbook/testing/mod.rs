//! Logs in tests, and tests for parts of one's own.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
