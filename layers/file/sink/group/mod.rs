//! Group commit: one sync for several threads.

#[cfg(tracing_handlers_models)]
#[path = "../../../../tests/models/disk.rs"]
mod disk;
mod failure;
mod owed;
mod rounds;
#[cfg(test)]
mod tests;

#[cfg(tracing_handlers_models)]
pub use disk::Disk;
pub(super) use failure::Failure;
pub(super) use owed::Owed;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::place::cannot;
use crate::selflog::{self, Health};
use crate::sync::{Condvar, Mutex, MutexGuard, deadline_in, lock, now, wait, wait_timeout};
use crate::{Error, threads};
use rounds::{FailedRound, Round, Rounds};

/// The state shared by the threads that wait for a sync of one file and the thread that syncs.
///
/// Written lines are collected in a round. A sync begins by closing the round: lines written from then on belong
/// to the next one, since the sync may have passed their place already. There is one sync at a time.
///
/// All handlers of a file share its group, since a failed sync concerns the lines of all of them, and the system reports it only
/// once.
pub(super) struct Group {
    path: PathBuf,
    /// The name used in messages.
    name: String,
    sync: Box<SyncFile>,
    state: Mutex<Rounds>,
    /// A round was settled.
    settled: Condvar,
    /// There is work for the thread.
    work: Condvar,
    health: Health,
}

type SyncFile = dyn Fn(&fs::File) -> io::Result<()> + Send + Sync;

/// A claim to wait for a round.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) round: u64,
    /// Whose lines are waited for.
    pub(super) owed: Arc<Owed>,
    /// Whether the round counts it, so that it has to be given back. Not if the round was settled before: giving it back
    /// would take the error of that round from a caller that is counted.
    pub(super) is_counted: bool,
    /// A failure that is already known.
    pub(super) failed: Option<Failure>,
}

/// The outcome of [`Group::wrote`].
pub(super) struct Gathered {
    /// The round of the lines.
    pub(super) round: u64,
    /// There is no thread to sync them, so the caller has to.
    pub(super) is_alone: bool,
}

impl Group {
    pub(super) fn new(path: &Path) -> Self {
        Self::with_sync(path, Box::new(fs::File::sync_data))
    }

    fn with_sync(path: &Path, sync: Box<SyncFile>) -> Self {
        Self {
            path: path.to_owned(),
            name: format!("file {}", path.display()),
            sync,
            // The round before the first one is settled.
            state: Mutex::new(Rounds { number: 1, ..Rounds::default() }),
            settled: Condvar::new(),
            work: Condvar::new(),
            health: Health::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Registers `lines` lines of `owed` that were written to `file`. They wait for others for the time `window` until the group's
    /// own thread syncs them; without one, the waiting threads sync. Fails if a sync of that file has failed meanwhile, since the
    /// outcome of these lines is then unknown.
    pub(super) fn wrote(
        self: &Arc<Self>,
        owed: &Arc<Owed>,
        lines: usize,
        window: Option<Duration>,
        file: &Arc<fs::File>,
    ) -> io::Result<Gathered> {
        let mut state = self.leave_other(lock(&self.state), file);
        if state.is_distrusted {
            let failure = state.last_failure.map_or(io::ErrorKind::Other.into(), Failure::into);
            return Err(failure);
        }
        if lines > 0 {
            state.gathered.shares.add(owed, lines);
        }
        state.gathered.file.get_or_insert_with(|| file.clone());
        let round = state.number;
        let woken = window.map_or(Ok(()), |window| self.wake_thread(&mut state, window));
        let is_news = woken.is_err() && !std::mem::replace(&mut state.reported_threadless, true);
        drop(state);
        if let (Err(error), true) = (&woken, is_news) {
            selflog::tell(&format!(
                "{}: cannot start a thread, each batch is synced by its call: {error:#}",
                self.name
            ));
        }
        Ok(Gathered { round, is_alone: woken.is_err() })
    }

    /// Registers that lines without a promise were written to `file`: later lines with one may go to another file, which must not be
    /// on the disk without this one.
    pub(super) fn passed(&self, file: &Arc<fs::File>) {
        let mut state = self.leave_other(lock(&self.state), file);
        state.gathered.file.get_or_insert_with(|| file.clone());
    }

    /// Syncs everything written so far.
    pub(super) fn settle(&self) {
        drop(self.settle_all(lock(&self.state)));
    }

    /// Whether a sync of the file has failed.
    pub(super) fn distrusts(&self) -> bool {
        lock(&self.state).is_distrusted
    }

    /// Called when lines go to a new file from now on.
    pub(super) fn trust(&self) {
        lock(&self.state).is_distrusted = false;
    }

    /// Returns a ticket for the lines of `owed` in the rounds from `since` on.
    pub(super) fn ticket(&self, owed: &Arc<Owed>, since: u64) -> Option<Ticket> {
        let state = lock(&self.state);
        let failed = owed.failure_since(since);
        Self::ticket_of(state, owed, failed)
    }

    /// Returns a ticket for all lines of `owed` so far.
    pub(super) fn ticket_for_all(&self, owed: &Arc<Owed>) -> Option<Ticket> {
        let state = lock(&self.state);
        let failed = owed.take_unheard();
        Self::ticket_of(state, owed, failed)
    }

    fn ticket_of(mut state: MutexGuard<'_, Rounds>, owed: &Arc<Owed>, failed: Option<Failure>) -> Option<Ticket> {
        let before = state.number - 1;
        let (round, is_counted) = match state.round_of(owed) {
            Some((round, shares)) => {
                shares.add_ticket(owed);
                (round, true)
            }
            None if failed.is_none() => return None,
            None => (before, false),
        };
        Some(Ticket { round, owed: owed.clone(), is_counted, failed })
    }

    /// Waits until `round` is settled. Returns `false` if it is not by `deadline`.
    pub(super) fn wait(&self, round: u64, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        while !state.is_settled(round) {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return false;
            }
            let has_thread = state.has_other_thread();
            if state.syncing.is_none() && !has_thread {
                state = self.sync_round(state);
                continue;
            }
            if has_thread && round == state.number && !std::mem::replace(&mut state.is_urgent, true) {
                self.work.notify_one();
            }
            state = wait_timeout(&self.settled, state, left);
        }
        true
    }

    /// Ends the wait of one caller, and returns the failure of its round, if that failed.
    pub(super) fn give_back(&self, ticket: &Ticket) -> Option<Failure> {
        let mut state = lock(&self.state);
        if let Some(place) = state.failed.iter().position(|failed| failed.number == ticket.round) {
            let FailedRound { tickets, failure, .. } = &mut state.failed[place];
            let failure = *failure;
            *tickets -= 1;
            if *tickets == 0 {
                state.failed.swap_remove(place);
            }
            return Some(failure);
        }
        if let Some(shares) = state.shares_of(ticket.round) {
            shares.remove_ticket(&ticket.owed);
        }
        None
    }

    pub(super) fn error(&self, failure: Failure) -> Error {
        cannot("sync", &self.path, failure.into()).with_handler(&*self.name)
    }

    /// Called when nothing more will be written.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.work.notify_one();
    }

    /// Settles the lines of another file before those of `file` are collected.
    fn leave_other<'a>(&'a self, state: MutexGuard<'a, Rounds>, file: &Arc<fs::File>) -> MutexGuard<'a, Rounds> {
        match &state.gathered.file {
            Some(other) if !Arc::ptr_eq(other, file) => self.settle_all(state),
            _ => state,
        }
    }

    fn settle_all<'a>(&'a self, mut state: MutexGuard<'a, Rounds>) -> MutexGuard<'a, Rounds> {
        loop {
            state = match &*state {
                Rounds { syncing: Some(_), .. } => wait(&self.settled, state),
                Rounds { gathered: Round { file: None, .. }, .. } => return state,
                _ => self.sync_round(state),
            };
        }
    }

    /// Closes the round and syncs it. Must not be called while another sync runs.
    fn sync_round<'a>(&'a self, mut state: MutexGuard<'a, Rounds>) -> MutexGuard<'a, Rounds> {
        let file = state.begin();
        drop(state);
        let synced = file.as_deref().map_or(Ok(()), &self.sync);
        drop(file);
        let failure = synced.err().map(|error| Failure { kind: error.kind(), code: error.raw_os_error() });
        let mut state = lock(&self.state);
        state.unreported += state.end(failure);
        drop(state);
        // Reported before the waiting threads continue, perhaps to the end of the process.
        self.tell(failure);
        self.settled.notify_all();
        lock(&self.state)
    }

    /// Reports without the state's lock: the closure that receives the report may do anything, even log.
    fn tell(&self, failure: Option<Failure>) {
        match failure {
            None => self.health.works(&self.name),
            Some(failure) => {
                let lines = std::mem::take(&mut lock(&self.state).unreported);
                self.health.failed(&self.name, &self.error(failure), lines);
            }
        }
    }

    /// Makes the thread sync the current round within the window. Fails if there is no thread.
    fn wake_thread(self: &Arc<Self>, state: &mut Rounds, window: Duration) -> io::Result<()> {
        if state.thread.is_none() {
            let group = self.clone();
            let spawned = threads::start("log-sync", move || group.work())?;
            state.thread = Some(spawned.thread().id());
        }
        let due = deadline_in(window);
        if state.gathered.due.is_none_or(|known| due < known) {
            state.gathered.due = Some(due);
            self.work.notify_one();
        }
        Ok(())
    }

    /// Runs the group's thread.
    fn work(&self) {
        let mut state = lock(&self.state);
        while !state.is_closed {
            let due = state.gathered.due;
            let left = due.map(|due| due.saturating_duration_since(now()));
            state = match left {
                _ if state.syncing.is_some() => wait(&self.settled, state),
                None => wait(&self.work, state),
                Some(left) if !state.is_urgent && !left.is_zero() => wait_timeout(&self.work, state, left),
                Some(_) => self.sync_round(state),
            };
        }
        state.thread = None;
        drop(state);
        // Callers that still wait for it sync themselves.
        self.settled.notify_all();
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("path", &self.path).finish_non_exhaustive()
    }
}
