use std::cell::Cell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::{Commit, Framed, RecordEnd, Reminder, Sink};
use crate::process::{self, Due, Lifecycle, Live, Phase, Shelf};
use crate::record::Severity;
use crate::sync::{MutexGuard, deadline_in, lock, lock_until, try_lock};
use crate::{Error, ErrorKind, selflog};

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
/// Each call of `write` is one record, even if it contains line feeds, and is taken whole or not at all; so is what `write!` and
/// `writeln!` format. As a `MakeWriter` the record has the event's severity, so that [`Console::split`](super::Console::split) works; otherwise [`Severity::INFO`].
///
/// What the sink holds is flushed at the [end of the process](crate::process), and is left to the parent by a forked child.
pub struct Writer<S: Sink> {
    core: Arc<Shelf<WriterCore<S>>>,
    severity: Severity,
}

impl<S: Sink> Writer<S> {
    /// Creates a writer to `sink`.
    pub fn new(mut sink: S) -> Self {
        // From here on the sink leaves waiting for the disk to its callers, which do so without the lock.
        drop(sink.commit());
        let core = Lifecycle::new(sink.describe(), WriterCore::<S>(PhantomData), sink).start().clone();
        let owner: Weak<Shelf<WriterCore<S>>> = Arc::downgrade(&core);
        let reminder = Reminder::new(owner);
        lock(&core.state).set_reminder(reminder);
        Self { core, severity: Severity::INFO }
    }
}

impl<S: Sink> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("severity", &self.severity).finish_non_exhaustive()
    }
}

impl<S: Sink> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), ..*self }
    }
}

impl<S: Sink> io::Write for Writer<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sink = self.core.lock()?;
        let mut written = write_one_as(&mut *sink, bytes, self.severity);
        if process::is_exiting() {
            // There may be no later flush.
            written = written.and_then(|taken| Ok(sink.flush(process::exit_deadline()).map(|()| taken)?));
        }
        let commit = sink.commit();
        drop(sink);
        settle(commit, deadline_in(Duration::MAX)).and(written)
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        write_formatted(self, text)
    }

    fn flush(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + FLUSH;
        let mut sink = self.core.lock()?;
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

/// The part that a flush at exit and a fork need.
struct WriterCore<S>(PhantomData<fn() -> S>);

impl<S: Sink> Shelf<WriterCore<S>> {
    /// Fails if the lock's holder does not exist in this forked child.
    #[inline]
    fn lock(&self) -> io::Result<MutexGuard<'_, S>> {
        match try_lock(&self.state) {
            Some(sink) => Ok(sink),
            None if self.is_abandoned() => {
                Err(io::Error::other(format!("{} belongs to the parent process", self.name)))
            }
            None => Ok(lock(&self.state)),
        }
    }
}

impl<S: Sink> Live for WriterCore<S> {
    type Guarded = S;
    const KIND: &'static str = "writer";
    const PHASE: Phase = Phase::Ends;

    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        let Some(mut sink) = lock_until(&shelf.state, deadline) else {
            return Err(Error::new(ErrorKind::Timeout, format!("{}: cannot flush: the sink is busy", shelf.name)));
        };
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            sink.flush(deadline)?;
            if process::is_exiting() { sink.close(deadline) } else { Ok(()) }
        }));
        let flushed = flushed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "the sink panicked in flush")));
        let commit = sink.commit();
        drop(sink);
        flushed.and(commit.map_or(Ok(()), |commit| commit.wait(deadline)))
    }

    fn forget_pending(&self, sink: &mut S) {
        sink.forget_pending();
    }
}

/// On the timer's thread.
impl<S: Sink> Due for Shelf<WriterCore<S>> {
    fn due(&self) -> Option<Duration> {
        if self.is_abandoned() {
            return None;
        }
        let Some(mut sink) = try_lock(&self.state) else { return Some(BUSY) };
        let written = sink.write_buffered();
        let commit = sink.commit();
        drop(sink);
        let written = written.and(commit.map_or(Ok(()), |commit| commit.wait(deadline_in(Duration::MAX))));
        if let Err(error) = written {
            selflog::tell(&format!("{}: {error:#}", self.name));
        }
        None
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

/// Implements `io::Write::write_fmt` for a writer that makes a record of each `write`: the whole text is one. By default each
/// argument of `write!` would be one, and threads or a rotation could come between them.
pub(crate) fn write_formatted(to: &mut (impl io::Write + ?Sized), text: fmt::Arguments<'_>) -> io::Result<()> {
    if let Some(text) = text.as_str() {
        return to.write_all(text.as_bytes());
    }
    // An argument that writes formatted text itself finds no buffer, and uses another one.
    let mut buffer = FORMATTED.try_with(Cell::take).unwrap_or_default();
    let formatted = io::Write::write_fmt(&mut buffer, text);
    let written = formatted.and_then(|()| to.write_all(&buffer));
    if buffer.capacity() <= KEEP_BYTES {
        buffer.clear();
        // A thread that is ending keeps nothing.
        let _ = FORMATTED.try_with(|kept| kept.set(buffer));
    }
    written
}

/// Implements `io::Write::flush` for a sink.
pub(crate) fn flush(sink: &mut (impl Sink + ?Sized)) -> io::Result<()> {
    Ok(sink.flush(Instant::now() + FLUSH)?)
}

/// When the timer looks again for a sink that is in use.
const BUSY: Duration = Duration::from_millis(5);
/// `io::Write` has no deadline.
const FLUSH: Duration = Duration::from_secs(5);
/// A larger buffer is not kept.
const KEEP_BYTES: usize = 64 << 10;

thread_local! {
    static FORMATTED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::sink::Memory;

    /// Logs when it is formatted.
    struct Logs(Writer<Memory>);

    impl fmt::Display for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            writeln!(self.0.clone(), "inside {}", 1).map_err(|_| fmt::Error)?;
            f.write_str("outside")
        }
    }

    #[test]
    fn what_a_macro_formats_is_one_record() {
        let memory = Memory::new();
        let mut writer = Writer::new(memory.clone());
        writeln!(writer, "constant").unwrap();
        writeln!(writer, "{} {}", 1, 2).unwrap();
        writeln!(memory.clone(), "{}-{}", 3, 4).unwrap();
        assert_eq!(memory.lines(), ["constant", "1 2", "3-4"]);
    }

    #[test]
    fn an_argument_may_write_too() {
        let memory = Memory::new();
        let mut writer = Writer::new(memory.clone());
        writeln!(writer, "{} {}", Logs(writer.clone()), 2).unwrap();
        assert_eq!(memory.lines(), ["inside 1", "outside 2"]);
    }

    #[test]
    fn an_argument_that_cannot_be_formatted_writes_nothing() {
        struct Fails;
        impl fmt::Display for Fails {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let memory = Memory::new();
        let written = std::panic::catch_unwind(|| writeln!(memory.clone(), "before {}", Fails));
        assert!(!matches!(written, Ok(Ok(()))) && memory.lines().is_empty());
        writeln!(memory.clone(), "{}", 1).unwrap();
        assert_eq!(memory.lines(), ["1"]);
    }

    #[test]
    fn two_threads_that_write_in_pieces_do_not_mix_their_lines() {
        let memory = Memory::new();
        let writer = Writer::new(memory.clone());
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let mut writer = writer.make_writer();
                scope.spawn(move || (0..200).for_each(|line| writeln!(writer, "{thread} {line} {thread}").unwrap()));
            }
        });
        let lines = memory.lines();
        assert_eq!(lines.len(), 400);
        assert!(
            lines.iter().all(|line| line[..1] == line[line.len() - 1..] && line.split(' ').count() == 3),
            "{lines:?}"
        );
    }
}
