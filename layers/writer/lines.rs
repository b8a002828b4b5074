use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::clock::{Clock, System};
use crate::handler::Handler;
use crate::process::{self, Held, Resource};
use crate::record::{RecordBuf, Severity};
use crate::selflog::Health;
use crate::sync::{OwnedGuard, lock, lock_until};
use crate::{Error, ErrorKind};

/// Makes a record of each line that is written to it: Python's recipe of a file-like object that redirects to a logger,
/// log4j2's `IoBuilder`.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`target`](Self::target) | `lines` | the records' target |
/// | [`severity`](Self::severity) | `INFO` | the records' severity |
/// | [`severity_of`](Self::severity_of) | none | a closure that finds the severity in the line |
/// | [`max_line`](Self::max_line) | 64 KiB | a longer line is several records, with the field `part` from 1 |
/// | [`blank`](Self::blank) | no | whether lines without anything are records |
/// | [`clock`](Self::clock) | the system's | where the records' time comes from |
///
/// A line ends with LF or CRLF, which are not part of it. What comes in pieces is joined; what is not UTF-8 is replaced by
/// U+FFFD. `flush` does nothing, because the line may go on; the last line, where it does not end, is a record when this is
/// [finished](Self::finish) or dropped, or when the process exits.
///
/// A write never fails: the code that writes knows nothing of handlers. Their errors go to [`selflog`](crate::selflog).
///
/// In the steady state nothing is allocated, unless a line is not UTF-8 or has several parts.
///
/// ```
/// use std::io::Write;
/// use tracing_handlers::{Severity, testing::Captured, writer::Lines};
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
pub struct Lines<H: Handler> {
    shared: Arc<Shared<H>>,
    registered: bool,
}

impl<H: Handler> Lines<H> {
    /// Records for `handler`; for those of an installed layer, its [`Handle`](crate::Handle).
    pub fn new(handler: H) -> Self {
        let shared = Shared {
            handler,
            settings: Settings::default(),
            abandoned: AtomicBool::new(false),
            state: Mutex::default(),
            health: Mutex::default(),
        };
        Self { shared: Arc::new(shared), registered: false }
    }

    /// The records' target.
    pub fn target(self, target: impl Into<String>) -> Self {
        self.set(|settings| settings.target = target.into())
    }

    /// The records' severity, where [`severity_of`](Self::severity_of) does not find one.
    pub fn severity(self, severity: impl Into<Severity>) -> Self {
        self.set(|settings| settings.severity = severity.into())
    }

    /// A closure that finds the severity in a line, and what is left of the line as the message; [`prefix`](super::prefix) is
    /// one. It is asked once per line, with its first [`max_line`](Self::max_line) bytes.
    ///
    /// ```
    /// use std::io::Write;
    /// use tracing_handlers::{Severity, testing::Captured, writer::Lines};
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
        self.set(|settings| settings.find = Some(Box::new(find)))
    }

    /// The most bytes of one record's message. At least 4, which is one character.
    pub fn max_line(self, bytes: usize) -> Self {
        self.set(|settings| settings.max_line = bytes.max(4))
    }

    /// Whether lines without anything are records.
    pub fn blank(self, blank: bool) -> Self {
        self.set(|settings| settings.blank = blank)
    }

    /// Where the records' time comes from.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set(|settings| settings.clock = Box::new(clock))
    }

    /// Makes a record of what has come of a line that has not ended. What is written then starts another one.
    pub fn finish(&mut self) {
        let mut state = self.shared.take();
        self.shared.finish(&mut state);
        self.shared.put(state);
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(&mut shared.settings),
            // The exit, or a fork, looks at it at this moment.
            None => crate::selflog::tell("lines that are written already keep their settings: set them first"),
        }
        self
    }
}

impl<H: Handler> io::Write for Lines<H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.registered {
            process::register(self.shared.clone());
            self.registered = true;
        }
        let mut state = self.shared.take();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.shared.write(&mut state, piece);
        }
        self.shared.put(state);
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
        f.debug_struct("Lines").field("target", &self.shared.settings.target).finish_non_exhaustive()
    }
}

type Find = dyn for<'l> Fn(&'l str) -> Option<(Severity, &'l str)> + Send + Sync;

struct Settings {
    target: String,
    severity: Severity,
    find: Option<Box<Find>>,
    max_line: usize,
    blank: bool,
    clock: Box<dyn Clock>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target: "lines".into(),
            severity: Severity::INFO,
            find: None,
            max_line: 64 << 10,
            blank: false,
            clock: Box::new(System),
        }
    }
}

/// What the exit of the process and forks reach too.
struct Shared<H> {
    handler: H,
    settings: Settings,
    abandoned: AtomicBool,
    /// Taken out while records are handed over: the handler must not find a lock held.
    state: Mutex<State>,
    health: Mutex<Health>,
}

/// How far the line has come.
#[derive(Default)]
struct State {
    partial: Vec<u8>,
    /// How many records it has become so far, because it is long.
    parts: u64,
    /// That of its first part.
    severity: Option<Severity>,
    /// Kept for its buffers.
    record: Option<RecordBuf>,
}

impl<H: Handler> Shared<H> {
    fn take(&self) -> State {
        match self.abandoned.load(Ordering::Relaxed) {
            true => State::default(),
            false => std::mem::take(&mut *lock(&self.state)),
        }
    }

    fn put(&self, state: State) {
        if !self.abandoned.load(Ordering::Relaxed) {
            *lock(&self.state) = state;
        }
    }

    /// Takes what is no more than one line.
    fn write(&self, state: &mut State, piece: &[u8]) {
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

    /// Does not let a line without an end grow; one byte more may yet turn out to be the CR of its end.
    fn cut(&self, state: &mut State) {
        let (mut line, mut start) = (std::mem::take(&mut state.partial), 0);
        while line.len() - start > self.settings.max_line.saturating_add(1) {
            let rest = &line[start..];
            let at = boundary(rest, self.settings.max_line);
            self.part(state, &rest[..at]);
            start += at;
        }
        // Once for all parts: what moves the rest for each is slow where one write brings many.
        line.drain(..start);
        state.partial = line;
    }

    /// The rest of a line, which ends here.
    fn line(&self, state: &mut State, line: &[u8]) {
        let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
        while rest.len() > self.settings.max_line {
            let (part, after) = rest.split_at(boundary(rest, self.settings.max_line));
            self.part(state, part);
            rest = after;
        }
        match state.parts {
            0 if rest.is_empty() && !self.settings.blank => {}
            0 => self.record(state, rest, None),
            _ if rest.is_empty() => {}
            _ => self.part(state, rest),
        }
        (state.parts, state.severity) = (0, None);
    }

    fn part(&self, state: &mut State, bytes: &[u8]) {
        state.parts += 1;
        self.record(state, bytes, Some(state.parts));
    }

    fn finish(&self, state: &mut State) {
        if !state.partial.is_empty() {
            let line = std::mem::take(&mut state.partial);
            self.line(state, &line);
        }
        (state.parts, state.severity) = (0, None);
    }

    fn record(&self, state: &mut State, bytes: &[u8], part: Option<u64>) {
        let text = String::from_utf8_lossy(bytes);
        let (severity, message) = self.judge(state.severity, &text);
        state.severity = Some(severity);
        let mut record = state.record.take().unwrap_or_else(|| RecordBuf::new(severity, &self.settings.target, ""));
        record.set_severity(severity);
        record.set_message(message);
        let record = record.with_time(self.settings.clock.now());
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
        self.settings.find.as_deref().and_then(find).unwrap_or((self.settings.severity, text))
    }

    fn hand_over(&self, record: &RecordBuf) {
        let handled = catch_unwind(AssertUnwindSafe(|| self.handler.handle(&record.as_record())));
        let handled = handled.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a handler panicked")));
        match handled {
            Ok(()) => lock(&self.health).works(&self.settings.target),
            Err(error) if error.is_told() => {}
            Err(error) => lock(&self.health).failed(&self.settings.target, &error, 1),
        }
    }
}

/// Before the outputs that the last line goes to; a queue that has been emptied already delivers at once at exit.
impl<H: Handler> Resource for Shared<H> {
    fn is_queue(&self) -> bool {
        true
    }

    /// Only at exit: before it, the line may go on.
    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        if !process::is_exiting() || self.abandoned.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(mut state) = lock_until(&self.state, deadline).map(|mut state| std::mem::take(&mut *state)) else {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("{}: cannot be finished in time", self.settings.target),
            ));
        };
        self.finish(&mut state);
        Ok(())
    }

    fn hold(self: Arc<Self>, deadline: Instant) -> Option<Box<dyn Held>> {
        Some(Box::new(HeldLines(OwnedGuard::lock_until(&self, |shared| &shared.state, deadline)?)))
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

struct HeldLines<H: 'static>(OwnedGuard<Shared<H>, State>);

impl<H> Held for HeldLines<H> {
    fn forget_pending(&mut self) {
        *self.0 = State::default();
    }
}

/// Where to cut, at `max` or just before it: not within a character.
fn boundary(bytes: &[u8], max: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // Four bytes without a start are no character anyway.
    (max.saturating_sub(3)..=max).rev().find(|at| !continues(at)).unwrap_or(max)
}
