//! Records as bytes.

mod csv;
mod errors;
mod errors_backtrace;
mod logfmt;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[logfmt::RECIPE, csv::RECIPE, errors::RECIPE, errors_backtrace::RECIPE];
