//! The way of lines through the buffer, and what happens to lines that cannot be written.

use std::io;
use std::time::Instant;

use super::File;
use super::durable::WriteMode;
use crate::file::rotation::Rotator;
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
        if let Some(error) = self.attempts.put_off() {
            return self.hold(mode, run, 0, error);
        }
        if let Err(error) = self.write_buffer() {
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
        let written = self.write_out();
        written.and(self.durable.as_mut().map_or(Ok(()), |durable| durable.settle(deadline)))
    }

    /// Writes the buffer, and carries out pending requests.
    pub(super) fn write_out(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.carry_out_requests()
    }

    pub(super) fn write_buffer(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        // Taken out while it is written, since writing needs the rest of the file.
        let mut buffer = std::mem::take(&mut self.buffer);
        let written = self.append(buffer.as_run());
        let Err(Stopped { lines, torn, error }) = written else {
            buffer.clear();
            self.buffer = buffer;
            self.time_limit.end();
            self.works();
            return Ok(());
        };
        buffer.remove(lines, torn);
        self.buffer = buffer;
        self.time_limit.start_again();
        self.attempt_failed(&error);
        Err(error)
    }

    /// Writes lines past the buffer, into which only the rest of a partial line goes.
    fn write_past_buffer(&mut self, mode: WriteMode, run: Run<'_>) -> Result<(), Partial> {
        let Err(Stopped { mut lines, torn, error }) = self.append(run) else {
            self.works();
            return Ok(());
        };
        self.attempt_failed(&error);
        if torn > 0 {
            let (line, _) = run.split_at(lines).1.split_at(1);
            self.keep(line);
            self.buffer.remove(0, torn);
            lines += 1;
        }
        self.hold(mode, run, lines, error)
    }

    #[cold]
    fn attempt_failed(&mut self, error: &Error) {
        self.attempts.failed(error);
        let kind = error.io_error().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            self.rotator.iter().for_each(Rotator::make_space);
        }
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
