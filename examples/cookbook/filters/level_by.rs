//! Logs at DEBUG for one user only: log4j2's `DynamicThresholdFilter`.

use tracing::Level;
use tracing_handlers::filter;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-level-by", about: "a level that depends on the user", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let level = filter::level_by("user").with(42_u64, Level::DEBUG).otherwise(Level::INFO);
    logged(output.filter(level), || {
        for user in [7_u64, 42] {
            let _request = tracing::info_span!("request", user).entered();
            tracing::debug!(target: "shop", "looked up the price");
            tracing::info!(target: "shop", "sold");
        }
    });
    memory.text()
}

const SHOWS: &str = "
 INFO request{user=7}: shop: sold
DEBUG request{user=42}: shop: looked up the price
 INFO request{user=42}: shop: sold
";
