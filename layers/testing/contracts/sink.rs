use std::fmt;
use std::time::{Duration, Instant};

use super::Failures;
use super::trial::{Trial, Verdict, that};
use crate::Partial;
use crate::record::Severity;
use crate::sink::{Framed, RecordEnd, Sink};

/// Checks the contracts that hold for every sink. `make` creates a new, empty sink; it is called for each contract. It may return a bare
/// sink, or a [`SinkHarness`] that also returns what has arrived and can make the sink fail: then more is checked.
///
/// | contract | what must hold | requires |
/// |---|---|---|
/// | `describe` | its description is not empty and has one line | |
/// | `empty batch` | nothing is accepted and nothing is pending | |
/// | `pending` | never more than it accepted, none after a flush | |
/// | `truthful` | accepted lines that are not pending have arrived | read |
/// | `flush` | after a flush, all accepted lines have arrived | read |
/// | `deadline` | a flush whose time is up returns | |
/// | `ordered` | lines arrive in order, unchanged | read |
/// | `batch` | a batch has the same result as one line after another | read |
/// | `any bytes` | empty lines, NUL, invalid UTF-8, 1 MiB: accepted unchanged, or refused with an error | (read) |
/// | `preamble` | it is written once, before everything else, or not at all | read |
/// | `forgets` | lines pending when the process forks are not written by the child | (read) |
/// | `all or nothing` | after an error, the lines that it reported as accepted arrive whole, and no others, not even in part | read, fail |
///
/// ```
/// use tracing_handlers::sink::Memory;
/// use tracing_handlers::testing::{SinkHarness, check_sink};
///
/// check_sink(|| {
///     let memory = Memory::new();
///     SinkHarness::new(memory.clone()).read(move || memory.bytes())
/// })
/// .unwrap();
/// check_sink(Memory::new).unwrap();
/// ```
///
/// # Errors
///
/// Returns the broken contracts, with what happened. An implementation that hangs is given 5 s per contract; then its thread is abandoned.
pub fn check_sink<S: Sink, R: Into<SinkHarness<S>>>(make: impl Fn() -> R) -> Result<(), Failures> {
    let mut trial = Trial::default();
    let make = || -> SinkHarness<S> { make().into() };
    trial.check("describe", make, |harness| {
        let text = harness.sink.describe();
        that(!text.is_empty() && !text.contains(['\n', '\r']), || format!("it says {text:?}"))
    });
    trial.check("empty batch", make, empty_batch);
    trial.check("pending", make, pending);
    trial.check("truthful", make, truthful);
    trial.check("flush", make, flush);
    trial.check("deadline", make, deadline);
    trial.check("ordered", make, ordered);
    trial.check("batch", make, batch);
    trial.check("any bytes", make, any_bytes);
    trial.check("preamble", make, preamble);
    trial.check("forgets", make, forgets);
    trial.check("all or nothing", make, all_or_nothing);
    trial.result()
}

/// A sink, and how [`check_sink`] can observe it and make it fail.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`read`](Self::read) | none | returns all bytes that have arrived so far |
/// | [`fail`](Self::fail) | none | makes the sink fail from now on, or work again |
#[must_use]
pub struct SinkHarness<S> {
    sink: S,
    read: Option<Box<dyn FnMut() -> Vec<u8> + Send>>,
    fail: Option<Box<dyn FnMut(bool) + Send>>,
}

impl<S: Sink> SinkHarness<S> {
    /// Creates a harness with just the sink.
    pub fn new(sink: S) -> Self {
        Self { sink, read: None, fail: None }
    }

    /// Sets the closure that returns all bytes that have arrived at the sink's destination so far.
    pub fn read(mut self, read: impl FnMut() -> Vec<u8> + Send + 'static) -> Self {
        self.read = Some(Box::new(read));
        self
    }

    /// Sets the closure that makes the sink's destination fail from now on, at any point (`true`), or work again (`false`).
    pub fn fail(mut self, fail: impl FnMut(bool) + Send + 'static) -> Self {
        self.fail = Some(Box::new(fail));
        self
    }

    /// Writes these lines in one batch. Returns how many were accepted, and the result.
    fn write(&mut self, lines: &[&[u8]]) -> (usize, Result<(), Partial>) {
        self.write_with_preamble(b"", lines)
    }

    fn write_with_preamble(&mut self, preamble: &[u8], lines: &[&[u8]]) -> (usize, Result<(), Partial>) {
        let mut ends = Vec::new();
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line);
            ends.push(RecordEnd::new(bytes.len(), Severity::INFO));
        }
        let written = self.sink.write(Framed::new(&bytes, &ends).with_preamble(preamble));
        let taken = written.as_ref().map_or_else(|partial| partial.delivered, |()| lines.len());
        (taken, written)
    }

    /// Writes lines that there is no reason to refuse.
    fn write_well(&mut self, lines: &[&[u8]]) -> Verdict {
        self.write(lines).1.map_err(|partial| format!("it refuses plain lines: {:#}", partial.error))
    }

    fn flush(&mut self) -> Verdict {
        self.sink
            .flush(Instant::now() + Duration::from_secs(5))
            .map_err(|error| format!("it cannot be flushed: {error:#}"))
    }

    /// Returns what has arrived; `None` if that is unknown.
    fn arrived(&mut self) -> Option<Vec<u8>> {
        self.read.as_mut().map(|read| read())
    }

    /// Checks that exactly this has arrived.
    fn has(&mut self, wanted: &[u8]) -> Verdict {
        let Some(arrived) = self.arrived() else { return Ok(()) };
        that(arrived == wanted, || format!("{} arrived, not {}", show(&arrived), show(wanted)))
    }
}

impl<S: Sink> fmt::Debug for SinkHarness<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkHarness")
            .field("sink", &self.sink.describe())
            .field("read", &self.read.is_some())
            .field("fail", &self.fail.is_some())
            .finish()
    }
}

/// A bare sink, without access to what arrives.
impl<S: Sink> From<S> for SinkHarness<S> {
    fn from(sink: S) -> Self {
        Self::new(sink)
    }
}

fn empty_batch<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    harness.write(&[]).1.map_err(|partial| format!("it refuses an empty batch: {:#}", partial.error))?;
    that(harness.sink.pending() == 0, || format!("{} lines are pending", harness.sink.pending()))?;
    harness.flush()?;
    harness.has(b"")
}

fn pending<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    let before = harness.sink.pending();
    that(before == 0, || format!("{before} lines are pending before the first"))?;
    for taken in 1..=LINES.len() {
        harness.write_well(&LINES[taken - 1..taken])?;
        let pending = harness.sink.pending();
        that(pending <= taken, || format!("{pending} lines of {taken} are pending"))?;
    }
    harness.flush()?;
    let after = harness.sink.pending();
    that(after == 0, || format!("{after} lines are pending after a flush"))
}

fn truthful<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    for taken in 1..=LINES.len() {
        harness.write_well(&LINES[taken - 1..taken])?;
        let delivered = taken.saturating_sub(harness.sink.pending());
        let wanted = LINES[..delivered].concat();
        let Some(arrived) = harness.arrived() else { return Ok(()) };
        that(arrived.starts_with(&wanted), || {
            format!("{delivered} lines of {taken} are not pending, but {} arrived", show(&arrived))
        })?;
    }
    Ok(())
}

fn flush<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    harness.write_well(LINES)?;
    harness.flush()?;
    let Some(arrived) = harness.arrived() else { return Ok(()) };
    let wanted = LINES.concat().len();
    that(arrived.len() >= wanted, || format!("{} of {wanted} bytes arrived: {}", arrived.len(), show(&arrived)))
}

/// Whether the flush returns at all is checked by the trial.
fn deadline<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    let _ = harness.sink.flush(Instant::now());
    harness.write_well(LINES)?;
    let _ = harness.sink.flush(Instant::now());
    Ok(())
}

fn ordered<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    for line in LINES {
        harness.write_well(&[line])?;
    }
    harness.flush()?;
    harness.has(&LINES.concat())
}

fn batch<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    harness.write_well(LINES)?;
    harness.write_well(&LINES[..1])?;
    harness.write_well(LINES)?;
    harness.flush()?;
    harness.has(&[LINES.concat(), LINES[0].to_vec(), LINES.concat()].concat())
}

fn any_bytes<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    let large = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    let odd: [&[u8]; 6] = [b"\n", b"nul \0\n", b"not utf-8 \xff\xfe\n", b"no end", b"", &large];
    let mut wanted = Vec::new();
    for line in odd.into_iter().chain(LINES.iter().copied()) {
        if harness.write(&[line]).0 > 0 {
            wanted.extend_from_slice(line);
        }
    }
    harness.flush()?;
    harness.has(&wanted)
}

fn preamble<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    for line in LINES {
        let (_, written) = harness.write_with_preamble(PREAMBLE, &[line]);
        written.map_err(|partial| format!("it refuses plain lines: {:#}", partial.error))?;
    }
    harness.flush()?;
    let Some(arrived) = harness.arrived() else { return Ok(()) };
    let rest = arrived.strip_prefix(PREAMBLE).unwrap_or(&arrived);
    that(rest == LINES.concat(), || format!("{} arrived", show(&arrived)))
}

fn forgets<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    harness.write_well(LINES)?;
    let delivered = LINES[..LINES.len().saturating_sub(harness.sink.pending())].concat();
    // Written lines may still be pending, if they are not yet on the disk.
    let arrived = harness.arrived().filter(|arrived| arrived.len() > delivered.len());
    harness.sink.forget_pending();
    let pending = harness.sink.pending();
    that(pending == 0, || format!("{pending} lines are pending still"))?;
    harness.flush()?;
    harness.has(&arrived.unwrap_or(delivered))
}

fn all_or_nothing<S: Sink>(mut harness: SinkHarness<S>) -> Verdict {
    let Some(mut fail) = harness.fail.take() else { return Ok(()) };
    let mut wanted = Vec::new();
    let mut failed = false;
    for (round, broken) in [false, true, true, false, true, false].into_iter().enumerate() {
        fail(broken);
        let lines: Vec<_> = (0..3).map(|line| format!("round {round}, line {line}\n")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_bytes).collect();
        let (taken, written) = harness.write(&lines);
        that(taken <= lines.len(), || format!("it took {taken} lines of {}", lines.len()))?;
        failed |= written.is_err();
        wanted.extend_from_slice(&lines[..taken].concat());
        // A buffered sink fails here.
        failed |= harness.flush().is_err();
    }
    that(failed, || "it returned no error, though it should have failed".to_owned())?;
    harness.flush()?;
    harness.has(&wanted)
}

fn show(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "nothing".to_owned(),
        1..=300 => format!("{:?}", String::from_utf8_lossy(bytes)),
        len => format!("{:?} … ({len} bytes)", String::from_utf8_lossy(&bytes[..300])),
    }
}

const LINES: &[&[u8]] = &[b"one\n", b"two\n", b"three and a little more\n", b"four\n"];
const PREAMBLE: &[u8] = b"# head\n";
