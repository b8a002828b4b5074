//! Records kept until something goes wrong.

mod recorder;
mod until_error;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[until_error::RECIPE, recorder::RECIPE];
