//! Files: rotation, names, owners, durability, reading.

mod compress;
mod durable_audit;
mod encrypt;
mod faults;
mod group_commit;
mod names;
#[cfg(unix)]
mod owner;
mod python_timed;
mod read_back;
mod reopen;
mod retention;
mod rotate_now;
mod schedule;
mod seal;
mod shared;
mod signals;
#[cfg(unix)]
mod take_over_appender;
mod watched;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    compress::RECIPE,
    durable_audit::RECIPE,
    encrypt::RECIPE,
    faults::RECIPE,
    group_commit::RECIPE,
    names::RECIPE,
    #[cfg(unix)]
    owner::RECIPE,
    python_timed::RECIPE,
    read_back::RECIPE,
    reopen::RECIPE,
    retention::RECIPE,
    rotate_now::RECIPE,
    schedule::RECIPE,
    seal::RECIPE,
    shared::RECIPE,
    signals::RECIPE,
    #[cfg(unix)]
    take_over_appender::RECIPE,
    watched::RECIPE,
];
