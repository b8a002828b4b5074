//! Details of one user's requests alone, asked for by a text: `EnvFilter` for one output.

use tracing_handlers::filter::EnvFilter;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-env", about: "directives with spans and fields, as in EnvFilter", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let filter = EnvFilter::try_new("info,[request{user=ada}]=debug").unwrap();
    logged(output.filter(filter), || {
        for user in ["ada", "bob"] {
            let _request = tracing::info_span!("request", user).entered();
            tracing::debug!(target: "shop", "looked up the price");
            tracing::info!(target: "shop", "sold");
        }
    });
    memory.text()
}

const SHOWS: &str = "
DEBUG request{user=ada}: shop: looked up the price
 INFO request{user=ada}: shop: sold
 INFO request{user=bob}: shop: sold
";
