//! Lines to the sink, and what is told when it refuses them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Output;
use super::shared::State;
use crate::format::{Format, Out};
use crate::handler::missing::Again;
use crate::handler::notice;
use crate::process;
use crate::record::{Record, RecordBuf, Severity};
use crate::sink::{Commit, Line, Sink};
use crate::sync::deadline_in;
use crate::{Error, ErrorKind, Partial};

impl<F: Format, S: Sink> Output<F, S> {
    /// Counts and writes `lines`, and counts `unformatted` records that never became lines. A sink that panics does so here
    /// too; then `lines` count as failed.
    #[inline]
    pub(super) fn write(&self, bytes: &[u8], lines: &[Line], unformatted: usize) -> Result<(), Partial> {
        self.write_with(bytes, lines, unformatted, |commit, written| match commit.wait(far()) {
            Ok(()) => written,
            // The sink has counted them.
            Err(error) => Err(Partial::new(0, error)),
        })
    }

    /// The same; where there is something to wait for, `settle` does, without the lock.
    #[inline]
    fn write_with(
        &self,
        bytes: &[u8],
        lines: &[Line],
        unformatted: usize,
        settle: impl FnOnce(Commit, Result<(), Partial>) -> Result<(), Partial>,
    ) -> Result<(), Partial> {
        let Some(mut state) = self.shared.lock() else {
            self.shared.reentrant.fetch_add((lines.len() + unformatted) as u64, Ordering::Relaxed);
            return Ok(());
        };
        state.accepted += (lines.len() + unformatted) as u64;
        state.failed += unformatted as u64;
        let written = match lines {
            [] => Ok(()),
            lines if self.shared.missing.is_none() => state.write(bytes, lines, 0),
            lines => self.write_behind_notice(&mut state, bytes, lines),
        };
        let written = written.inspect_err(|partial| {
            self.refused(&mut state, lines.len() - partial.delivered, &partial.error);
        });
        if process::is_exiting() {
            // Nobody may come to flush after this.
            state.flush_at_exit();
        }
        match state.sink.commit() {
            None => written,
            Some(commit) => {
                drop(state);
                settle(commit, written)
            }
        }
    }

    #[cold]
    fn refused(&self, state: &mut State<S>, lines: usize, error: &Error) {
        if self.tell_missing && lines > 0 {
            self.shared.missing.add(lines as u64);
            state.reason.is(error);
        }
    }

    /// In one batch: nothing can come between the notice and the lines, and what is refused is the end of both together.
    #[cold]
    fn write_behind_notice(&self, state: &mut State<S>, bytes: &[u8], lines: &[Line]) -> Result<(), Partial> {
        let missing = &self.shared.missing;
        if Again::is_on() {
            missing.subtract(lines.len() as u64);
        }
        let count = missing.count();
        let mut all = Vec::new();
        if count == 0 || !self.notice(&state.reason.notice(count), &mut all) {
            return state.write(bytes, lines, 0);
        }
        let notice = all.len();
        all.extend_from_slice(bytes);
        let behind = lines.iter().map(|line| Line { end: notice + line.end, ..*line });
        let all_lines: Vec<_> = std::iter::once(Line { end: notice, severity: Severity::WARN }).chain(behind).collect();
        let told = state.notices.told;
        let written = state.write(&all, &all_lines, 1);
        if state.notices.told > told {
            missing.subtract(count);
        }
        written
    }

    /// Appends the framed notice; a format that cannot write it goes without.
    fn notice(&self, notice: &RecordBuf, bytes: &mut Vec<u8>) -> bool {
        let format = || self.format.format(&notice.as_record(), &mut Out::new(bytes, self.caps));
        let formatted = matches!(catch_unwind(AssertUnwindSafe(format)), Ok(Ok(())));
        if formatted {
            self.framing.frame(bytes, 0);
        }
        formatted
    }

    /// As [`write`](Self::write), and a sink that panics is an error. What there is to wait for is left to the caller.
    pub(super) fn try_write(
        &self,
        bytes: &[u8],
        lines: &[Line],
        unformatted: usize,
    ) -> (Result<(), Partial>, Option<Commit>) {
        let mut commit = None;
        let written = catch_unwind(AssertUnwindSafe(|| {
            self.write_with(bytes, lines, unformatted, |of_write, written| {
                commit = Some(of_write);
                written
            })
        }));
        (written.unwrap_or_else(|_| Err(self.sink_panicked(lines.len()).into())), commit)
    }

    /// Something went wrong with a record, either before it was a line or after.
    #[cold]
    pub(super) fn failed(
        &self,
        record: &Record<'_>,
        was_line: bool,
        handled: std::thread::Result<Result<(), Error>>,
    ) -> Result<(), Error> {
        let result = match (was_line, handled) {
            // Counted already.
            (true, Ok(result)) => result,
            (true, Err(_)) => Err(self.sink_panicked(1)),
            (false, Ok(result)) => return self.write(&[], &[], 1).map_err(Error::from).and(result),
            (false, Err(_)) => return self.write(&[], &[], 1).map_err(Error::from).and(Err(format_panicked())),
        };
        if let (Some(told), true) = (notice::count_of(record), self.tell_missing) {
            self.shared.missing.add_untold(told);
        }
        result
    }

    /// Tells of it; its lines were counted as failed before it was called.
    #[cold]
    fn sink_panicked(&self, lines: usize) -> Error {
        let error = Error::new(ErrorKind::Panic, "the sink panicked");
        let Some(mut state) = self.shared.lock() else { return error };
        let State { name, health, .. } = &mut *state;
        health.failed(name, &error, lines);
        self.refused(&mut state, lines, &error);
        error.told()
    }
}

pub(super) fn format_panicked() -> Error {
    Error::new(ErrorKind::Panic, "a filter or format panicked")
}

/// Until when a record waits for the disk: as it does for a write, for as long as it takes, but not beyond the process's end.
#[cold]
pub(super) fn far() -> Instant {
    match process::is_exiting() {
        true => process::exit_deadline(),
        false => deadline_in(Duration::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Handler;
    use crate::handler::script::batch;
    use crate::record::Records;
    use crate::sink::Batch;

    #[test]
    fn the_notice_stands_before_a_batch_and_what_that_lost_before_the_next() {
        /// Takes so many lines of each batch in turn.
        struct Script(Vec<usize>, crate::sink::Memory);
        impl Sink for Script {
            fn write(&mut self, batch: Batch<'_>) -> Result<(), Partial> {
                let take = self.0.remove(0).min(batch.lines().len());
                let lines = &batch.lines()[..take];
                self.1.write(Batch::new(&batch.bytes()[..lines.last().map_or(0, |line| line.end)], lines))?;
                match take < batch.lines().len() {
                    true => Err(Partial::new(take, Error::new(ErrorKind::Full, "no room"))),
                    false => Ok(()),
                }
            }
            fn describe(&self) -> String {
                "script".to_owned()
            }
        }
        let memory = crate::sink::Memory::new();
        let format = crate::format::from_fn(|record: &Record<'_>, out: &mut Out<'_>| {
            out.push_str(record.message());
            Ok(())
        });
        let output = Output::new(format, Script(vec![0, 3, 9], memory.clone()));
        let handled = [&["a", "b"][..], &["c", "d", "e"], &["f", "g"]].map(|messages| {
            let result = output.handle_batch(Records::new(&batch(messages)));
            result.map_or_else(|partial| partial.delivered, |()| messages.len())
        });
        assert_eq!(handled, [0, 2, 2]);
        let expected = ["2 records missing here: no room", "c", "d", "1 record missing here: no room", "f", "g"];
        assert_eq!(memory.lines(), expected);
        let stats = output.shared.report().stats;
        assert!(stats.balances() && (stats.delivered, stats.failed) == (4, 3), "{stats:?}");
    }
}
