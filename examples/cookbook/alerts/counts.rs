//! Counts records by target and severity for Prometheus: Micrometer's `Log4j2Metrics`.

use tracing_handlers::handler::Counts;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "counts", about: "records counted by target and severity", make, shows: SHOWS };

fn make() -> String {
    let counts = Counts::new().max_targets(100);
    logged(counts.clone(), || {
        (0..3).for_each(|_| tracing::info!(target: "shop", "sold"));
        tracing::error!(target: "shop::till", "jammed");
        tracing::info!(target: "odd \"target\"", "quoted");
    });
    // A handler of `GET /metrics` returns this.
    counts.prometheus()
}

const SHOWS: &str = r#"
# HELP log_records_total Records logged, by target and severity.
# TYPE log_records_total counter
log_records_total{target="odd \"target\"",severity="INFO"} 1
log_records_total{target="shop",severity="INFO"} 3
log_records_total{target="shop::till",severity="ERROR"} 1
"#;
