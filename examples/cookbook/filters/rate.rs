//! Limits the records per second, separately for each user: log4j2's `BurstFilter`.

use std::time::Duration;

use tracing_handlers::filter;

use super::{lines, logged_by};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "filter-rate", about: "a limit per second and user, with a burst", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let second = Duration::from_secs(1);
    logged_by(output.filter(filter::rate(1, second).burst(2).by("user")), |advance| {
        let guess = |n: u32, user: &str| tracing::warn!(target: "login", user, n, "wrong password");
        (1..=50).for_each(|n| guess(n, "eve"));
        guess(1, "ada");
        advance(second);
        (51..=100).for_each(|n| guess(n, "eve"));
    });
    memory.text()
}

const SHOWS: &str = "
 WARN login: wrong password user=eve n=1
 WARN login: wrong password user=eve n=2
 WARN login: wrong password user=ada n=1
 WARN login: wrong password user=eve n=51
";
