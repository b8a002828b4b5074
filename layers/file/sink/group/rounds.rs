//! The rounds of a group: which lines the next sync covers, and which syncs failed.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::sync::{ThreadId, current_thread};

#[derive(Default)]
pub(super) struct Rounds {
    /// The number of the current round.
    pub(super) number: u64,
    pub(super) gathered: Round,
    /// The round being synced, whose number is the previous one.
    pub(super) syncing: Option<Round>,
    /// The failed rounds that threads still wait for.
    pub(super) failed: Vec<FailedRound>,
    pub(super) last_failure: Option<(u64, Failure)>,
    /// A failure that no thread waited for.
    pub(super) unheard: Option<Failure>,
    /// A sync of the file failed: it must not be written to.
    pub(super) is_distrusted: bool,
    /// The group's own thread.
    pub(super) thread: Option<ThreadId>,
    pub(super) reported_threadless: bool,
    /// Another thread waits for the group's thread.
    pub(super) is_urgent: bool,
    pub(super) is_closed: bool,
    /// Lines whose failure is not reported yet.
    pub(super) unreported: usize,
}

/// Lines that one sync covers.
#[derive(Default)]
pub(super) struct Round {
    pub(super) lines: usize,
    /// How many callers wait for it.
    pub(super) tickets: usize,
    pub(super) file: Option<Arc<fs::File>>,
    pub(super) due: Option<Instant>,
}

pub(super) struct FailedRound {
    pub(super) number: u64,
    pub(super) tickets: usize,
    pub(super) failure: Failure,
}

/// Why a sync failed. Copied, since each waiting caller gets an `io::Error`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Failure {
    pub(super) kind: io::ErrorKind,
    pub(super) code: Option<i32>,
}

impl Rounds {
    /// Whether there is another thread to wait for: the group's thread cannot wait for itself, if a report of a failure is logged.
    pub(super) fn has_other_thread(&self) -> bool {
        self.thread.is_some_and(|group| group != current_thread().id())
    }

    pub(super) fn is_settled(&self, round: u64) -> bool {
        round < self.number && !(self.syncing.is_some() && round + 1 == self.number)
    }

    /// Closes the current round, and returns the file to sync and the number of lines.
    pub(super) fn begin(&mut self) -> (Option<Arc<fs::File>>, usize) {
        let round = std::mem::take(&mut self.gathered);
        let begun = (round.file.clone(), round.lines);
        self.syncing = Some(round);
        self.number += 1;
        self.is_urgent = false;
        begun
    }

    /// Ends a sync, and returns how many lines are lost. A failed sync also loses the lines collected in the meantime: the system
    /// may have tried, and failed, to write parts of them too.
    pub(super) fn end(&mut self, failure: Option<Failure>) -> usize {
        let synced = self.syncing.take().unwrap_or_default();
        let Some(failure) = failure else { return 0 };
        let gathered = std::mem::take(&mut self.gathered);
        let lost = synced.lines + gathered.lines;
        self.number += 1;
        self.is_distrusted = true;
        self.last_failure = Some((self.number - 1, failure));
        for (number, round) in [(self.number - 2, synced), (self.number - 1, gathered)] {
            match round {
                Round { lines: 0, .. } => {}
                Round { tickets: 0, .. } => self.unheard = Some(failure),
                Round { tickets, .. } => self.failed.push(FailedRound { number, tickets, failure }),
            }
        }
        lost
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        failure.code.map_or_else(|| failure.kind.into(), Self::from_raw_os_error)
    }
}
