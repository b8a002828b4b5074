//! Logging in one line: text on a terminal, JSON in a pipe or a file, at INFO or at what `RUST_LOG` says.
//!
//! ```text
//! cargo run --example 00_init_default
//! RUST_LOG=debug cargo run --example 00_init_default
//! LOG_FORMAT=json cargo run --example 00_init_default
//! ```

use tracing::{debug, info, info_span, warn};

fn main() -> Result<(), tracing_handlers::Error> {
    let handle = tracing_handlers::init_default()?;

    let _request = info_span!("request", user = "mia").entered();
    info!(pieces = 3, "sold");
    debug!("only with RUST_LOG=debug or more");
    warn!("almost out of stock");

    assert!(handle.stats()[0].stats.balances());
    Ok(())
}
