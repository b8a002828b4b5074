//! Samples: one record in n, and a share of the requests, with all of their records.

use tracing_handlers::filter;

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-sample", about: "one record in n; a share of the requests", make, shows: SHOWS };

fn make() -> String {
    let (counted, ticks) = lines();
    logged(ticks.filter(filter::one_in(100)), || {
        (0..300).for_each(|n| tracing::info!(target: "shop", n, "tick"));
        tracing::error!(target: "shop", "errors always pass");
    });
    // The request's id decides, so that every process selects the same requests.
    let (shared, requests) = lines();
    logged(requests.filter(filter::share(0.1).by("id")), || {
        for id in 0..20 {
            let _request = tracing::info_span!("request", id).entered();
            tracing::info!(target: "shop", "begun");
            tracing::info!(target: "shop", "done");
        }
    });
    counted.text() + &shared.text()
}

const SHOWS: &str = "
 INFO shop: tick n=0
 INFO shop: tick n=100
 INFO shop: tick n=200
ERROR shop: errors always pass
 INFO request{id=8}: shop: begun
 INFO request{id=8}: shop: done
 INFO request{id=10}: shop: begun
 INFO request{id=10}: shop: done
 INFO request{id=14}: shop: begun
 INFO request{id=14}: shop: done
 INFO request{id=18}: shop: begun
 INFO request{id=18}: shop: done
";
