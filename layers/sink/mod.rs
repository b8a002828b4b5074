//! Destinations of bytes.
//!
//! A [`Sink`] receives whole framed records, several at a time, and returns how many it took. [`Writer`] makes any sink an
//! `io::Write` and a [`MakeWriter`](tracing_subscriber::fmt::MakeWriter); conversely, [`Write`] and [`Make`] make a sink of
//! an `io::Write` or a `MakeWriter`.
//!
//! | sink | writes to |
//! |---|---|
//! | [`Console`] | standard output, standard error, or both |
//! | [`File`] | a file, which may be rotated, synced, sealed and encrypted |
//! | [`Write`] | any `io::Write` |
//! | [`Make`] | any `MakeWriter`, such as those of `tracing-appender` |
//! | [`Memory`] | memory, for tests |
//! | [`Null`] | nothing |
//! | [`around`] | another sink, inside a closure that hides a progress bar meanwhile |

mod around;
mod console;
mod make;
mod memory;
mod null;
mod reminder;
pub(crate) mod run;
mod tail;
mod write;
pub(crate) mod writer;

pub use crate::file::sink::{Commit, Control, Durability, File, FileOptions};
pub use around::{Around, around};
pub use console::{Color, Console};
pub use make::Make;
pub use memory::Memory;
pub use null::Null;
pub use reminder::Reminder;
pub use write::Write;
pub use writer::Writer;

pub use crate::file::ownership::Account;

use std::fmt;
use std::time::Instant;

use crate::format::Caps;
use crate::record::Severity;
use crate::{Error, Partial};

/// A destination of framed records.
pub trait Sink: Send + 'static {
    /// Takes the lines of `framed`, in order.
    ///
    /// An error says how many lines were taken before it: these are the sink's to deliver, and [`pending`](Self::pending) until
    /// then. The rest must not have been written, not even in part.
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial>;

    /// Delivers the pending lines, and returns by `deadline`.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        let _ = deadline;
        Ok(())
    }

    /// Writes the lines that lie in a buffer, but does not make them more durable than a write does, and does not wait for a peer. By
    /// default does nothing.
    ///
    /// Called when a [`Queue`](crate::Queue) in front has run out of records, and when a [`Reminder`] is due. After an error the lines
    /// are still [`pending`](Self::pending).
    fn write_buffered(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Takes a reminder, by which the sink can have [`write_buffered`](Self::write_buffered) called some time after it has put a line
    /// into its buffer. By default does nothing.
    ///
    /// Called by the owner of the sink before the first write. A sink around another one forwards this method and
    /// `write_buffered`; if it does not, lines stay in the buffer of the inner sink until that is full or flushed.
    fn set_reminder(&mut self, reminder: Reminder) {
        let _ = reminder;
    }

    /// Ends what is open, such as a sealed file. By default does nothing.
    ///
    /// Called at the end of the process, after the last flush. A later line opens it again.
    fn close(&mut self, deadline: Instant) -> Result<(), Error> {
        let _ = deadline;
        Ok(())
    }

    /// Returns how many lines were taken and not delivered yet, such as those in a buffer. By default 0.
    fn pending(&self) -> usize {
        0
    }

    /// Returns what to wait for until the last write or flush is as durable as this sink promises. By default `None`: it is
    /// when `write` and `flush` return.
    ///
    /// For callers that hold a lock around the sink and release it to wait, so that other threads can write and one sync
    /// serves them all. From the first call on, which must precede the first write, the sink leaves the waiting to the caller,
    /// which must call this after every write and every flush. A sink around another one forwards this method, together with
    /// [`lost`](Self::lost); if it does not, the inner sink waits itself, which only costs time.
    fn commit(&mut self) -> Option<Commit> {
        None
    }

    /// Returns how many taken lines will never be delivered, because a sync or a write that continued in the background failed, and
    /// resets the count. Until then they are [`pending`](Self::pending).
    fn lost(&mut self) -> usize {
        0
    }

    /// Returns what formats may write for this sink.
    fn caps(&self) -> Caps {
        Caps::default()
    }

    /// Returns a description for messages and reports: `file logs/app.jsonl`.
    fn describe(&self) -> String;

    /// Discards the pending lines. Called first in a forked child, since they are the parent's to write.
    fn forget_pending(&mut self) {}
}

/// Shows `dyn Sink`, so that a boxed one does not keep others from deriving `Debug`.
impl fmt::Debug for dyn Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Sink")
    }
}

/// Framed records, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Framed<'a> {
    bytes: &'a [u8],
    ends: &'a [RecordEnd],
    preamble: &'a [u8],
}

/// The end and the severity of one record of a [`Framed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordEnd {
    /// Where the record ends in [`Framed::bytes`]; it starts where the previous one ends.
    pub end: usize,
    /// The record's severity.
    pub severity: Severity,
}

impl RecordEnd {
    /// Creates the end, at `end`, of a record of this severity.
    #[inline]
    pub const fn new(end: usize, severity: Severity) -> Self {
        Self { end, severity }
    }
}

impl<'a> Framed<'a> {
    /// Creates a view of `bytes`, in which each of `ends` marks the end of a record; the last one ends at the end of `bytes`.
    pub fn new(bytes: &'a [u8], ends: &'a [RecordEnd]) -> Self {
        debug_assert_eq!(ends.last().map_or(0, |last| last.end), bytes.len());
        Self { bytes, ends, preamble: &[] }
    }

    /// Sets the bytes that a new file starts with ([`Format::preamble`](crate::Format::preamble)).
    #[must_use]
    pub fn with_preamble(mut self, preamble: &'a [u8]) -> Self {
        self.preamble = preamble;
        self
    }

    /// Returns the bytes of all records.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the end and the severity of each record.
    pub fn ends(&self) -> &'a [RecordEnd] {
        self.ends
    }

    /// Returns the bytes that a new file starts with.
    pub fn preamble(&self) -> &'a [u8] {
        self.preamble
    }

    /// Returns each record's bytes, with its end and severity.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], RecordEnd)> {
        let (bytes, mut start) = (self.bytes, 0);
        self.ends.iter().map(move |end| {
            // Ends out of order or beyond the bytes are the creator's mistake, and do not panic.
            let record = bytes.get(start..end.end).unwrap_or_default();
            start = end.end;
            (record, *end)
        })
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        (**self).write(framed)
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        (**self).flush(deadline)
    }

    fn write_buffered(&mut self) -> Result<(), Error> {
        (**self).write_buffered()
    }

    fn set_reminder(&mut self, reminder: Reminder) {
        (**self).set_reminder(reminder);
    }

    fn close(&mut self, deadline: Instant) -> Result<(), Error> {
        (**self).close(deadline)
    }

    fn pending(&self) -> usize {
        (**self).pending()
    }

    fn commit(&mut self) -> Option<Commit> {
        (**self).commit()
    }

    fn lost(&mut self) -> usize {
        (**self).lost()
    }

    fn caps(&self) -> Caps {
        (**self).caps()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }

    fn forget_pending(&mut self) {
        (**self).forget_pending();
    }
}
