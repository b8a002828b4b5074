//! Reports in the log what a filter drops: any filter in front of any handler, with counts.

use std::time::Duration;

use tracing_handlers::filter::{self, FilterExt};
use tracing_handlers::handler::{Filtered, Handler};

use super::{lines, logged_by};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "filter-told", about: "counts what it drops, and reports it in the log", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let thin = filter::one_in(2).and(filter::rate(3, Duration::from_secs(60)));
    let filtered = std::sync::Arc::new(Filtered::new(thin, output).tell_every(Duration::from_secs(30)).name("thin"));
    logged_by(filtered.clone(), |advance| {
        for n in 0..24 {
            tracing::info!(target: "shop", n, "sold");
            advance(Duration::from_secs(3));
        }
    });
    let counts = filtered.stats()[0].to_string();
    drop(filtered);
    format!("{}\n{counts}", memory.text().trim_end())
}

const SHOWS: &str = "
 INFO shop: sold n=0
 INFO shop: sold n=2
 INFO shop: sold n=4
 INFO shop: sold n=8
 WARN tracing_handlers: 10 records filtered here: sampled 7, rate limited 3 lost=10 reason=\"sampled: 7, rate limited: 3\"
 INFO shop: sold n=14
 INFO shop: sold n=20
 WARN tracing_handlers: 8 records filtered here: sampled 5, rate limited 3 lost=8 reason=\"sampled: 5, rate limited: 3\"
thin: accepted 24, delivered 6, dropped 18 (sampled 12, rate limited 6), failed 0, pending 0
";
