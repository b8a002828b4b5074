//! Filters by regular expressions on the message, a field or the target: log4j2's `RegexFilter` (feature `regex`).

use tracing_handlers::filter::{self, FilterExt};

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "filter-patterns", about: "by regular expressions", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let slow = filter::matches(r"took \d{4,} ms").expect("a regular expression");
    let orders = filter::field_matches("path", r"^/orders/\d+$").expect("a regular expression");
    let noise = filter::target_matches("^(hyper|h2)(::|$)").expect("a regular expression");
    logged(output.filter(slow.or(orders).and(noise.not())), || {
        tracing::info!(target: "http", path = "/orders/17", "took 3 ms");
        tracing::info!(target: "http", path = "/orders", "took 4 ms");
        tracing::info!(target: "http", path = "/orders", "took 2304 ms");
        tracing::info!(target: "h2::frame", "took 9999 ms");
    });
    memory.text()
}

const SHOWS: &str = "
 INFO http: took 3 ms path=/orders/17
 INFO http: took 2304 ms path=/orders
";
