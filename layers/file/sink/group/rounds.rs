//! The rounds of a group: which lines the next sync covers, and which syncs failed.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use super::failure::Failure;
use super::owed::{Owed, Shares};
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
    pub(super) last_failure: Option<Failure>,
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
    /// Whose lines these are, and how many callers wait for them.
    pub(super) shares: Shares,
    pub(super) file: Option<Arc<fs::File>>,
    pub(super) due: Option<Instant>,
}

pub(super) struct FailedRound {
    pub(super) number: u64,
    pub(super) tickets: usize,
    pub(super) failure: Failure,
}

impl Rounds {
    /// Whether there is another thread to wait for: the group's thread cannot wait for itself, if a report of a failure is logged.
    pub(super) fn has_other_thread(&self) -> bool {
        self.thread.is_some_and(|group| group != current_thread().id())
    }

    pub(super) fn is_settled(&self, round: u64) -> bool {
        round < self.number && !(self.syncing.is_some() && round + 1 == self.number)
    }

    /// Closes the current round, and returns the file to sync.
    pub(super) fn begin(&mut self) -> Option<Arc<fs::File>> {
        let round = std::mem::take(&mut self.gathered);
        let file = round.file.clone();
        self.syncing = Some(round);
        self.number += 1;
        self.is_urgent = false;
        file
    }

    /// Returns the newest round with lines of `owed` that is not settled, and its shares.
    pub(super) fn round_of(&mut self, owed: &Arc<Owed>) -> Option<(u64, &mut Shares)> {
        if self.gathered.shares.has(owed) {
            return Some((self.number, &mut self.gathered.shares));
        }
        let syncing = self.syncing.as_mut().filter(|syncing| syncing.shares.has(owed))?;
        Some((self.number - 1, &mut syncing.shares))
    }

    /// Returns the shares of `round`, unless it is settled.
    pub(super) fn shares_of(&mut self, round: u64) -> Option<&mut Shares> {
        match self {
            Self { gathered, number, .. } if round == *number => Some(&mut gathered.shares),
            Self { syncing: Some(syncing), number, .. } if round + 1 == *number => Some(&mut syncing.shares),
            _ => None,
        }
    }

    /// Ends a sync, and returns how many lines are lost. A failed sync also loses the lines collected in the meantime: the system
    /// may have tried, and failed, to write parts of them too.
    pub(super) fn end(&mut self, failure: Option<Failure>) -> usize {
        let synced = self.syncing.take().unwrap_or_default();
        let Some(failure) = failure else {
            synced.shares.synced();
            return 0;
        };
        let gathered = std::mem::take(&mut self.gathered);
        self.number += 1;
        self.is_distrusted = true;
        self.last_failure = Some(failure);
        let last = self.number - 1;
        [(last - 1, synced), (last, gathered)]
            .into_iter()
            .map(|(number, round)| {
                let (lost, tickets) = round.shares.lost(last, failure);
                if tickets > 0 {
                    self.failed.push(FailedRound { number, tickets, failure });
                }
                lost
            })
            .sum()
    }
}
