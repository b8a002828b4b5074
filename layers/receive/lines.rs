use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::clock::{Clock, System};
use crate::handler::Handler;
use crate::process::{self, Lifecycle, Live, Phase, Shelf};
use crate::record::{RecordBuf, Severity};
use crate::selflog::Health;
use crate::sync::{lock, lock_until};
use crate::{Error, ErrorKind};

/// Makes a record of each line that is written to it: Python's recipe of a file-like object that redirects to a logger, log4j2's
/// `IoBuilder`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`target`](Self::target) | `lines` | the records' target |
/// | [`severity`](Self::severity) | `INFO` | the records' severity |
/// | [`severity_of`](Self::severity_of) | none | a closure that derives the severity from the line |
/// | [`max_line`](Self::max_line) | 64 KiB | a longer line becomes several records, with the field `part` from 1 |
/// | [`blank`](Self::blank) | `false` | whether empty lines become records |
/// | [`clock`](Self::clock) | the system's | the clock for the records' time |
///
/// A line ends with LF or CRLF, which are not part of it. Lines that are written in pieces are joined; bytes that are not UTF-8 are
/// replaced by U+FFFD. `flush` does nothing, because the line may continue; a last line without a line end becomes a record when
/// this is [finished](Self::finish) or dropped, or when the process exits.
///
/// A write never fails, because the writing code does not know about handlers: their errors are reported to
/// [`selflog`](crate::selflog).
///
/// Settings must be made before the first write; a later change has no effect and is reported to [`selflog`](crate::selflog).
///
/// In the steady state nothing is allocated, unless a line is not UTF-8 or has several parts.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::{Severity, testing::Captured, receive::Lines};
///
/// let captured = Captured::new();
/// let mut lines = Lines::new(captured.clone()).target("printer").severity(Severity::NOTICE);
/// lines.write_all(b"warming up\r\nready\nlow on pa")?;
/// assert_eq!(captured.messages(), ["warming up", "ready"]);
/// lines.write_all(b"per")?;
/// drop(lines);
/// assert_eq!(captured.messages(), ["warming up", "ready", "low on paper"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub struct Lines<H: Handler> {
    core: Lifecycle<LinesCore<H>>,
}

impl<H: Handler> Lines<H> {
    /// Creates a writer whose records go to `handler`. For the handlers of an installed layer, pass its [`Handle`](crate::Handle).
    pub fn new(handler: H) -> Self {
        let core = LinesCore {
            handler,
            severity: Severity::INFO,
            find: None,
            max_line: 64 << 10,
            blank: false,
            clock: Box::new(System),
            health: Health::default(),
        };
        Self { core: Lifecycle::new(LinesCore::<H>::KIND, core, OpenLine::default()) }
    }

    /// The records' target.
    pub fn target(self, target: impl Into<String>) -> Self {
        self.set("target", |core| core.name = target.into())
    }

    /// The records' severity if [`severity_of`](Self::severity_of) does not find one.
    pub fn severity(self, severity: impl Into<Severity>) -> Self {
        self.set("severity", |core| core.severity = severity.into())
    }

    /// A closure that returns the severity of a line, and the part of the line that is the message; [`prefix`](super::prefix) is
    /// one. It is called once per line, with its first [`max_line`](Self::max_line) bytes.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::{Severity, testing::Captured, receive::Lines};
    ///
    /// let captured = Captured::new();
    /// let mut lines = Lines::new(captured.clone())
    ///     .severity_of(|line| line.contains("failed").then_some((Severity::ERROR, line)));
    /// writeln!(lines, "3 jobs done")?;
    /// writeln!(lines, "1 job failed")?;
    /// assert_eq!(captured.at(tracing::Level::ERROR).len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn severity_of<F>(self, find: F) -> Self
    where
        F: for<'l> Fn(&'l str) -> Option<(Severity, &'l str)> + Send + Sync + 'static,
    {
        self.set("severity_of", |core| core.find = Some(Box::new(find)))
    }

    /// The maximum length of a record's message, in bytes. At least 4, which is one character.
    pub fn max_line(self, bytes: usize) -> Self {
        self.set("max_line", |core| core.max_line = bytes.max(4))
    }

    /// Whether empty lines become records.
    pub fn blank(self, blank: bool) -> Self {
        self.set("blank", |core| core.blank = blank)
    }

    /// The clock for the records' time.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set("clock", |core| core.clock = Box::new(clock))
    }

    /// Makes a record of a line that has not ended. What is written after this starts another line.
    pub fn finish(&mut self) {
        let core = self.core.start();
        let mut state = core.take();
        core.finish(&mut state);
        core.put(state);
    }

    fn set(mut self, setting: &str, set: impl FnOnce(&mut Shelf<LinesCore<H>>)) -> Self {
        self.core.set(setting, set);
        self
    }
}

impl<H: Handler> io::Write for Lines<H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let core = self.core.start();
        let mut state = core.take();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            core.write(&mut state, piece);
        }
        core.put(state);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<H: Handler> Drop for Lines<H> {
    fn drop(&mut self) {
        self.finish();
    }
}

impl<H: Handler> fmt::Debug for Lines<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("target", &self.core.name).finish_non_exhaustive()
    }
}

type Find = dyn for<'l> Fn(&'l str) -> Option<(Severity, &'l str)> + Send + Sync;

/// The part that a flush at exit and a fork need too.
struct LinesCore<H> {
    handler: H,
    severity: Severity,
    find: Option<Box<Find>>,
    max_line: usize,
    blank: bool,
    clock: Box<dyn Clock>,
    health: Health,
}

/// The line so far.
#[derive(Default)]
struct OpenLine {
    partial: Vec<u8>,
    /// The number of records that a long line has become so far.
    parts: u64,
    /// The severity of its first part.
    severity: Option<Severity>,
    /// Kept for its buffers.
    record: Option<RecordBuf>,
}

impl<H: Handler> Shelf<LinesCore<H>> {
    fn take(&self) -> OpenLine {
        match self.is_abandoned() {
            true => OpenLine::default(),
            false => std::mem::take(&mut *lock(&self.state)),
        }
    }

    fn put(&self, state: OpenLine) {
        if !self.is_abandoned() {
            *lock(&self.state) = state;
        }
    }

    /// Appends a piece of at most one line.
    fn write(&self, state: &mut OpenLine, piece: &[u8]) {
        let Some(end) = piece.strip_suffix(b"\n") else {
            state.partial.extend_from_slice(piece);
            return self.cut(state);
        };
        if state.partial.is_empty() {
            return self.line(state, end);
        }
        let mut line = std::mem::take(&mut state.partial);
        line.extend_from_slice(end);
        self.line(state, &line);
        line.clear();
        state.partial = line;
    }

    /// Splits a line that is too long, although it has not ended. One more byte is allowed, since it may be the CR of the line end.
    fn cut(&self, state: &mut OpenLine) {
        let (mut line, mut start) = (std::mem::take(&mut state.partial), 0);
        while line.len() - start > self.max_line.saturating_add(1) {
            let rest = &line[start..];
            let at = boundary(rest, self.max_line);
            self.part(state, &rest[..at]);
            start += at;
        }
        // Once for all parts: moving the rest for each part would be slow if one write contains many.
        line.drain(..start);
        state.partial = line;
    }

    /// Handles the rest of a line, which ends here.
    fn line(&self, state: &mut OpenLine, line: &[u8]) {
        let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
        while rest.len() > self.max_line {
            let (part, after) = rest.split_at(boundary(rest, self.max_line));
            self.part(state, part);
            rest = after;
        }
        match state.parts {
            0 if rest.is_empty() && !self.blank => {}
            0 => self.record(state, rest, None),
            _ if rest.is_empty() => {}
            _ => self.part(state, rest),
        }
        (state.parts, state.severity) = (0, None);
    }

    fn part(&self, state: &mut OpenLine, bytes: &[u8]) {
        state.parts += 1;
        self.record(state, bytes, Some(state.parts));
    }

    fn finish(&self, state: &mut OpenLine) {
        if !state.partial.is_empty() {
            let line = std::mem::take(&mut state.partial);
            self.line(state, &line);
        }
        (state.parts, state.severity) = (0, None);
    }

    fn record(&self, state: &mut OpenLine, bytes: &[u8], part: Option<u64>) {
        let text = String::from_utf8_lossy(bytes);
        let (severity, message) = self.judge(state.severity, &text);
        state.severity = Some(severity);
        let mut record = state.record.take().unwrap_or_else(|| RecordBuf::new(severity, &self.name, ""));
        record.set_severity(severity);
        record.set_message(message);
        let record = record.with_time(self.clock.now());
        match part {
            Some(part) => self.hand_over(&record.clone().with_field("part", part)),
            None => self.hand_over(&record),
        }
        state.record = Some(record);
    }

    fn judge<'l>(&self, known: Option<Severity>, text: &'l str) -> (Severity, &'l str) {
        if let Some(known) = known {
            return (known, text);
        }
        let find = |find: &Find| catch_unwind(AssertUnwindSafe(|| find(text))).ok().flatten();
        self.find.as_deref().and_then(find).unwrap_or((self.severity, text))
    }

    fn hand_over(&self, record: &RecordBuf) {
        let handled = catch_unwind(AssertUnwindSafe(|| self.handler.handle(&record.as_record())));
        let handled = handled.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked")));
        match handled {
            Ok(()) => self.health.works(&self.name),
            Err(error) if error.handler().is_some() => {}
            Err(error) => self.health.failed(&self.name, &error, 1),
        }
    }
}

impl<H: Handler> Live for LinesCore<H> {
    /// Taken out while records are handed over, since the lock must not be held then.
    type Guarded = OpenLine;
    const KIND: &'static str = "lines";
    const PHASE: Phase = Phase::Sources;

    /// Flushes only at exit: before that, the line may continue.
    fn flush(shelf: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        if !process::is_exiting() {
            return Ok(());
        }
        let Some(mut state) = lock_until(&shelf.state, deadline).map(|mut state| std::mem::take(&mut *state)) else {
            return Err(Error::new(ErrorKind::Timeout, format!("{}: cannot be finished in time", shelf.name)));
        };
        shelf.finish(&mut state);
        Ok(())
    }

    fn forget_pending(&self, state: &mut OpenLine) {
        *state = OpenLine::default();
    }
}

/// Returns where to cut: at `max` or just before it, not within a character.
fn boundary(bytes: &[u8], max: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // Four bytes without a start are not a character.
    (max.saturating_sub(3)..=max).rev().find(|at| !continues(at)).unwrap_or(max)
}
