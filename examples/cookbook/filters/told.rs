//! A log that says what it leaves out: any filter in front of any handler, counted and told.

use std::time::Duration;

use tracing_handlers::filter::{self, FilterExt};
use tracing_handlers::handler::{Filtered, Handler};

use super::{lines, logged_by};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "filter-told", about: "counts what it drops, and tells it in the log", make, shows: SHOWS };

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
";
