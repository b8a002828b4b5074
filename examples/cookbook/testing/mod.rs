//! Logs in tests, and tests for custom parts.

mod capture;
mod contracts;
mod errors;
mod list;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[capture::RECIPE, errors::RECIPE, list::RECIPE, contracts::RECIPE];
