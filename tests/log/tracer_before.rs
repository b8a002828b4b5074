//! A program that has installed tracing-log's own bridge.

mod support;

use support::{Seen, outline};
use tracing_handlers::ErrorKind;

#[test]
fn init_keeps_the_log_tracer_and_each_record_arrives_once() {
    tracing_log::LogTracer::init().unwrap();
    let seen = Seen::default();
    tracing_handlers::init(seen.clone()).unwrap();
    log::info!(pieces = 3; "sold");
    tracing::info!(pieces = 3, "bought");
    assert_eq!(outline(&seen.take()), ["sold", "bought pieces"]);
    assert_eq!(tracing_handlers::bridge_log().unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(log::max_level(), log::LevelFilter::Trace, "the level is its installer's");
}
