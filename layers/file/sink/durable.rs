use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::commit::Commit;
use super::durability::Durability;
use super::group::{Gathered, Group, Owed};
use super::open::Open;
use crate::Error;
use crate::process::Generation;
use crate::record::Severity;
use crate::sink::RecordEnd;
use crate::sink::run::{Run, Stopped};
use crate::sync::deadline_in;

/// The state of a handler whose [`Durability`] requires syncs: which lines of the current call must be synced, and
/// whether the call waits.
#[derive(Debug)]
pub(super) struct Durable {
    level: Durability,
    sync_after: Option<Severity>,
    owed: Arc<Owed>,
    /// The group of the file, from the first line on.
    group: Option<Arc<Group>>,
    /// A forked child has neither the group's thread nor the holders of its lock.
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
    pub(super) fn new(level: Durability, sync_after: Option<Severity>) -> Option<Self> {
        if !level.syncs() && sync_after.is_none() {
            return None;
        }
        let (process, call) = (Generation::current(), Call::default());
        Some(Self { level, sync_after, owed: Arc::default(), group: None, process, is_asked: false, call })
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
        group: &Arc<Group>,
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
        let gathered = group.wrote(&self.owed, owed, self.window(), open.file());
        let Gathered { round, is_alone } = gathered.map_err(|error| Stopped { lines: 0, torn: 0, error })?;
        if self.group.as_ref().is_none_or(|known| !Arc::ptr_eq(known, group)) {
            self.group = Some(group.clone());
        }
        if owed == 0 {
            return appended;
        }
        self.call.since.get_or_insert(round);
        self.call.waits |= is_alone;
        appended
    }

    /// How long lines wait for the sync of the group's thread. `None` if the calls sync.
    pub(super) fn window(&self) -> Option<Duration> {
        match self.level {
            Durability::Grouped(window) => Some(window),
            _ => None,
        }
    }

    /// The account of a line that counts as written before its rest is, if it is owed.
    pub(super) fn account(&self) -> Option<Arc<Owed>> {
        self.call.owes.then(|| self.owed.clone())
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
        let lost = if self.is_asked { 0 } else { self.owed.lost() };
        self.owed.pending().saturating_sub(lost)
    }

    /// Implements [`Sink::lost`](crate::Sink::lost).
    pub(super) fn lost(&mut self) -> usize {
        self.owed.take_lost()
    }

    /// Starts over in a forked child, whose parent syncs what was written.
    pub(super) fn forget(&mut self) {
        (self.owed, self.group) = (Arc::default(), None);
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
        let group = self.group.as_ref()?;
        let ticket = match (is_flush, since) {
            (true, _) => group.ticket_for_all(&self.owed),
            (false, Some(since)) => group.ticket(&self.owed, since),
            (false, None) => None,
        };
        ticket.map(|ticket| Commit::new(group.clone(), ticket))
    }
}
