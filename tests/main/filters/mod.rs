//! The filters by what records say and by how many there are, each compared with what it should come to.

mod chain;
mod early;
mod fields;
mod filtered;
mod many;
mod shown_spans;
mod wants;
#[cfg(feature = "time-zone")]
mod zone;

use tracing_handlers::clock::Timestamp;
use tracing_handlers::{RecordBuf, Severity};

fn record(severity: Severity, message: &str) -> RecordBuf {
    RecordBuf::new(severity, "shop", message)
}

/// A record of so many milliseconds after 1970-01-01T00:16:40Z.
fn at(millis: u64) -> RecordBuf {
    let time = Timestamp::new(1_000, 0).saturating_add(std::time::Duration::from_millis(millis));
    record(Severity::INFO, "sold").with_time(time)
}
