//! Writes lines to the sink, and a notice after it refused some.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Output;
use super::core::{OutputState, far};
use crate::format::{Format, Out};
use crate::handler::notice;
use crate::process;
use crate::record::{Record, RecordBuf, Severity};
use crate::sink::{Commit, RecordEnd, Sink};
use crate::{Error, ErrorKind, Partial};

impl<F: Format, S: Sink> Output<F, S> {
    /// Counts and writes `lines`, and counts `unformatted` records that never became lines. A panic of the sink is propagated;
    /// `lines` then count as failed.
    #[inline]
    pub(super) fn write(&self, bytes: &[u8], lines: &[RecordEnd], unformatted: usize) -> Result<(), Partial> {
        self.write_with(bytes, lines, unformatted, |commit, written| match commit.wait(far()) {
            Ok(()) => written,
            // The sink has counted them.
            Err(error) => Err(Partial::new(0, error)),
        })
    }

    /// The same. If there is a commit to wait for, `settle` does so, without the lock.
    #[inline]
    fn write_with(
        &self,
        bytes: &[u8],
        lines: &[RecordEnd],
        unformatted: usize,
        settle: impl FnOnce(Commit, Result<(), Partial>) -> Result<(), Partial>,
    ) -> Result<(), Partial> {
        let Some(mut state) = self.core.lock() else {
            return self.core.without_lock(lines.len() + unformatted);
        };
        state.counted.accept((lines.len() + unformatted) as u64);
        if unformatted > 0 {
            state.counted.fail(unformatted as u64);
        }
        let written = match lines {
            [] => Ok(()),
            lines if state.missing.is_none() => state.write(bytes, lines, 0),
            lines => self.write_after_notice(&mut state, bytes, lines),
        };
        let written = written.inspect_err(|partial| {
            self.refused(&mut state, lines.len() - partial.delivered, &partial.error);
        });
        if process::is_exiting() {
            // There may be no later flush.
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
    fn refused(&self, state: &mut OutputState<S>, lines: usize, error: &Error) {
        if self.tell_missing && lines > 0 {
            state.missing.add(lines as u64, error);
        }
    }

    /// Uses one write, so that nothing comes between the notice and the lines, and what the sink refuses is at the end of both.
    #[cold]
    fn write_after_notice(&self, state: &mut OutputState<S>, bytes: &[u8], lines: &[RecordEnd]) -> Result<(), Partial> {
        let count = state.missing.count();
        let mut all = Vec::new();
        if !self.notice(&state.missing.notice(), &mut all) {
            return state.write(bytes, lines, 0);
        }
        let notice = all.len();
        all.extend_from_slice(bytes);
        let after = lines.iter().map(|line| RecordEnd { end: notice + line.end, ..*line });
        let all_lines: Vec<_> = std::iter::once(RecordEnd::new(notice, Severity::WARN)).chain(after).collect();
        let told = state.notices.told;
        let written = state.write(&all, &all_lines, 1);
        if state.notices.told > told {
            state.missing.told(count);
        }
        written
    }

    /// Appends the framed notice. Returns `false` if the format cannot write it.
    fn notice(&self, notice: &RecordBuf, bytes: &mut Vec<u8>) -> bool {
        let record = notice.as_record();
        let format = || self.format.format(&record, &mut Out::new(bytes, self.caps.of_record(&record)));
        let formatted = matches!(catch_unwind(AssertUnwindSafe(format)), Ok(Ok(())));
        if formatted {
            self.framing.frame(bytes, 0);
        }
        formatted
    }

    /// As [`write`](Self::write), but a panic of the sink is an error, and waiting for the commit is left to the caller.
    pub(super) fn try_write(
        &self,
        bytes: &[u8],
        lines: &[RecordEnd],
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

    /// Handles a failure of a record, before or after it became a line.
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
        if let (Some(told), Err(error)) = (notice::count_of(record), &result) {
            self.add_untold(told, error);
        }
        result
    }

    /// Called when the sink refused a notice of another handler that reports `told` lost records.
    #[cold]
    pub(super) fn add_untold(&self, told: u64, error: &Error) {
        if self.tell_missing
            && let Some(mut state) = self.core.lock()
        {
            state.missing.add_untold(told, error);
        }
    }

    /// Reports a panic of the sink, whose lines were counted as failed before the call.
    #[cold]
    fn sink_panicked(&self, lines: usize) -> Error {
        let error = Error::new(ErrorKind::Panic, "the sink panicked");
        let Some(mut state) = self.core.lock() else { return error };
        let OutputState { name, health, .. } = &*state;
        health.failed(name, &error, lines);
        self.refused(&mut state, lines, &error);
        error.with_handler(state.name.as_str())
    }
}

pub(super) fn format_panicked() -> Error {
    Error::new(ErrorKind::Panic, "a filter or format panicked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Handler;
    use crate::handler::script::batch;
    use crate::sink::Framed;

    #[test]
    fn a_notice_comes_before_the_next_batch_that_is_written() {
        /// Accepts these numbers of lines, write by write.
        struct Script(Vec<usize>, crate::sink::Memory);
        impl Sink for Script {
            fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
                let take = self.0.remove(0).min(framed.ends().len());
                let lines = &framed.ends()[..take];
                self.1.write(Framed::new(&framed.bytes()[..lines.last().map_or(0, |line| line.end)], lines))?;
                match take < framed.ends().len() {
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
            let result = output.handle_batch(batch(messages).records());
            result.map_or_else(|partial| partial.delivered, |()| messages.len())
        });
        assert_eq!(handled, [0, 2, 2]);
        let expected = ["2 records missing here: no room", "c", "d", "1 record missing here: no room", "f", "g"];
        assert_eq!(memory.lines(), expected);
        let stats = output.core.report().stats;
        assert!(stats.balances() && (stats.delivered, stats.failed) == (4, 3), "{stats:?}");
    }
}
