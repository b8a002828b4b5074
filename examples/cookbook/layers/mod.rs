//! Handlers as layers of a subscriber.

mod filters;
mod side_by_side;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[side_by_side::RECIPE, filters::RECIPE];
