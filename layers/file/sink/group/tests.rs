use std::sync::mpsc;
use std::thread;

use super::*;
use crate::ErrorKind;
use crate::file::sink::commit::Commit;
use crate::until::{soon, until};

/// A disk whose syncs wait until the test lets them end, with or without an error.
struct Disk {
    group: Arc<Group>,
    window: Option<Duration>,
    owed: Arc<Owed>,
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
        let group = Arc::new(Group::with_sync(Path::new("app.log"), Box::new(sync)));
        Self { group, window, owed: Arc::default(), file: file(), begun, go }
    }

    /// Writes a line, and returns the commit its writer waits for.
    fn line(&self) -> Commit {
        let gathered = self.wrote(1, &self.file).unwrap();
        self.commit(self.ticket(gathered.round)).unwrap()
    }

    fn wrote(&self, lines: usize, file: &Arc<fs::File>) -> io::Result<Gathered> {
        self.group.wrote(&self.owed, lines, self.window, file)
    }

    fn ticket(&self, since: u64) -> Option<Ticket> {
        self.group.ticket(&self.owed, since)
    }

    fn ticket_for_all(&self) -> Option<Ticket> {
        self.group.ticket_for_all(&self.owed)
    }

    fn commit(&self, ticket: Option<Ticket>) -> Option<Commit> {
        ticket.map(|ticket| Commit::new(self.group.clone(), ticket))
    }

    fn tickets(&self) -> usize {
        lock(&self.group.state).gathered.shares.tickets()
    }
}

fn file() -> Arc<fs::File> {
    Arc::new(tempfile::tempfile().unwrap())
}

fn wait_in_thread(commit: Commit) -> thread::JoinHandle<Result<(), Error>> {
    thread::spawn(move || commit.wait(soon()))
}

fn eio() -> io::Result<()> {
    Err(io::Error::from_raw_os_error(5))
}

#[test]
fn lines_written_while_a_sync_runs_share_the_next_one() {
    let disk = Disk::new(None);
    let first = wait_in_thread(disk.line());
    disk.begun.recv().unwrap();
    let others: Vec<_> = (0..7).map(|_| wait_in_thread(disk.line())).collect();
    assert_eq!((disk.tickets(), disk.owed.pending()), (7, 8));

    disk.go.send(Ok(())).unwrap();
    first.join().unwrap().unwrap();
    disk.begun.recv().unwrap();
    assert_eq!(disk.owed.pending(), 7, "the first sync does not cover them");
    disk.go.send(Ok(())).unwrap();
    others.into_iter().for_each(|other| other.join().unwrap().unwrap());
    assert_eq!(disk.owed.pending(), 0);
    assert!(disk.begun.try_recv().is_err(), "two syncs for eight lines");
}

#[test]
fn a_failed_sync_also_loses_lines_written_meanwhile_and_every_waiting_thread_gets_the_error() {
    let disk = Disk::new(None);
    let first = wait_in_thread(disk.line());
    disk.begun.recv().unwrap();
    let second = wait_in_thread(disk.line());
    disk.go.send(eio()).unwrap();
    for waiting in [first, second] {
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(format!("{error:#}"), "cannot sync app.log: Input/output error (os error 5)");
        assert_eq!(error.handler(), Some("file app.log"));
    }
    assert!(disk.begun.try_recv().is_err(), "it is not retried");
    assert_eq!((disk.owed.pending(), disk.owed.take_lost(), disk.owed.pending()), (2, 2, 0));
    assert!(lock(&disk.group.state).failed.is_empty(), "nothing is kept for callers that have their error");
}

#[test]
fn a_writer_that_asks_after_its_sync_has_failed_leaves_the_error_of_another_one_alone() {
    let disk = Disk::new(None);
    let first = wait_in_thread(disk.line());
    disk.begun.recv().unwrap();
    let second = disk.line();
    let third = disk.wrote(1, &disk.file).unwrap().round;
    disk.go.send(eio()).unwrap();
    first.join().unwrap().unwrap_err();
    let third = disk.commit(disk.ticket(third)).unwrap();
    third.wait(soon()).unwrap_err();
    second.wait(soon()).unwrap_err();
    assert!(lock(&disk.group.state).failed.is_empty());
}

#[test]
fn after_a_failed_sync_lines_are_refused_until_the_file_is_opened_again() {
    let disk = Disk::new(None);
    disk.go.send(eio()).unwrap();
    disk.line().wait(soon()).unwrap_err();
    assert!(disk.group.distrusts());
    assert_eq!(disk.wrote(1, &disk.file).err().and_then(|error| error.raw_os_error()), Some(5));
    disk.group.trust();
    disk.go.send(Ok(())).unwrap();
    disk.line().wait(soon()).unwrap();
}

#[test]
fn lines_of_another_file_come_after_the_sync_of_the_previous_one() {
    let disk = Disk::new(None);
    let first = disk.line();
    disk.go.send(Ok(())).unwrap();
    disk.wrote(1, &file()).unwrap();
    assert_eq!((disk.begun.try_iter().count(), disk.owed.pending()), (1, 1));
    first.wait(Instant::now()).unwrap();
}

#[test]
fn a_call_that_began_before_a_failed_sync_of_the_file_it_left_gets_the_error() {
    let disk = Disk::new(None);
    let since = disk.wrote(1, &disk.file).unwrap().round;
    disk.go.send(eio()).unwrap();
    disk.group.settle();
    disk.group.trust();
    disk.wrote(1, &file()).unwrap();
    disk.go.send(Ok(())).unwrap();
    assert_eq!(disk.commit(disk.ticket(since)).unwrap().wait(soon()).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(disk.owed.take_lost(), 1);
}

#[test]
fn a_flush_makes_the_thread_sync_early_and_waits_for_it() {
    let disk = Disk::new(Some(Duration::from_secs(3600)));
    disk.wrote(3, &disk.file).unwrap();
    let flush = wait_in_thread(disk.commit(disk.ticket_for_all()).unwrap());
    disk.begun.recv().unwrap();
    assert!(!flush.is_finished());
    let late = disk.commit(disk.ticket_for_all()).unwrap();
    assert_eq!(late.wait(Instant::now()).unwrap_err().kind(), ErrorKind::Timeout);
    disk.go.send(Ok(())).unwrap();
    flush.join().unwrap().unwrap();
    assert!(disk.ticket_for_all().is_none(), "nothing to wait for");
    disk.group.close();
}

#[test]
fn the_thread_syncs_when_the_window_ends_and_a_later_flush_returns_a_failure_once() {
    let disk = Disk::new(Some(Duration::ZERO));
    disk.wrote(3, &disk.file).unwrap();
    disk.begun.recv().unwrap();
    disk.go.send(eio()).unwrap();
    until("the sync fails", || disk.owed.lost() > 0);
    disk.commit(disk.ticket_for_all()).unwrap().wait(soon()).unwrap_err();
    assert!(disk.ticket_for_all().is_none());
    disk.group.close();
}

#[test]
fn a_file_that_is_left_is_synced_even_if_no_line_requires_it() {
    let disk = Disk::new(None);
    disk.wrote(0, &disk.file).unwrap();
    disk.wrote(0, &disk.file).unwrap();
    assert!(disk.ticket_for_all().is_none(), "no caller waits for them");
    disk.go.send(Ok(())).unwrap();
    disk.wrote(1, &file()).unwrap();
    assert_eq!((disk.begun.try_iter().count(), disk.owed.pending()), (1, 1));
}

#[test]
fn a_caller_that_waits_for_a_thread_that_ends_syncs_itself() {
    let disk = Disk::new(Some(Duration::ZERO));
    disk.wrote(1, &disk.file).unwrap();
    disk.begun.recv().unwrap();
    let late = disk.line();
    let waiting = wait_in_thread(late);
    until("the caller waits", || lock(&disk.group.state).is_urgent);
    disk.group.close();
    disk.go.send(Ok(())).unwrap();
    disk.go.send(Ok(())).unwrap();
    waiting.join().unwrap().unwrap();
    assert_eq!(disk.owed.pending(), 0);
}

#[test]
fn a_ticket_dropped_without_waiting_keeps_nothing() {
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
