//! Alarms and counts.

mod counts;
mod keyed;
mod losses;
mod rate;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[rate::RECIPE, keyed::RECIPE, counts::RECIPE, losses::RECIPE];
