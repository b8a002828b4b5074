use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::{Commit, Framed, RecordEnd, Sink};
use crate::record::Severity;
use crate::sync::{deadline_in, lock};

/// An `io::Write` and [`MakeWriter`] from any sink, for `tracing_subscriber::fmt::layer()` for example. Clones write to the
/// same sink.
///
/// ```
/// use tracing_handlers::rotation::{MIB, Rotation};
/// use tracing_handlers::sink::{self, Writer};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("app.log");
/// let file = sink::File::open(&path)?.rotation(Rotation::size(10 * MIB).keep(5));
/// let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(Writer::new(file));
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tracing::info!(answer = 42));
/// assert!(std::fs::read_to_string(&path)?.ends_with("answer=42\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each call of `write` is one record, even if it contains line feeds, and is taken whole or not at all. As a `MakeWriter`
/// the record has the event's severity, so that [`Console::split`](super::Console::split) works; otherwise [`Severity::INFO`].
#[derive(Debug)]
pub struct Writer<S> {
    sink: Arc<Mutex<S>>,
    severity: Severity,
}

impl<S: Sink> Writer<S> {
    /// Creates a writer to `sink`.
    pub fn new(mut sink: S) -> Self {
        // From here on the sink leaves waiting for the disk to its callers, which do so without the lock.
        drop(sink.commit());
        Self { sink: Arc::new(Mutex::new(sink)), severity: Severity::INFO }
    }
}

impl<S> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self { sink: Arc::clone(&self.sink), ..*self }
    }
}

impl<S: Sink> io::Write for Writer<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sink = lock(&self.sink);
        let written = write_one_as(&mut *sink, bytes, self.severity);
        let commit = sink.commit();
        drop(sink);
        settle(commit, deadline_in(Duration::MAX)).and(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + FLUSH;
        let mut sink = lock(&self.sink);
        let flushed = sink.flush(deadline);
        let commit = sink.commit();
        drop(sink);
        settle(commit, deadline).and(Ok(flushed?))
    }
}

impl<'a, S: Sink> MakeWriter<'a> for Writer<S> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self {
        Self { severity: Severity::from(*meta.level()), ..self.clone() }
    }
}

fn settle(commit: Option<Commit>, deadline: Instant) -> io::Result<()> {
    Ok(commit.map_or(Ok(()), |commit| commit.wait(deadline))?)
}

/// Implements `io::Write::write` for a sink: `bytes` are one record.
pub(crate) fn write_one(sink: &mut (impl Sink + ?Sized), bytes: &[u8]) -> io::Result<usize> {
    write_one_as(sink, bytes, Severity::INFO)
}

fn write_one_as(sink: &mut (impl Sink + ?Sized), bytes: &[u8], severity: Severity) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let line = [RecordEnd::new(bytes.len(), severity)];
    match sink.write(Framed::new(bytes, &line)) {
        // The record is taken, though not delivered yet: after an error the caller would write it again.
        Err(partial) if partial.delivered == 0 => Err(partial.error.into()),
        _ => Ok(bytes.len()),
    }
}

/// Implements `io::Write::flush` for a sink.
pub(crate) fn flush(sink: &mut (impl Sink + ?Sized)) -> io::Result<()> {
    Ok(sink.flush(Instant::now() + FLUSH)?)
}

/// `io::Write` has no deadline.
const FLUSH: Duration = Duration::from_secs(5);
