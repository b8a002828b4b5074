//! Passes records only at certain times of day: log4j2's `TimeFilter`, with days of the week, in a time zone (feature `time-zone`).

use std::time::Duration;

use tracing_handlers::filter::{self, Weekday};

use super::{lines, logged_by};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "filter-hours", about: "at night in Berlin, on working days", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let night = filter::hours("22:00", "06:00").and_then(|hours| hours.on(Weekday::WORKING).zone("Europe/Berlin"));
    logged_by(output.filter(night.expect("times of day, and a zone")), |advance| {
        // A record every hour, from Friday 13:00 in Berlin.
        for hour in 13..72 {
            tracing::info!(target: "shop", day = hour / 24, hour = hour % 24, "sold");
            advance(Duration::from_secs(3_600));
        }
    });
    memory.text()
}

const SHOWS: &str = "
 INFO shop: sold day=0 hour=22
 INFO shop: sold day=0 hour=23
 INFO shop: sold day=1 hour=0
 INFO shop: sold day=1 hour=1
 INFO shop: sold day=1 hour=2
 INFO shop: sold day=1 hour=3
 INFO shop: sold day=1 hour=4
 INFO shop: sold day=1 hour=5
";
