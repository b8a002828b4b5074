use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::commit::Commit;
use super::durability::Durability;
use super::group::{Gathered, Group};
use super::open::Open;
use super::place::Place;
use crate::Error;
use crate::process::Generation;
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped};
use crate::sync::deadline_in;

/// The state of a file whose [`Durability`] requires syncs: which lines of the current call must be synced, and
/// whether the call waits.
#[derive(Debug)]
pub(super) struct Durable {
    level: Durability,
    sync_after: Option<Severity>,
    group: Arc<Group>,
    /// The process of the group: a forked child has neither its thread nor the holders of its lock.
    process: Generation,
    /// The caller uses commits and waits for them; otherwise each call waits before it returns.
    is_asked: bool,
    call: Call,
}

/// The state of the current call.
#[derive(Debug, Default)]
struct Call {
    /// Its lines count as delivered only when they are synced.
    owes: bool,
    waits: bool,
    is_flush: bool,
    /// The round of the first lines it wrote.
    since: Option<u64>,
}

/// How the lines of a batch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// Into the buffer while that has room, as without durability.
    Buffered,
    /// Lines without room in the buffer are written after it, so that the call waits for its own lines too.
    Whole,
    /// Past the buffer.
    Direct,
}

impl Durable {
    /// Returns `None` if nothing is ever synced.
    pub(super) fn new(level: Durability, sync_after: Option<Severity>, place: &Place) -> Option<Self> {
        if !level.syncs() && sync_after.is_none() {
            return None;
        }
        let window = match level {
            Durability::Grouped(window) => Some(window),
            _ => None,
        };
        let group = Arc::new(Group::new(&place.name, window));
        let process = Generation::current();
        Some(Self { level, sync_after, group, process, is_asked: false, call: Call::default() })
    }

    /// Begins a call that writes `lines`.
    pub(super) fn begin_write(&mut self, lines: &[RecordEnd]) -> WriteMode {
        self.renew_if_forked();
        let is_severe = self.sync_after.is_some_and(|least| lines.iter().any(|line| line.severity.is_at_least(least)));
        let waits = is_severe || self.level == Durability::Synced;
        self.call = Call { owes: is_severe || self.level.syncs(), waits, ..Call::default() };
        match (is_severe, waits) {
            (true, _) => WriteMode::Direct,
            (false, true) => WriteMode::Whole,
            (false, false) => WriteMode::Buffered,
        }
    }

    /// Begins a call that writes the buffer, and that also waits for an earlier write that has not been waited for yet.
    pub(super) fn begin_flush(&mut self) {
        self.renew_if_forked();
        let syncs = self.level.syncs();
        self.call = Call { owes: syncs, waits: syncs || self.call.waits, is_flush: true, since: None };
    }

    /// Begins a call that writes the buffer and waits for nothing, unless there is no thread to sync the lines.
    pub(super) fn begin_buffered(&mut self) {
        self.renew_if_forked();
        self.call = Call { owes: self.level.syncs(), ..Call::default() };
    }

    /// Registers the lines of `run`, which were `appended` to `open`. Fails if a sync of that file has failed meanwhile: then none
    /// of them can be trusted.
    pub(super) fn wrote(
        &mut self,
        open: &Open,
        run: Run<'_>,
        appended: Result<(), Stopped<io::Error>>,
    ) -> Result<(), Stopped<io::Error>> {
        let lines = appended.as_ref().map_or_else(|stopped| stopped.lines, |()| run.count());
        if lines == 0 || !open.is_regular() {
            return appended;
        }
        // Lines without a promise must still reach the disk before a later line with one, even from a file that was left.
        let owed = if self.call.owes { lines } else { 0 };
        let gathered = self.group.wrote(owed, open.file());
        let Gathered { round, is_alone } = gathered.map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        if owed == 0 {
            return appended;
        }
        self.call.since.get_or_insert(round);
        self.call.waits |= is_alone;
        appended
    }

    /// Syncs a file before it is left for another one. The threads that wait for its lines get the error if that fails.
    pub(super) fn retire(&self) {
        self.group.settle();
    }

    /// Whether a sync of the file failed, so that it has to be opened again.
    pub(super) fn distrusts(&self) -> bool {
        self.group.distrusts()
    }

    /// Called when the file was opened again.
    pub(super) fn opened(&self) {
        self.group.trust();
    }

    /// Implements [`Sink::commit`](crate::Sink::commit).
    pub(super) fn commit(&mut self) -> Option<Commit> {
        self.is_asked = true;
        self.ticket()
    }

    /// Waits for the lines of the call, unless the caller uses commits.
    pub(super) fn settle(&mut self, deadline: Instant) -> Result<(), Error> {
        match self.is_asked {
            true => Ok(()),
            false => self.ticket().map_or(Ok(()), |commit| commit.wait(deadline)),
        }
    }

    /// Like [`settle`](Self::settle), without a deadline.
    pub(super) fn settle_write(&mut self) -> Result<(), Error> {
        self.settle(deadline_in(Duration::MAX))
    }

    /// Waits even if the caller uses commits. For the last flush.
    pub(super) fn settle_here(&mut self, deadline: Instant) -> Result<(), Error> {
        self.is_asked = false;
        self.settle(deadline)
    }

    /// How many lines are written but not synced yet. If the caller uses commits, lost lines are included until it has asked
    /// for them.
    pub(super) fn pending(&self) -> usize {
        let lost = if self.is_asked { 0 } else { self.group.lost() };
        self.group.pending().saturating_sub(lost)
    }

    /// Implements [`Sink::lost`](crate::Sink::lost).
    pub(super) fn lost(&mut self) -> usize {
        self.group.take_lost()
    }

    /// Starts over in a forked child, whose parent syncs what was written.
    pub(super) fn forget(&mut self) {
        self.group = Arc::new(Group::new(self.group.path(), self.group.window()));
        self.process = Generation::current();
        self.call = Call::default();
    }

    fn renew_if_forked(&mut self) {
        if !self.process.is_current() {
            self.forget();
        }
    }

    fn ticket(&mut self) -> Option<Commit> {
        let Call { waits: true, is_flush, since, .. } = std::mem::take(&mut self.call) else { return None };
        let ticket = match (is_flush, since) {
            (true, _) => self.group.ticket_for_all(),
            (false, Some(since)) => self.group.ticket(since),
            (false, None) => None,
        };
        ticket.map(|ticket| Commit::new(self.group.clone(), ticket))
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if self.process.is_current() {
            self.group.close();
        }
    }
}
