//! Tests of code that logs through the `log` crate.

use tracing_handlers::Value;
use tracing_handlers::testing::capture;

#[test]
fn a_capture_sees_records_of_the_log_crate() {
    let capture = capture();
    log::info!(pieces = 3; "sold");
    log::trace!("details");
    let records = capture.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].as_record().field("pieces"), Some(Value::I64(3)));
}
