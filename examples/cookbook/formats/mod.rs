//! Records as bytes.

mod pattern_colour;
mod pattern_line;
mod pattern_sections;
mod python_extra;
mod python_styles;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    pattern_line::RECIPE,
    pattern_sections::RECIPE,
    pattern_colour::RECIPE,
    python_styles::RECIPE,
    python_extra::RECIPE,
];
