//! Passes the records of one logger and those below it: Python's `logging.Filter("shop.stock")`.

use tracing_handlers::filter;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-name", about: "a logger and those below it, as in Python", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    logged(output.filter(filter::name("shop.stock")), || {
        tracing::info!(target: "shop::stock", "counted");
        tracing::info!(target: "shop.stock.rack", "moved");
        tracing::info!(target: "shop::stocks", "sold at the exchange");
        tracing::info!(target: "shop", "opened");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop::stock: counted
 INFO shop.stock.rack: moved
";
