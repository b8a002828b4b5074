//! The wire form: a record as bytes that do not depend on the process that wrote them.
//!
//! In memory, a record refers to the callsites of its process. The wire form spells everything out, so that another process,
//! another version of this crate, or another machine can read it from a file or a socket. [`encode`] appends a record as one
//! *frame*, [`decode`] reads one frame, and [`Frames`] reads many.
//!
//! ```
//! use tracing_handlers::record::wire::{self, Frames, Id, Limits};
//! use tracing_handlers::{RecordBuf, Severity, Value};
//!
//! let limits = Limits::new();
//! let mut bytes = Vec::new();
//! let sold = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("pieces", 3_u64);
//! wire::encode(&sold.as_record(), None, &limits, &mut bytes)?;
//! let empty = RecordBuf::new(Severity::WARN, "shop", "sold out");
//! wire::encode(&empty.as_record(), Id::from_bytes([7; 16]), &limits, &mut bytes)?;
//!
//! let mut frames = Frames::new(&bytes, limits);
//! let mut record = RecordBuf::default();
//! assert_eq!(frames.next(&mut record)?.expect("a frame").id, None);
//! assert_eq!(record.as_record().field("pieces"), Some(Value::U64(3)));
//! assert_eq!(frames.next(&mut record)?.expect("a frame").id, Id::from_bytes([7; 16]));
//! assert_eq!(record.as_record().message(), "sold out");
//! assert!(frames.next(&mut record)?.is_none());
//! # Ok::<(), tracing_handlers::Error>(())
//! ```
//!
//! # Guarantees
//!
//! - Damaged or truncated bytes never produce a wrong record. The head of a frame has a checksum of its own, so that a damaged
//!   length is detected at once; a second checksum covers the whole frame.
//! - No input makes the reader panic, recurse, or build a record of more than 1.25 times the length of its frame and 200 bytes.
//!   [`Limits`] bound what it accepts. All texts are verified to be UTF-8. A nested value that is not a single line of valid
//!   JSON, or is nested more than 128 levels deep, is read as [`Value::Text`](crate::Value::Text).
//! - A frame of a newer version, or with a kind, a type of value or a flag that this version of the crate does not know, is not
//!   an error. Its checksums are verified; then it is skipped and counted.
//! - Every version of the crate reads the frames of all earlier ones.
//!
//! Checksums detect accidents, not forgeries: data from untrusted peers needs a transport that authenticates it.
//!
//! # The frame
//!
//! The frame is the same in every version. Integers are little endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 2 | marker: `F5 54`, which no UTF-8 text contains |
//! | 2 | 1 | version of the body: 1 |
//! | 3 | 1 | kind of the body: 1, a record |
//! | 4 | 4 | length of the body |
//! | 8 | 16 | [`Id`], or zeros |
//! | 24 | 4 | checksum of bytes 0 to 23 |
//! | 28 | 4 | checksum of bytes 0 to 23 and the body |
//! | 32 | | body |
//!
//! Checksums are CRC-32 as in gzip (polynomial 0x04C11DB7).
//!
//! # The body of a record, version 1
//!
//! A fixed part of 60 bytes is followed by fields, spans and texts, without gaps.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 1 | [`Kind`](super::Kind) |
//! | 1 | 1 | number of the severity, 1 to 24 |
//! | 2 | 1 | flags: 1 there is a message, 2 a thread name, 4 a module path, 8 a file |
//! | 3 | 1 | length of the severity's name, or 0 if it has the name of its group; at most 32 |
//! | 4 | 4 | time: nanoseconds, below 1,000,000,000 |
//! | 8 | 8 | time: seconds since 1970-01-01T00:00:00Z, signed |
//! | 16 | 8 | thread id, or 0 |
//! | 24 | 4 | line in the source file, or 0 |
//! | 28 | 4, 4 | lengths of the fields and of the spans |
//! | 36 | 4, 4 | lengths of the message and of the thread name |
//! | 44 | 4, 4, 4, 4 | lengths of target, event name, module path and file |
//! | 60 | | fields |
//! | | | spans, root first |
//! | | | texts in UTF-8: severity name, message, thread name, target, event name, module path, file |
//!
//! A field is a tag (1 byte), the length of its name (2 bytes), the name, and the value. Values of variable length have their
//! length (4 bytes) in front, so that a reader can step over each.
//!
//! | tag | value |
//! |---|---|
//! | 128, 129 | false, true: no bytes |
//! | 130, 131 | signed, unsigned integer of 8 bytes |
//! | 132, 133 | signed, unsigned integer of 16 bytes |
//! | 134 | float: its bits, 8 bytes |
//! | 135, 136 | length, and a text: [`Str`](crate::Value::Str), [`Text`](crate::Value::Text) |
//! | 137 | length, and bytes |
//! | 138 | length, and an error: its messages, outermost first, each a length (4 bytes) and a text |
//! | 141 | length, and JSON |
//! | 12 | only in spans, without a name: the id of a span that this one follows from, 8 bytes |
//!
//! A span is a length (4 bytes) of what follows: id (8 bytes), number of the severity (1 byte), length of its name (2 bytes),
//! name, length of its target (2 bytes), target, and fields.

mod check_json;
mod decode;
mod encode;
mod envelope;
mod fields;
mod frames;
mod id;
mod layout;
mod limits;
mod prepared;
mod texts;

pub use decode::{Decoded, decode};
pub use encode::encode;
pub use envelope::{Fault, Frame, Rejected};
pub use frames::Frames;
pub use id::Id;
pub use limits::Limits;
