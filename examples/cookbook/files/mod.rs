//! Files: how they turn, what they are called, whose they are, what they survive, and how they are read back.

mod compress;
mod durable_audit;
mod encrypt;
mod faults;
mod group_commit;
mod owner;
mod python_timed;
mod read_back;
mod reopen;
mod rotate_now;
mod schedule;
mod seal;
mod signals;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    compress::RECIPE,
    durable_audit::RECIPE,
    encrypt::RECIPE,
    faults::RECIPE,
    group_commit::RECIPE,
    owner::RECIPE,
    python_timed::RECIPE,
    read_back::RECIPE,
    reopen::RECIPE,
    rotate_now::RECIPE,
    schedule::RECIPE,
    seal::RECIPE,
    signals::RECIPE,
];
