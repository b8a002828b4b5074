//! The cookbook: a recipe for each common task, one per file.
//!
//! ```text
//! cargo run --example cookbook            # runs all, and prints a line for each
//! cargo run --example cookbook -- NAME    # runs one, and prints its output
//! ```
//!
//! The output of a recipe is asserted: it must equal the constant `SHOWS` in the recipe's file.

mod alerts;
mod buffers;
mod files;
mod filters;
mod formats;
mod layers;
mod recipe;
mod rewrites;
mod routes;
mod safe;
mod scopes;
mod severity;
mod switch;
mod testing;
mod writers;

use std::process::ExitCode;

pub use recipe::{Recipe, logged};

const AREAS: &[&[Recipe]] = &[
    severity::RECIPES,
    filters::RECIPES,
    rewrites::RECIPES,
    buffers::RECIPES,
    routes::RECIPES,
    scopes::RECIPES,
    layers::RECIPES,
    writers::RECIPES,
    files::RECIPES,
    formats::RECIPES,
    safe::RECIPES,
    testing::RECIPES,
    alerts::RECIPES,
    switch::RECIPES,
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let all: Vec<_> = AREAS.iter().copied().flatten().collect();
    let recipes: Vec<_> =
        all.iter().filter(|recipe| wanted.as_deref().is_none_or(|name| name == recipe.name)).collect();
    if recipes.is_empty() {
        let names: Vec<_> = all.iter().map(|recipe| recipe.name).collect();
        eprintln!("no such recipe; there are: {}", names.join(" "));
        return ExitCode::FAILURE;
    }
    let passed = recipes.iter().filter(|recipe| recipe.run(wanted.is_some())).count();
    println!("{passed} of {} recipes show what they should", recipes.len());
    match passed == recipes.len() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
