//! The way of lines through the buffer, and what happens to lines that cannot be written.

use std::time::Instant;

use super::File;
use super::durable::WriteMode;
use super::log::{Author, SharedLog};
use crate::sink::Sink as _;
use crate::sink::run::{Run, Stopped};
use crate::{Error, Partial, selflog};

impl File {
    #[inline]
    pub(super) fn write_run(&mut self, mode: WriteMode, run: Run<'_>) -> Result<(), Partial> {
        if !self.attempts.are_failing() && self.buffer.has_room(run) && mode != WriteMode::Direct {
            self.keep(run);
            return Ok(());
        }
        self.write_out_of_buffer(mode, run)
    }

    /// Kept apart from the usual way, which needs few registers.
    #[inline(never)]
    fn write_out_of_buffer(&mut self, mode: WriteMode, run: Run<'_>) -> Result<(), Partial> {
        if let Some(error) = self.attempts.put_off() {
            return self.hold(mode, run, 0, error);
        }
        if let Err(error) = self.write_buffer(None) {
            return self.hold(mode, run, 0, error);
        }
        if self.buffer.has_room(run) && mode == WriteMode::Buffered {
            self.keep(run);
            return Ok(());
        }
        self.write_past_buffer(mode, run)
    }

    /// Puts lines into the buffer, for a limited time.
    #[inline]
    fn keep(&mut self, run: Run<'_>) {
        if self.buffer.is_empty() && !run.is_empty() {
            self.time_limit.start();
        }
        self.buffer.push(run);
    }

    /// Lines whose sync failed count as not written.
    #[inline(never)]
    pub(super) fn write_durably(&mut self, mode: WriteMode, run: Run<'_>) -> Result<(), Partial> {
        let written = self.write_run(mode, run);
        match self.durable.as_mut().map_or(Ok(()), |durable| durable.settle_write()) {
            Ok(()) => written,
            Err(error) => Err(Partial::new(0, error)),
        }
    }

    #[inline(never)]
    pub(super) fn flush_durably(&mut self, deadline: Instant) -> Result<(), Error> {
        let written = self.write_out(deadline);
        written.and(self.durable.as_mut().map_or(Ok(()), |durable| durable.settle(deadline)))
    }

    /// Writes the buffer, and carries out pending requests.
    pub(super) fn write_out(&mut self, deadline: Instant) -> Result<(), Error> {
        self.write_buffer(Some(deadline))?;
        self.log.lock()?.carry_out_requests()
    }

    /// Whether there is nothing to write.
    pub(super) fn is_written(&self) -> bool {
        self.buffer.is_empty() && !self.log.has_rest_of(self.number)
    }

    /// The deadline is that of a flush, and limits how long a pipe is waited for.
    pub(super) fn write_buffer(&mut self, deadline: Option<Instant>) -> Result<(), Error> {
        if self.is_written() {
            return Ok(());
        }
        let Self { log, number, buffer, preamble, durable, .. } = self;
        let mut author = Author { number: *number, preamble, durable: durable.as_mut(), deadline };
        let written = append(log, buffer.as_run(), &mut author);
        let Err(Stopped { lines, error, .. }) = written else {
            self.buffer.clear();
            self.time_limit.end();
            self.works();
            return Ok(());
        };
        self.buffer.remove(lines);
        self.time_limit.start_again();
        self.attempts.failed(&error);
        Err(error)
    }

    /// Writes lines past the buffer.
    fn write_past_buffer(&mut self, mode: WriteMode, run: Run<'_>) -> Result<(), Partial> {
        let Self { log, number, preamble, durable, .. } = self;
        let mut author = Author { number: *number, preamble, durable: durable.as_mut(), deadline: None };
        let Err(Stopped { lines, error, .. }) = append(log, run, &mut author) else {
            self.works();
            return Ok(());
        };
        self.attempts.failed(&error);
        if self.log.has_rest_of(self.number) {
            self.time_limit.start_again();
        }
        self.hold(mode, run, lines, error)
    }

    /// Holds as much of a run that cannot be written as there is room for; `taken` of its lines are taken already. Lines that
    /// must be on the disk when the call returns fail nevertheless.
    #[cold]
    fn hold(&mut self, mode: WriteMode, run: Run<'_>, taken: usize, error: Error) -> Result<(), Partial> {
        let (_, left) = run.split_at(taken);
        let (held, _) = left.split_at(self.buffer.fit(left));
        self.keep(held);
        if held.count() < left.count() || mode == WriteMode::Direct {
            return Err(Partial::new(taken + held.count(), error));
        }
        if self.health.is_news(true) {
            selflog::tell(&format!("{}: holding lines in memory: {error:#}", self.describe()));
        }
        Ok(())
    }

    #[inline]
    fn works(&mut self) {
        if self.attempts.are_failing() {
            self.recovered();
        }
    }

    #[cold]
    fn recovered(&mut self) {
        self.attempts.succeeded();
        if self.health.is_news(false) {
            selflog::tell(&format!("{}: works again; the held lines are written", self.describe()));
        }
    }
}

/// Appends lines to the file, under its lock.
#[inline]
fn append(log: &SharedLog, run: Run<'_>, author: &mut Author<'_>) -> Result<(), Stopped> {
    let mut log = log.lock().map_err(|error| Stopped { lines: 0, torn: 0, error })?;
    log.append(run, author)
}
