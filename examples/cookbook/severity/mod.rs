//! Severities between and beyond tracing's levels.

mod names;
mod notice;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[notice::RECIPE, names::RECIPE];
