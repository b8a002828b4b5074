//! Files: how they turn, what they are called, whose they are.

mod owner;
mod reopen;
mod rotate_now;
mod signals;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[owner::RECIPE, reopen::RECIPE, rotate_now::RECIPE, signals::RECIPE];
