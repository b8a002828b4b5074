//! Levels by target from a text such as `RUST_LOG`, above the program's defaults.

use tracing_handlers::filter::Targets;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe {
    name: "filter-directives",
    about: "directives as in RUST_LOG, above the program's defaults",
    make,
    shows: SHOWS,
};

fn make() -> String {
    let defaults: Targets = "info,hyper=warn,shop=info".parse().unwrap();
    // From a variable: `Targets::from_env_or("RUST_LOG", defaults)`.
    let targets = "shop=debug".parse::<Targets>().unwrap().or_default(defaults);
    let (memory, output) = lines();
    logged(output.filter(targets.clone()), || {
        tracing::debug!(target: "shop::stock", "the user has asked for this");
        tracing::info!(target: "hyper", "a default hides this");
        tracing::info!(target: "till", "another default lets this pass");
    });
    let error = "shop=debig".parse::<Targets>().unwrap_err();
    format!("{targets}\n{}\n{error}", memory.text().trim_end())
}

const SHOWS: &str = "
hyper=warn,shop=debug,info
DEBUG shop::stock: the user has asked for this
 INFO till: another default lets this pass
directives: column 6, `debig`: expected a level, did you mean `debug`?
";
