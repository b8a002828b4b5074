//! Logs in tests, and tests for parts of one's own.

mod capture;
mod errors;
mod laws;
mod list;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[capture::RECIPE, errors::RECIPE, list::RECIPE, laws::RECIPE];
