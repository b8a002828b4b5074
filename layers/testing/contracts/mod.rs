//! The contracts of sinks, formats and handlers, and functions that check custom ones against them: Go's `slogtest`, for all of them.

mod failures;
mod format;
mod handler;
mod harness;
mod mock;
mod samples;
mod sink;
mod trial;

pub use failures::{Failure, Failures};
pub use format::{check_binary_format, check_format};
pub use handler::check_handler;
pub use harness::HandlerHarness;
pub use mock::MockHandler;
pub use sink::{SinkHarness, check_sink};
