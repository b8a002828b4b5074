//! Filters by the values of an event and its enclosing spans: log4j2's `MapFilter` and `ThreadContextMapFilter`, Python's filter
//! functions.

use tracing_handlers::filter::{self, FilterExt};

use super::lines;
use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "filter-fields", about: "by values of the event and its spans", make, shows: SHOWS };

fn make() -> String {
    let (memory, output) = lines();
    let failed = filter::field("status").ge(500);
    let of_vips = filter::span("request").field("user").one_of(["ada", "mia"]);
    let no_probes = filter::field("path").starts_with("/health").not();
    logged(output.filter(failed.or(of_vips).and(no_probes)), || {
        for user in ["ada", "bob"] {
            let _request = tracing::info_span!(target: "http", "request", user).entered();
            tracing::info!(target: "http", path = "/orders", status = 200, "done");
            tracing::info!(target: "http", path = "/health/live", status = 200, "done");
            tracing::info!(target: "http", path = "/pay", status = 503, "done");
        }
    });
    memory.text()
}

const SHOWS: &str = "
 INFO request{user=ada}: http: done path=/orders status=200
 INFO request{user=ada}: http: done path=/pay status=503
 INFO request{user=bob}: http: done path=/pay status=503
";
