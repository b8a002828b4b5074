//! Handlers, filters and formats for `tracing`.
pub mod clock;
mod error;
pub mod filter;
pub mod format;
mod framing;
pub mod handler;
mod layer;
pub mod process;
pub mod record;
pub mod rewrite;
pub mod rotation;
pub mod selflog;
pub mod sink;
mod sync;

pub use error::{Error, ErrorKind, Partial};
pub use filter::Filter;
pub use format::Format;
pub use framing::Framing;
pub use handler::{Handler, Output, Queue};
pub use layer::{Handle, HandlerLayer, layer};
pub use record::{FieldChange, Meta, Record, RecordBuf, Records, Severity, Value};
pub use rewrite::Rewrite;
pub use sink::Sink;
