//! Files: what is on the disk when.

mod durable_audit;
mod group_commit;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[durable_audit::RECIPE, group_commit::RECIPE];
