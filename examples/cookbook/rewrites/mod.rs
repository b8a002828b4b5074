//! Records changed on their way: redaction, enrichment.

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[];
