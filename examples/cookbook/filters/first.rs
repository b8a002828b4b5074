//! Passes the first few records with each message per second, then every nth: zap's sampler.

use std::time::Duration;

use tracing_handlers::filter;

use super::{lines, logged_by};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "filter-first", about: "the first of each message, then every nth", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let second = Duration::from_secs(1);
    logged_by(output.filter(filter::first(2, second).then_every(10)), |advance| {
        (1..=20).for_each(|n| tracing::warn!(target: "shop", n, "slow"));
        tracing::warn!(target: "shop", "nearly sold out");
        advance(second);
        tracing::warn!(target: "shop", "slow");
    });
    memory.text()
}

const SHOWS: &str = "
 WARN shop: slow n=1
 WARN shop: slow n=2
 WARN shop: slow n=12
 WARN shop: nearly sold out
 WARN shop: slow
";
