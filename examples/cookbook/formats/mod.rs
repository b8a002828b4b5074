//! Records as bytes.

mod csv;
mod errors;
mod errors_backtrace;
mod json_fields;
mod json_presets;
mod json_shared;
mod json_template;
mod logfmt;
mod nested;
mod pattern_color;
mod pattern_line;
mod pattern_sections;
mod python_extra;
mod python_styles;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    csv::RECIPE,
    errors::RECIPE,
    errors_backtrace::RECIPE,
    json_fields::RECIPE,
    json_presets::RECIPE,
    json_template::RECIPE,
    logfmt::RECIPE,
    nested::RECIPE,
    pattern_color::RECIPE,
    pattern_line::RECIPE,
    pattern_sections::RECIPE,
    python_extra::RECIPE,
    python_styles::RECIPE,
];
