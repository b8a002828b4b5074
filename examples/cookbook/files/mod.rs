//! Files: how they turn, what they are called, whose they are, what they survive, and how they are read back.

mod compress;
mod owner;
mod read_back;
mod reopen;
mod rotate_now;
mod signals;

use crate::Recipe;

pub const RECIPES: &[Recipe] =
    &[compress::RECIPE, owner::RECIPE, read_back::RECIPE, reopen::RECIPE, rotate_now::RECIPE, signals::RECIPE];
