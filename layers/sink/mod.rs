//! Destinations of bytes.
//!
//! A [`Sink`] is handed whole framed records, several at a time, and says how many it took. Those of this module are also
//! `io::Write`, and [`Writer`] makes any of them a [`MakeWriter`](tracing_subscriber::fmt::MakeWriter); the other way
//! round [`Write`] and [`Make`] turn what writes into a sink.

mod console;
mod file;
mod make;
mod memory;
mod null;
mod run;
mod tail;
mod write;
mod writer;

pub use console::{Colour, Console};
pub use file::{Commit, Control, Durability, File, FileOptions};
pub use make::Make;
pub use memory::Memory;
pub use null::Null;
pub use write::Write;
pub use writer::Writer;

pub use crate::ownership::Account;

use std::time::Instant;

use crate::format::Caps;
use crate::record::Severity;
use crate::{Error, Partial};

/// Takes bytes to where they stay.
pub trait Sink: Send + 'static {
    /// Takes the lines of `framed`, in order. On an error it says how many it took before it: those are its own to deliver,
    /// and [`pending`](Self::pending) while it has not; the rest were not written, not even in part.
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial>;

    /// Delivers what is pending, and comes back by `deadline`.
    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        let _ = deadline;
        Ok(())
    }

    /// Called at the end of the process, behind the last flush: what is open is given its end. A line that comes later begins
    /// anew. By default nothing.
    fn close(&mut self, deadline: Instant) -> Result<(), Error> {
        let _ = deadline;
        Ok(())
    }

    /// How many lines it took and has not delivered yet: those that lie in a buffer. By default none.
    fn pending(&self) -> usize {
        0
    }

    /// What has to be waited for before the last write or flush is as durable as this sink promises. By default nothing:
    /// then it is so when `write` and `flush` come back.
    ///
    /// It is for who holds a lock around the sink, and lets go of it to wait, so that others go on writing and one sync
    /// serves them all. From the first call on, which comes before the first write, the sink leaves the waiting to the caller,
    /// who then asks after every write and every flush. A sink around another one hands this on, together with
    /// [`lost`](Self::lost); if it does not, the inner one waits by itself, and nothing is lost but time.
    fn commit(&mut self) -> Option<Commit> {
        None
    }

    /// How many lines it took that will never be delivered, because a sync failed, and that nobody has asked about: until then
    /// they are [`pending`](Self::pending). Asked by who asks for [`commit`](Self::commit)s.
    fn lost(&mut self) -> usize {
        0
    }

    /// What a format may write for it.
    fn caps(&self) -> Caps {
        Caps::default()
    }

    /// What it is, for people: `file logs/app.jsonl`.
    fn describe(&self) -> String;

    /// Called in a forked child, before anything else: what is pending is the parent's to write, and must be forgotten here.
    fn forget_pending(&mut self) {}
}

/// Framed records, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Framed<'a> {
    bytes: &'a [u8],
    lines: &'a [Line],
    preamble: &'a [u8],
}

/// What a sink may know of one record of a [`Framed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it ends in [`Framed::bytes`]; it starts where the one before ends.
    pub end: usize,
    /// How important it is.
    pub severity: Severity,
}

impl<'a> Framed<'a> {
    /// `lines` tell where each record ends in `bytes`; the last one's end is the length of `bytes`.
    pub fn new(bytes: &'a [u8], lines: &'a [Line]) -> Self {
        debug_assert_eq!(lines.last().map_or(0, |line| line.end), bytes.len());
        Self { bytes, lines, preamble: &[] }
    }

    /// What a new file starts with ([`Format::preamble`](crate::Format::preamble)).
    pub fn with_preamble(mut self, preamble: &'a [u8]) -> Self {
        self.preamble = preamble;
        self
    }

    /// All records, framed.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where each one ends.
    pub fn lines(&self) -> &'a [Line] {
        self.lines
    }

    /// What a new file starts with.
    pub fn preamble(&self) -> &'a [u8] {
        self.preamble
    }

    /// Each record's bytes and what is known of it.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Line)> {
        let (bytes, mut start) = (self.bytes, 0);
        self.lines.iter().map(move |line| {
            // Ends that lie behind one another, or beyond the bytes, are the maker's mistake, not a reason to panic.
            let record = bytes.get(start..line.end).unwrap_or_default();
            start = line.end;
            (record, *line)
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
