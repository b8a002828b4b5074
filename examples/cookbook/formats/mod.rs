//! Records as bytes.

mod json_fields;
mod json_presets;
mod json_shared;
mod json_template;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[json_presets::RECIPE, json_fields::RECIPE, json_template::RECIPE];
