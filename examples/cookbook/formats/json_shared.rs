use tracing_handlers::RecordBuf;
use tracing_handlers::clock::Timestamp;

/// A fixed time, so that the output of a recipe is always the same.
pub fn at_a_fixed_time(record: &mut RecordBuf) {
    *record = std::mem::take(record).with_time(Timestamp::new(1_795_223_943, 123_456_000));
}
