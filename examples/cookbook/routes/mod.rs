//! Routes, fallbacks, retries, audits.

mod again;
mod audit;
mod by_severity;
mod by_target;
mod by_tenant;
mod failover;
mod repeats;
mod stop;
mod wrapper;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    by_tenant::RECIPE,
    by_severity::RECIPE,
    by_target::RECIPE,
    failover::RECIPE,
    again::RECIPE,
    repeats::RECIPE,
    audit::RECIPE,
    stop::RECIPE,
    wrapper::RECIPE,
];
