use std::io::{self, Write as _};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::process::{self, thread};
use crate::selflog;
use crate::sink::run::Run;
use crate::sink::tail::Tail;
use crate::stream::{Attempt, Outlet, Stream};

/// The lines on their way to one of the streams.
#[derive(Debug)]
pub(super) struct Lane {
    stream: Stream,
    outlet: Outlet,
    /// `None`: [`PATIENCE`] for callers that hold up other code, and no limit for others.
    patience: Option<Duration>,
    tail: Tail,
    /// The file in which the beginning of that line is.
    torn_in: (u64, u64),
    /// Lines that a thread is still writing, at least in part.
    in_flight: usize,
    /// Lines that it could not write.
    lost: usize,
}

impl Lane {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            outlet: Outlet::new(stream, PATIENCE),
            patience: None,
            tail: Tail::default(),
            in_flight: 0,
            torn_in: (0, 0),
            lost: 0,
        }
    }

    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = Some(patience);
        self.outlet.set_patience(patience);
    }

    /// Writes `run`. An error includes how many of its lines were taken.
    pub(super) fn write(&mut self, run: Run<'_>) -> Result<(), (usize, io::Error)> {
        self.settle();
        self.check_tail();
        let (in_background, piece) = (thread::is_worker(), self.outlet.piece());
        let mut attempt = match self.patience {
            // There may be no later one.
            _ if process::is_exiting() => self.outlet.patient_attempt().until(process::exit_deadline()),
            None if in_background => self.outlet.patient_attempt(),
            _ => self.outlet.attempt(in_background).map_err(|error| (0, error))?,
        };
        end_line_of_another(self.stream, &mut attempt).map_err(|error| (0, error))?;
        if let Err(error) = self.tail.finish(&mut attempt) {
            self.in_flight = self.in_flight.max(usize::from(attempt.in_flight() > 0));
            return Err((0, error));
        }
        attempt.take_written();
        let written = self.tail.write_pieces(&mut attempt, run, piece);
        let in_flight = attempt.in_flight();
        if in_flight > 0 {
            let taken = written.as_ref().map_or_else(|(taken, _)| *taken, |()| run.count());
            let whole = run.fit(attempt.take_written().saturating_sub(in_flight) as u64);
            // If none were taken, it is the line whose rest was in the tail.
            self.in_flight = if taken > 0 { taken - whole } else { 1 };
        }
        drop(attempt);
        if self.tail.pending() > 0 {
            self.torn_in = self.outlet.identity();
        }
        written
    }

    /// Gives up the rest of a line if the stream leads to another file now.
    #[inline]
    fn check_tail(&mut self) {
        if self.tail.pending() > 0 && self.outlet.identity() != self.torn_in {
            self.tail.forget();
            self.lost += 1;
            selflog::tell(&format!("{}: it leads elsewhere, and the rest of a line is lost", self.stream.name()));
        }
    }

    /// Writes with `print!`, for libtest.
    pub(super) fn print(&mut self, run: Run<'_>) -> Result<(), (usize, io::Error)> {
        run.write_to(&mut Printer(self.stream)).map_err(|stopped| (stopped.lines, stopped.error))
    }

    /// Writes the rest of a line, and waits for lines in flight, at most until `deadline`; `None` means that it does not wait.
    pub(super) fn flush(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        self.settle();
        self.check_tail();
        if self.pending() == 0 {
            return Ok(());
        }
        let mut attempt = match deadline {
            Some(deadline) => self.outlet.patient_attempt().until(deadline),
            None => self.outlet.brief_attempt(),
        };
        let finished = attempt.wait_for_flight().and_then(|()| self.tail.finish(&mut attempt));
        self.in_flight = self.in_flight.max(usize::from(attempt.in_flight() > 0));
        drop(attempt);
        self.settle();
        finished
    }

    /// The number of lines that were taken and are not written whole.
    pub(super) fn pending(&self) -> usize {
        // In a forked child the thread is the parent's, and so are the lines.
        match self.outlet.in_flight() > 0 || self.outlet.has_failed() || self.outlet.has_foreign_helper() {
            true => self.in_flight,
            false => self.tail.pending(),
        }
    }

    /// The number of taken lines that will never be written, once.
    pub(super) fn take_lost(&mut self) -> usize {
        self.settle();
        std::mem::take(&mut self.lost)
    }

    /// Called in a forked child: what was taken is the parent's to write.
    pub(super) fn forget(&mut self) {
        self.outlet.forget_helper();
        self.tail.forget();
        (self.in_flight, self.lost) = (0, 0);
    }

    /// Notes the end of what was in flight.
    #[inline]
    fn settle(&mut self) {
        if self.in_flight > 0 {
            self.settle_flight();
        }
    }

    #[cold]
    fn settle_flight(&mut self) {
        if self.outlet.in_flight() > 0 {
            return;
        }
        if let Some(error) = self.outlet.take_error() {
            // Which of them were written is not known; the rest of a torn one is worthless.
            self.lost += self.in_flight;
            self.tail.forget();
            let (name, lines) = (self.stream.name(), self.in_flight);
            selflog::tell(&format!("{name}: lines lost on their way: {lines}: {error}"));
        }
        self.in_flight = 0;
    }
}

/// A line of another lane on the stream was cut short when that was dropped: the next one must not be joined to it.
#[inline]
fn end_line_of_another(stream: Stream, attempt: &mut Attempt<'_>) -> io::Result<()> {
    match UNENDED[stream as usize].load(Ordering::Relaxed) {
        true => end_line(stream, attempt),
        false => Ok(()),
    }
}

#[cold]
fn end_line(stream: Stream, attempt: &mut Attempt<'_>) -> io::Result<()> {
    attempt.write_all(b"\n")?;
    UNENDED[stream as usize].store(false, Ordering::Relaxed);
    Ok(())
}

/// Writes the rest of a line if there is room for it, and reports lines that are not written.
impl Drop for Lane {
    fn drop(&mut self) {
        if self.outlet.has_foreign_helper() || self.flush(None).is_ok() {
            return;
        }
        let (name, lines) = (self.stream.name(), self.pending());
        UNENDED[self.stream as usize].store(self.tail.pending() > 0, Ordering::Relaxed);
        selflog::tell(&format!("{name}: dropped before it was read, lines not written whole: {lines}"));
    }
}

/// For each stream, whether it ends within a line.
static UNENDED: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

/// Writes with the macros that libtest captures, which panic if they cannot write.
struct Printer(Stream);

impl io::Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let printed = catch_unwind(|| match self.0 {
            Stream::Out => print!("{text}"),
            Stream::Err => eprint!("{text}"),
        });
        printed.map_err(|_| io::Error::other("print! panicked"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that reads nothing for this long has stopped reading.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
