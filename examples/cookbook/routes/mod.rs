//! Records to handlers by what they say; fallbacks, retries, audits.


use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
