//! A program that installs the bridge, and then a subscriber by tracing-subscriber's `try_init`.

mod support;

use support::{Seen, outline};
use tracing_subscriber::prelude::*;

#[test]
fn a_subscriber_installed_by_try_init_after_the_bridge_gets_key_values() {
    tracing_handlers::bridge_log().unwrap();
    let seen = Seen::default();
    let installed = tracing_subscriber::registry().with(tracing_handlers::layer(seen.clone())).try_init();
    assert_eq!(installed.is_err(), cfg!(feature = "tracing-log"), "only LogTracer is refused");
    log::info!(pieces = 3; "sold");
    assert_eq!(outline(&seen.take()), ["sold pieces"]);
}
