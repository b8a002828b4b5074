use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::Line;
use super::super::run::{Run, Stopped};
use super::Place;
use super::commit::Commit;
use super::durability::Durability;
use super::group::{Gathered, Group};
use super::open::Open;
use crate::Error;
use crate::process::Generation;
use crate::record::Severity;
use crate::sync::deadline_in;

/// A file's [`Durability`] at work, where it is more than what writing gives: what the present call owes to the disk, and
/// whether it waits.
#[derive(Debug)]
pub(super) struct Durable {
    level: Durability,
    sync_after: Option<Severity>,
    group: Arc<Group>,
    /// The process of the group: a forked child has neither its thread nor the holders of its lock.
    process: Generation,
    /// Somebody asks for commits, and waits for them; else each call waits before it returns.
    is_asked: bool,
    call: Call,
}

/// What the present call has come to.
#[derive(Debug, Default)]
struct Call {
    /// What it writes counts as delivered when it is synced.
    owes: bool,
    waits: bool,
    is_flush: bool,
    /// The round of the first lines that it wrote.
    since: Option<u64>,
}

/// What is to be done with the lines of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As without durability: into the buffer while that has room.
    Usual,
    /// What has no room in the buffer is written behind it, so that the call waits for its own lines too.
    Whole,
    /// Past the buffer.
    Now,
}

impl Durable {
    /// `None`: nothing is ever synced.
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

    /// A call that writes `lines`.
    pub(super) fn begin_write(&mut self, lines: &[Line]) -> Way {
        self.renew_if_forked();
        let is_severe = self.sync_after.is_some_and(|least| lines.iter().any(|line| line.severity >= least));
        let waits = is_severe || self.level == Durability::Synced;
        self.call = Call { owes: is_severe || self.level.syncs(), waits, ..Call::default() };
        match (is_severe, waits) {
            (true, _) => Way::Now,
            (false, true) => Way::Whole,
            (false, false) => Way::Usual,
        }
    }

    /// A call that writes what lies in the buffer. A write before it that nobody has waited for yet is waited for with it.
    pub(super) fn begin_flush(&mut self) {
        self.renew_if_forked();
        let syncs = self.level.syncs();
        self.call = Call { owes: syncs, waits: syncs || self.call.waits, is_flush: true, since: None };
    }

    /// What became of the lines of `run`, which were `appended` to `open`. An error where a sync of that file has failed
    /// meanwhile: then none of them can be trusted.
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
        // What is promised nothing goes to the disk all the same before a later line that is, also from a file that was left.
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

    /// Before a file is left for another one: what was written to it is synced first. Whether that went well, those who wait
    /// for the lines are told.
    pub(super) fn retire(&self) {
        self.group.settle();
    }

    /// A sync of the file failed: it has to be opened anew.
    pub(super) fn distrusts(&self) -> bool {
        self.group.distrusts()
    }

    /// The file was opened anew.
    pub(super) fn opened(&self) {
        self.group.trust();
    }

    /// For [`Sink::commit`](crate::Sink::commit).
    pub(super) fn commit(&mut self) -> Option<Commit> {
        self.is_asked = true;
        self.ticket()
    }

    /// Waits for what the call has written, unless somebody else does.
    pub(super) fn settle(&mut self, deadline: Instant) -> Result<(), Error> {
        match self.is_asked {
            true => Ok(()),
            false => self.ticket().map_or(Ok(()), |commit| commit.wait(deadline)),
        }
    }

    /// As [`settle`](Self::settle), for the lines of a write, however long it takes.
    pub(super) fn settle_write(&mut self) -> Result<(), Error> {
        self.settle(deadline_in(Duration::MAX))
    }

    /// For the last flush of all.
    pub(super) fn settle_here(&mut self, deadline: Instant) -> Result<(), Error> {
        self.is_asked = false;
        self.settle(deadline)
    }

    /// Lines that are written, and whose promise is not kept yet. Those that are lost among them are so until somebody who
    /// asks for commits has asked for them too.
    pub(super) fn pending(&self) -> usize {
        let lost = if self.is_asked { 0 } else { self.group.lost() };
        self.group.pending().saturating_sub(lost)
    }

    /// For [`Sink::lost`](crate::Sink::lost).
    pub(super) fn lost(&mut self) -> usize {
        self.group.take_lost()
    }

    /// In a forked child: what was written is the parent's to sync.
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
        match (is_flush, since) {
            (true, _) => self.group.ticket_for_all(),
            (false, Some(since)) => self.group.ticket(since),
            (false, None) => None,
        }
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if self.process.is_current() {
            self.group.close();
        }
    }
}

/// Has a name in `dir`, new or changed, survive a loss of power.
///
/// # Errors
///
/// The directory cannot be opened, or synced.
#[cfg(unix)]
pub(super) fn made(dir: &Path) -> Result<(), Error> {
    let synced = std::fs::File::open(dir).and_then(|open| open.sync_all());
    synced.map_err(|error| super::cannot("sync directory", dir, error))
}

/// Elsewhere a directory cannot be synced, or need not be.
#[cfg(not(unix))]
pub(super) fn made(_: &Path) -> Result<(), Error> {
    Ok(())
}
