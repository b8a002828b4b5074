//! Laws that every sink, format and handler must obey, with functions that check custom ones: Go's `slogtest`, for all of them.

mod behind;
mod failures;
mod format;
mod handler;
mod samples;
mod sink;
mod trial;

pub use behind::{Behind, Wiring};
pub use failures::{Failure, Failures};
pub use format::{check_binary_format, check_format};
pub use handler::check_handler;
pub use sink::{Rig, check_sink};
