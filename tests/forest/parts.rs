//! Handlers and a sink written for these tests, as a third party would.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tracing_handlers::format::Out;
use tracing_handlers::handler::Handler;
use tracing_handlers::sink::{Framed, Sink};
use tracing_handlers::{Error, ErrorKind, Partial, Record, Records};

use super::record::line;
use super::tree::Take;
use crate::until::until;

/// The lines and flushes that an end has received.
#[derive(Default)]
pub struct Received {
    pub lines: Mutex<Vec<String>>,
    pub flushes: AtomicUsize,
}

/// What the ends and queues of a tree have received, by name.
#[derive(Default)]
pub struct Seen {
    ends: Mutex<HashMap<String, Arc<Received>>>,
    queues: Mutex<HashMap<String, Arc<Log>>>,
    /// While this is set, the workers of all queues block.
    pub shut: AtomicBool,
}

impl Seen {
    pub fn end(&self, name: &str) -> Arc<Received> {
        self.ends.lock().unwrap().entry(name.to_owned()).or_default().clone()
    }

    pub fn queue(&self, name: &str) -> Arc<Log> {
        self.queues.lock().unwrap().entry(name.to_owned()).or_default().clone()
    }

    pub fn lines(&self) -> Vec<(String, Vec<String>)> {
        let ends = self.ends.lock().unwrap();
        let mut lines: Vec<_> =
            ends.iter().map(|(name, end)| (name.clone(), end.lines.lock().unwrap().clone())).collect();
        lines.sort();
        lines
    }

    /// The number of flushes of each end.
    pub fn flushes(&self) -> HashMap<String, usize> {
        let ends = self.ends.lock().unwrap();
        ends.iter().map(|(name, end)| (name.clone(), end.flushes.load(Ordering::SeqCst))).collect()
    }
}

pub fn format(record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
    out.push_str(&line(record));
    Ok(())
}

/// A sink that takes and refuses lines according to a script.
pub struct Scripted {
    pub received: Arc<Received>,
    pub takes: VecDeque<Take>,
    pub flushes_fail: VecDeque<bool>,
}

impl Sink for Scripted {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        let count = framed.ends().len();
        let (taken, error) = match self.takes.pop_front().unwrap_or(Take::All) {
            Take::All => (count, None),
            Take::Some(lines) if lines >= count => (count, None),
            Take::Some(lines) => (lines, Some(Error::new(ErrorKind::Full, "no room"))),
            Take::Closed => (0, Some(Error::new(ErrorKind::Closed, "closed"))),
            // Unlike `panic!`, this does not print a message.
            Take::Panics => std::panic::resume_unwind(Box::new("on purpose")),
        };
        let mut lines = self.received.lines.lock().unwrap();
        let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
        lines.extend(framed.iter().take(taken).map(|(line, _)| text(line)));
        error.map_or(Ok(()), |error| Err(Partial::new(taken, error)))
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.received.flushes.fetch_add(1, Ordering::SeqCst);
        match self.flushes_fail.pop_front().unwrap_or(false) {
            true => Err(Error::new(ErrorKind::Io, "no answer")),
            false => Ok(()),
        }
    }

    fn describe(&self) -> String {
        "scripted".into()
    }
}

/// An end that implements `handle`, and `flush` only to count it.
pub struct Bare {
    pub received: Arc<Received>,
    pub fails: Mutex<VecDeque<bool>>,
}

impl Handler for Bare {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if self.fails.lock().unwrap().pop_front().unwrap_or(false) {
            return Err(Error::new(ErrorKind::Io, "no answer"));
        }
        self.received.lines.lock().unwrap().push(line(record));
        Ok(())
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        self.received.flushes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A wrapper that implements `handle` and `inner` alone.
pub struct Wrapper<H>(pub H);

impl<H: Handler> Handler for Wrapper<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.handle(record)
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.0)
    }
}

/// A wrapper around two handlers that implements `handle` and `inner` alone.
pub struct Pair<A, B>(pub A, pub B);

impl<A: Handler, B: Handler> Handler for Pair<A, B> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = self.0.handle(record);
        self.1.handle(record).and(handled)
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.0)?;
        visit(&self.1)
    }
}

/// What came out of a queue. The sizes of its worker's batches depend on timing, so the model reads them from here.
#[derive(Default)]
pub struct Log(pub Mutex<VecDeque<Came>>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Came {
    /// A batch of this many records.
    Batch(usize),
    Flush,
}

/// Stands behind a queue and logs what comes out of it.
pub struct Probe<H> {
    pub seen: Arc<Seen>,
    pub log: Arc<Log>,
    pub handler: H,
}

impl<H> Probe<H> {
    fn note(&self, out: Came) {
        until("the gate opens", || !self.seen.shut.load(Ordering::SeqCst));
        self.log.0.lock().unwrap().push_back(out);
    }
}

impl<H: Handler> Handler for Probe<H> {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.note(Came::Batch(1));
        self.handler.handle(record)
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        self.note(Came::Batch(records.len()));
        self.handler.handle_batch(records)
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        visit(&self.handler)
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        self.note(Came::Flush);
        self.handler.flush(deadline)
    }
}
