//! A program that knows only tracing-subscriber's `init`.

mod support;

use support::{Seen, outline};
use tracing_handlers::ErrorKind;
use tracing_subscriber::prelude::*;

#[test]
fn records_reach_a_registry_without_key_values_if_tracing_log_is_on() {
    let seen = Seen::default();
    tracing_subscriber::registry().with(tracing_handlers::layer(seen.clone())).init();
    log::info!(pieces = 3; "sold");
    tracing::info!(pieces = 3, "bought");
    let expected: &[&str] = if cfg!(feature = "tracing-log") { &["sold", "bought pieces"] } else { &["bought pieces"] };
    assert_eq!(outline(&seen.take()), expected);
    let bridge = tracing_handlers::bridge_log().map_err(|error| error.kind());
    assert_eq!(bridge, if cfg!(feature = "tracing-log") { Err(ErrorKind::Config) } else { Ok(()) });
}
