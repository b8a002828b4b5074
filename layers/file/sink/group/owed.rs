//! Whose lines a sync covers: several handlers may write to one file, and each counts its own.

use std::sync::Arc;

use super::failure::Failure;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};

/// The lines of one handler that are written and not on the disk.
///
/// The counts are outside the group's mutex, since they are read in a forked child, where the mutex may be held by a thread that does
/// not exist there.
#[derive(Debug, Default)]
pub(in crate::file::sink) struct Owed {
    /// Including lost lines until they are taken.
    pending: AtomicUsize,
    lost: AtomicUsize,
    /// Locked only while the group is.
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    /// With the number of the round.
    last: Option<(u64, Failure)>,
    /// A failure that no thread waited for.
    unheard: Option<Failure>,
}

impl Owed {
    pub(in crate::file::sink) fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// The number of lost lines that were not taken yet.
    pub(in crate::file::sink) fn lost(&self) -> usize {
        self.lost.load(Ordering::Acquire)
    }

    /// Returns the number of lost lines, and resets it.
    pub(in crate::file::sink) fn take_lost(&self) -> usize {
        let lost = self.lost.swap(0, Ordering::AcqRel);
        self.pending.fetch_sub(lost, Ordering::AcqRel);
        lost
    }

    /// The failure of the last round that failed, if that was `since` or a later one.
    pub(super) fn failure_since(&self, since: u64) -> Option<Failure> {
        lock(&self.failures).last.filter(|(number, _)| *number >= since).map(|(_, failure)| failure)
    }

    /// Returns a failure that no thread waited for, once.
    pub(super) fn take_unheard(&self) -> Option<Failure> {
        lock(&self.failures).unheard.take()
    }
}

/// The lines of a round, by handler.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Most files have one handler, for which nothing is allocated.
    first: Option<Share>,
    others: Vec<Share>,
}

#[derive(Debug)]
struct Share {
    owed: Arc<Owed>,
    lines: usize,
    /// How many callers wait for these lines.
    tickets: usize,
}

impl Shares {
    pub(super) fn add(&mut self, owed: &Arc<Owed>, lines: usize) {
        owed.pending.fetch_add(lines, Ordering::AcqRel);
        match self.of(owed) {
            Some(share) => share.lines += lines,
            None => self.insert(Share { owed: owed.clone(), lines, tickets: 0 }),
        }
    }

    pub(super) fn has(&self, owed: &Arc<Owed>) -> bool {
        self.first.iter().chain(&self.others).any(|share| Arc::ptr_eq(&share.owed, owed))
    }

    pub(super) fn add_ticket(&mut self, owed: &Arc<Owed>) {
        self.of(owed).into_iter().for_each(|share| share.tickets += 1);
    }

    pub(super) fn remove_ticket(&mut self, owed: &Arc<Owed>) {
        self.of(owed).into_iter().for_each(|share| share.tickets = share.tickets.saturating_sub(1));
    }

    /// How many callers wait for the round.
    #[cfg(any(test, tracing_handlers_models))]
    pub(super) fn tickets(&self) -> usize {
        self.first.iter().chain(&self.others).map(|share| share.tickets).sum()
    }

    /// Called when the lines are on the disk.
    pub(super) fn synced(self) {
        self.into_iter().for_each(|share| {
            share.owed.pending.fetch_sub(share.lines, Ordering::AcqRel);
        });
    }

    /// Called when the sync failed, in the round `number`. Returns the number of lost lines, and of callers that wait for them.
    pub(super) fn lost(self, number: u64, failure: Failure) -> (usize, usize) {
        self.into_iter().fold((0, 0), |(lines, tickets), share| {
            let mut failures = lock(&share.owed.failures);
            failures.last = Some((number, failure));
            if share.tickets == 0 {
                failures.unheard = Some(failure);
            }
            share.owed.lost.fetch_add(share.lines, Ordering::AcqRel);
            (lines + share.lines, tickets + share.tickets)
        })
    }

    fn insert(&mut self, share: Share) {
        match &self.first {
            None => self.first = Some(share),
            Some(_) => self.others.push(share),
        }
    }

    fn of(&mut self, owed: &Arc<Owed>) -> Option<&mut Share> {
        self.first.iter_mut().chain(&mut self.others).find(|share| Arc::ptr_eq(&share.owed, owed))
    }

    fn into_iter(self) -> impl Iterator<Item = Share> {
        self.first.into_iter().chain(self.others)
    }
}
