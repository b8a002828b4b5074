//! Changes of records: redaction, enrichment.

mod allow_list;
mod cap;
mod enrich;
mod nested_secrets;
mod one_s_own;
mod own_patterns;
mod patterns;
mod pseudonyms;
mod redact;
mod relevel;
mod rename;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    redact::RECIPE,
    allow_list::RECIPE,
    patterns::RECIPE,
    own_patterns::RECIPE,
    nested_secrets::RECIPE,
    pseudonyms::RECIPE,
    enrich::RECIPE,
    rename::RECIPE,
    relevel::RECIPE,
    cap::RECIPE,
    one_s_own::RECIPE,
];
