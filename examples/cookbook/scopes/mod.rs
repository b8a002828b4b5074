//! Temporary handlers and levels, and what is delivered at the end of a task.

mod flush_async;
mod handler;
mod level;
mod lives;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[flush_async::RECIPE, handler::RECIPE, level::RECIPE, lives::RECIPE];
