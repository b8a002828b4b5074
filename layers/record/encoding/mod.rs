//! The encoding of a record in memory: a fixed header and one flat, typed byte buffer behind it.
//!
//! ```text
//! header (100 bytes) | fields | spans, root first | texts
//! ```
//!
//! A field is `tag, name, payload`; a name is an index into its callsite's field set, or is inline. A span is `length, callsite,
//! id, severity, fields, length`, so that spans are read from either end. Texts (thread name; target, module, file and name if no callsite has them) are found by offset and length
//! from the header. Integers are little endian. Only this module writes and reads the layout, so that a queue can append a record
//! with one copy and nothing else needs to know it.

mod entry;
mod field;
mod fit;
mod header;
mod shrink;
mod span;
pub(super) mod tag;

pub(super) use entry::{Entry, RawEntry, TakeEntry};
pub(super) use field::{Name, put_aside, put_error, put_field, put_follows, put_written};
pub(super) use header::{HEADER, Head, HeadMut, Slot, begin, put_slot};
pub(super) use shrink::{end, end_at};
pub(super) use span::{SpanHead, put_foreign_span, put_span};

pub(super) use super::primitive::{MAX_TEXT, Reader, put_text};
