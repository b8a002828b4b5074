//! Group commit: one sync for several threads.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::cannot;
use super::commit::Commit;
use crate::Error;
use crate::selflog::{self, Health};
use crate::sync::{deadline_in, lock, wait, wait_timeout};

/// The state shared by the threads that wait for a sync of one file and the thread that syncs.
///
/// Written lines are collected in a round. A sync begins by closing the round: lines written from then on belong
/// to the next one, since the sync may have passed their place already. There is one sync at a time.
pub(super) struct Group {
    path: PathBuf,
    /// The name used in messages.
    name: String,
    sync: Box<SyncFile>,
    /// How long lines wait for others until the group's own thread syncs them. `None` if the waiting threads sync.
    window: Option<Duration>,
    /// Lines written and not on the disk, including lost ones until they are taken. Outside the mutex, since
    /// it is read in a forked child, where the mutex may be held by a thread that does not exist there.
    pending: AtomicUsize,
    lost: AtomicUsize,
    state: Mutex<State>,
    /// A round was settled.
    settled: Condvar,
    /// There is work for the thread.
    work: Condvar,
    health: Health,
}

type SyncFile = dyn Fn(&fs::File) -> io::Result<()> + Send + Sync;

#[derive(Default)]
struct State {
    /// The number of the current round.
    number: u64,
    gathered: Round,
    /// The round being synced, whose number is the previous one.
    syncing: Option<Round>,
    /// The failed rounds that threads still wait for.
    failed: Vec<FailedRound>,
    last_failure: Option<(u64, Failure)>,
    /// A failure that no thread waited for.
    unheard: Option<Failure>,
    /// A sync of the file failed: it must not be written to.
    is_distrusted: bool,
    /// The group's own thread.
    thread: Option<ThreadId>,
    told_threadless: bool,
    /// Another thread waits for the group's thread.
    is_urgent: bool,
    is_closed: bool,
    /// Lines whose failure is not reported yet.
    untold: usize,
}

/// Lines that one sync covers.
#[derive(Default)]
struct Round {
    lines: usize,
    /// How many callers wait for it.
    tickets: usize,
    file: Option<Arc<fs::File>>,
    due: Option<Instant>,
}

struct FailedRound {
    number: u64,
    tickets: usize,
    failure: Failure,
}

/// Why a sync failed. Copied, since each waiting caller gets an `io::Error`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    kind: io::ErrorKind,
    code: Option<i32>,
}

/// The outcome of [`Group::wrote`].
pub(super) struct Gathered {
    /// The round of the lines.
    pub(super) round: u64,
    /// There is no thread to sync them, so the caller has to.
    pub(super) is_alone: bool,
}

impl Group {
    pub(super) fn new(path: &Path, window: Option<Duration>) -> Self {
        Self::with_sync(path, window, Box::new(fs::File::sync_data))
    }

    fn with_sync(path: &Path, window: Option<Duration>, sync: Box<SyncFile>) -> Self {
        Self {
            path: path.to_owned(),
            name: format!("file {}", path.display()),
            sync,
            window,
            pending: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            // The round before the first one is settled.
            state: Mutex::new(State { number: 1, ..State::default() }),
            settled: Condvar::new(),
            work: Condvar::new(),
            health: Health::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn window(&self) -> Option<Duration> {
        self.window
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// The number of lost lines that were not taken yet.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Acquire)
    }

    /// Returns the number of lost lines, and resets it.
    pub(super) fn take_lost(&self) -> usize {
        let lost = self.lost.swap(0, Ordering::AcqRel);
        self.pending.fetch_sub(lost, Ordering::AcqRel);
        lost
    }

    /// Registers `lines` lines that were written to `file`; 0 for lines without a promise. Fails if a sync of that file has failed
    /// meanwhile, since the outcome of these lines is then unknown.
    pub(super) fn wrote(self: &Arc<Self>, lines: usize, file: &Arc<fs::File>) -> io::Result<Gathered> {
        let mut state = self.leave_other(lock(&self.state), file);
        if state.is_distrusted {
            let failure = state.last_failure.map_or(io::ErrorKind::Other.into(), |(_, failure)| failure.into());
            return Err(failure);
        }
        self.pending.fetch_add(lines, Ordering::AcqRel);
        state.gathered.lines += lines;
        state.gathered.file.get_or_insert_with(|| file.clone());
        let round = state.number;
        let woken = self.window.map_or(Ok(()), |window| self.wake_thread(&mut state, window));
        let is_news = woken.is_err() && !std::mem::replace(&mut state.told_threadless, true);
        drop(state);
        if let (Err(error), true) = (&woken, is_news) {
            selflog::tell(&format!("{}: cannot start a thread, each batch is synced by its call: {error}", self.name));
        }
        Ok(Gathered { round, is_alone: woken.is_err() })
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

    /// Returns a commit for the rounds from `since` on.
    pub(super) fn ticket(self: &Arc<Self>, since: u64) -> Option<Commit> {
        let state = lock(&self.state);
        let failed = state.last_failure.filter(|(number, _)| *number >= since).map(|(_, failure)| failure);
        self.ticket_of(state, failed)
    }

    /// Returns a commit for everything written so far.
    pub(super) fn ticket_for_all(self: &Arc<Self>) -> Option<Commit> {
        let mut state = lock(&self.state);
        let failed = state.unheard.take();
        self.ticket_of(state, failed)
    }

    fn ticket_of(self: &Arc<Self>, mut state: MutexGuard<'_, State>, failed: Option<Failure>) -> Option<Commit> {
        let before = state.number - 1;
        let (round, tickets) = match &mut *state {
            State { number, gathered, .. } if gathered.lines > 0 => (*number, Some(&mut gathered.tickets)),
            State { syncing: Some(syncing), .. } => (before, Some(&mut syncing.tickets)),
            _ if failed.is_none() => return None,
            _ => (before, None),
        };
        if let Some(tickets) = tickets {
            *tickets += 1;
        }
        Some(Commit::new(self.clone(), round, failed))
    }

    /// Waits until `round` is settled. Returns `false` if it is not by `deadline`.
    pub(super) fn wait(&self, round: u64, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        while !state.is_settled(round) {
            let left = deadline.saturating_duration_since(Instant::now());
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

    /// Ends the wait of one caller for `round`, and returns the failure of the round, if it failed.
    pub(super) fn give_back(&self, round: u64) -> Option<Failure> {
        let mut state = lock(&self.state);
        if let Some(place) = state.failed.iter().position(|failed| failed.number == round) {
            let FailedRound { tickets, failure, .. } = &mut state.failed[place];
            let failure = *failure;
            *tickets -= 1;
            if *tickets == 0 {
                state.failed.swap_remove(place);
            }
            return Some(failure);
        }
        let is_gathered = round == state.number;
        let tickets = match &mut *state {
            State { gathered, .. } if is_gathered => Some(&mut gathered.tickets),
            State { syncing: Some(syncing), number, .. } if round + 1 == *number => Some(&mut syncing.tickets),
            _ => None,
        };
        if let Some(tickets) = tickets {
            *tickets = tickets.saturating_sub(1);
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
    fn leave_other<'a>(&'a self, state: MutexGuard<'a, State>, file: &Arc<fs::File>) -> MutexGuard<'a, State> {
        match &state.gathered.file {
            Some(other) if !Arc::ptr_eq(other, file) => self.settle_all(state),
            _ => state,
        }
    }

    fn settle_all<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        loop {
            state = match &*state {
                State { syncing: Some(_), .. } => wait(&self.settled, state),
                State { gathered: Round { file: None, .. }, .. } => return state,
                _ => self.sync_round(state),
            };
        }
    }

    /// Closes the round and syncs it. Must not be called while another sync runs.
    fn sync_round<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (file, lines) = state.begin();
        drop(state);
        let synced = file.as_deref().map_or(Ok(()), &self.sync);
        drop(file);
        let failure = synced.err().map(|error| Failure { kind: error.kind(), code: error.raw_os_error() });
        let mut state = lock(&self.state);
        let lost = state.end(failure);
        match failure {
            None => drop(self.pending.fetch_sub(lines, Ordering::AcqRel)),
            Some(_) => drop(self.lost.fetch_add(lost, Ordering::AcqRel)),
        }
        state.untold += lost;
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
                let lines = std::mem::take(&mut lock(&self.state).untold);
                self.health.failed(&self.name, &self.error(failure), lines);
            }
        }
    }

    /// Makes the thread sync the current round within the window. Fails if there is no thread.
    fn wake_thread(self: &Arc<Self>, state: &mut State, window: Duration) -> io::Result<()> {
        if state.thread.is_none() {
            let group = self.clone();
            let spawned = thread::Builder::new().name("log-sync".to_owned()).spawn(move || group.work())?;
            state.thread = Some(spawned.thread().id());
        }
        if state.gathered.due.is_none() {
            state.gathered.due = Some(deadline_in(window));
            self.work.notify_one();
        }
        Ok(())
    }

    /// Runs the group's thread.
    fn work(&self) {
        let mut state = lock(&self.state);
        while !state.is_closed {
            let due = state.gathered.due;
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
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
        f.debug_struct("Group").field("path", &self.path).field("window", &self.window).finish_non_exhaustive()
    }
}

impl State {
    /// Whether there is another thread to wait for: the group's thread cannot wait for itself, if a report of a failure is logged.
    fn has_other_thread(&self) -> bool {
        self.thread.is_some_and(|group| group != thread::current().id())
    }

    fn is_settled(&self, round: u64) -> bool {
        round < self.number && !(self.syncing.is_some() && round + 1 == self.number)
    }

    /// Closes the current round, and returns the file to sync and the number of lines.
    fn begin(&mut self) -> (Option<Arc<fs::File>>, usize) {
        let round = std::mem::take(&mut self.gathered);
        let begun = (round.file.clone(), round.lines);
        self.syncing = Some(round);
        self.number += 1;
        self.is_urgent = false;
        begun
    }

    /// Ends a sync, and returns how many lines are lost. A failed sync also loses the lines collected in the meantime: the system
    /// may have tried, and failed, to write parts of them too.
    fn end(&mut self, failure: Option<Failure>) -> usize {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::ErrorKind;
    use crate::sync::deadline_in;

    /// A disk whose syncs wait until the test lets them end, with or without an error.
    struct Disk {
        group: Arc<Group>,
        file: Arc<fs::File>,
        begun: mpsc::Receiver<()>,
        go: mpsc::Sender<io::Result<()>>,
    }

    impl Disk {
        fn new(window: Option<Duration>) -> Self {
            let (begin, begun) = mpsc::channel();
            let (go, gone) = mpsc::channel();
            let gone = Mutex::new(gone);
            let sync = move |_: &fs::File| {
                let _ = begin.send(());
                lock(&gone).recv().unwrap_or(Ok(()))
            };
            let group = Arc::new(Group::with_sync(Path::new("app.log"), window, Box::new(sync)));
            Self { group, file: file(), begun, go }
        }

        /// Writes a line, and returns the commit its writer waits for.
        fn line(&self) -> Commit {
            let gathered = self.group.wrote(1, &self.file).unwrap();
            self.group.ticket(gathered.round).unwrap()
        }

        fn tickets(&self) -> usize {
            lock(&self.group.state).gathered.tickets
        }
    }

    fn file() -> Arc<fs::File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    fn wait_in_thread(commit: Commit) -> thread::JoinHandle<Result<(), Error>> {
        thread::spawn(move || commit.wait(far()))
    }

    fn far() -> Instant {
        deadline_in(Duration::from_secs(60))
    }

    fn eio() -> io::Result<()> {
        Err(io::Error::from_raw_os_error(5))
    }

    #[test]
    fn what_is_written_while_a_sync_runs_waits_for_the_next_one_together() {
        let disk = Disk::new(None);
        let first = wait_in_thread(disk.line());
        disk.begun.recv().unwrap();
        let others: Vec<_> = (0..7).map(|_| wait_in_thread(disk.line())).collect();
        assert_eq!((disk.tickets(), disk.group.pending()), (7, 8));

        disk.go.send(Ok(())).unwrap();
        first.join().unwrap().unwrap();
        disk.begun.recv().unwrap();
        assert_eq!(disk.group.pending(), 7, "the first sync does not cover them");
        disk.go.send(Ok(())).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap().unwrap());
        assert_eq!(disk.group.pending(), 0);
        assert!(disk.begun.try_recv().is_err(), "two syncs for eight lines");
    }

    #[test]
    fn a_failed_sync_takes_what_was_written_meanwhile_with_it_and_everyone_is_told() {
        let disk = Disk::new(None);
        let first = wait_in_thread(disk.line());
        disk.begun.recv().unwrap();
        let second = wait_in_thread(disk.line());
        disk.go.send(eio()).unwrap();
        for waiting in [first, second] {
            let error = waiting.join().unwrap().unwrap_err();
            assert_eq!(error.to_string(), "cannot sync app.log: Input/output error (os error 5)");
            assert_eq!(error.handler(), Some("file app.log"));
        }
        assert!(disk.begun.try_recv().is_err(), "nobody tries again");
        assert_eq!((disk.group.pending(), disk.group.take_lost(), disk.group.pending()), (2, 2, 0));
        assert!(lock(&disk.group.state).failed.is_empty(), "nothing is kept of those who have been told");
    }

    #[test]
    fn after_a_failed_sync_lines_are_refused_until_the_file_is_opened_anew() {
        let disk = Disk::new(None);
        disk.go.send(eio()).unwrap();
        disk.line().wait(far()).unwrap_err();
        assert!(disk.group.distrusts());
        assert_eq!(disk.group.wrote(1, &disk.file).err().and_then(|error| error.raw_os_error()), Some(5));
        disk.group.trust();
        disk.go.send(Ok(())).unwrap();
        disk.line().wait(far()).unwrap();
    }

    #[test]
    fn lines_of_another_file_come_after_the_sync_of_the_one_before() {
        let disk = Disk::new(None);
        let first = disk.line();
        disk.go.send(Ok(())).unwrap();
        disk.group.wrote(1, &file()).unwrap();
        assert_eq!((disk.begun.try_iter().count(), disk.group.pending()), (1, 1));
        first.wait(Instant::now()).unwrap();
    }

    #[test]
    fn a_call_that_began_before_a_failed_sync_of_the_file_it_left_is_told() {
        let disk = Disk::new(None);
        let since = disk.group.wrote(1, &disk.file).unwrap().round;
        disk.go.send(eio()).unwrap();
        disk.group.settle();
        disk.group.trust();
        disk.group.wrote(1, &file()).unwrap();
        disk.go.send(Ok(())).unwrap();
        assert_eq!(disk.group.ticket(since).unwrap().wait(far()).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(disk.group.take_lost(), 1);
    }

    #[test]
    fn a_flush_has_the_thread_sync_before_its_time_and_waits_for_it() {
        let disk = Disk::new(Some(Duration::from_secs(3600)));
        disk.group.wrote(3, &disk.file).unwrap();
        let flush = wait_in_thread(disk.group.ticket_for_all().unwrap());
        disk.begun.recv().unwrap();
        assert!(!flush.is_finished());
        let late = disk.group.ticket_for_all().unwrap();
        assert_eq!(late.wait(Instant::now()).unwrap_err().kind(), ErrorKind::Timeout);
        disk.go.send(Ok(())).unwrap();
        flush.join().unwrap().unwrap();
        assert!(disk.group.ticket_for_all().is_none(), "nothing to wait for");
        disk.group.close();
    }

    #[test]
    fn the_thread_syncs_when_the_time_is_up_and_a_later_flush_hears_of_a_failure_once() {
        let disk = Disk::new(Some(Duration::ZERO));
        disk.group.wrote(3, &disk.file).unwrap();
        disk.begun.recv().unwrap();
        disk.go.send(eio()).unwrap();
        while disk.group.lost() == 0 {
            thread::yield_now();
        }
        disk.group.ticket_for_all().unwrap().wait(far()).unwrap_err();
        assert!(disk.group.ticket_for_all().is_none());
        disk.group.close();
    }

    #[test]
    fn a_file_that_is_left_is_synced_also_where_its_lines_are_owed_nothing() {
        let disk = Disk::new(None);
        disk.group.wrote(0, &disk.file).unwrap();
        disk.group.wrote(0, &disk.file).unwrap();
        assert!(disk.group.ticket_for_all().is_none(), "nobody waits for them");
        disk.go.send(Ok(())).unwrap();
        disk.group.wrote(1, &file()).unwrap();
        assert_eq!((disk.begun.try_iter().count(), disk.group.pending()), (1, 1));
    }

    #[test]
    fn who_waits_for_a_thread_that_ends_syncs_by_himself() {
        let disk = Disk::new(Some(Duration::ZERO));
        disk.group.wrote(1, &disk.file).unwrap();
        disk.begun.recv().unwrap();
        let late = disk.line();
        let waiting = wait_in_thread(late);
        while !lock(&disk.group.state).is_urgent {
            thread::yield_now();
        }
        disk.group.close();
        disk.go.send(Ok(())).unwrap();
        disk.go.send(Ok(())).unwrap();
        waiting.join().unwrap().unwrap();
        assert_eq!(disk.group.pending(), 0);
    }

    #[test]
    fn a_ticket_that_nobody_waits_with_keeps_nothing() {
        let disk = Disk::new(None);
        drop(disk.line());
        assert_eq!(disk.tickets(), 0);
        let kept = disk.line();
        disk.go.send(eio()).unwrap();
        disk.group.settle();
        assert_eq!(lock(&disk.group.state).failed.len(), 1);
        drop(kept);
        assert!(lock(&disk.group.state).failed.is_empty());
    }
}
