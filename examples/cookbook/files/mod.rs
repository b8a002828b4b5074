//! Files: how they turn, what they are called, whose they are.

mod encrypt;
mod owner;
mod reopen;
mod rotate_now;
mod seal;
mod signals;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    encrypt::RECIPE,
    owner::RECIPE,
    reopen::RECIPE,
    rotate_now::RECIPE,
    seal::RECIPE,
    signals::RECIPE,
];
