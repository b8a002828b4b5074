//! Records as bytes.

mod csv;
mod errors;
mod errors_backtrace;
mod logfmt;
mod nested;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[csv::RECIPE, errors::RECIPE, errors_backtrace::RECIPE, logfmt::RECIPE, nested::RECIPE];
