//! Handlers, filters and formats for `tracing`.
pub mod clock;
mod error;
pub mod filter;
pub mod format;
mod framing;
pub mod record;
pub mod rotation;
pub mod selflog;
pub mod sink;
mod sync;

pub use error::{Error, ErrorKind, Partial};
pub use filter::Filter;
pub use format::Format;
pub use framing::Framing;
pub use record::{FieldChange, Meta, Record, RecordBuf, Records, Severity, Value};
pub use sink::Sink;
