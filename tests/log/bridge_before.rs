//! A program that installs the logger, and then a subscriber without `init`.

mod support;

use support::{Seen, outline};
use tracing_subscriber::prelude::*;

#[test]
fn a_bridge_that_is_installed_first_serves_any_subscriber_once() {
    tracing_handlers::bridge_log().unwrap();
    tracing_handlers::bridge_log().unwrap();
    log::info!("before there is a subscriber");
    let (scoped, global) = (Seen::default(), Seen::default());
    let subscriber = || tracing_subscriber::registry().with(tracing_handlers::layer(scoped.clone()));
    tracing::subscriber::with_default(subscriber(), || log::debug!(n = 1; "in the scope"));
    assert_eq!(outline(&scoped.take()), ["in the scope n"]);
    // It would install tracing-log's logger if that feature is on.
    let guard = subscriber().set_default();
    log::info!(n = 1; "beside tracing-log");
    drop(guard);
    assert_eq!(outline(&scoped.take()), ["beside tracing-log n"]);
    tracing_handlers::init(global.clone()).unwrap();
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
    log::info!(n = 1; "in the process");
    tracing::subscriber::with_default(subscriber(), || log::info!("in the scope again"));
    assert_eq!(outline(&global.take()), ["in the process n"]);
    assert_eq!(outline(&scoped.take()), ["in the scope again"]);
}
