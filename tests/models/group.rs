//! Group commit: no writer returns before its line is synced, no thread waits for ever, and a failed sync is reported to every writer it concerns.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use shuttle::thread;
use tracing_handlers::models::{Condvar, Disk, Mutex, Passing, check, choose, lock, now, sleep, wait};
use tracing_handlers::sink::Commit;
use tracing_handlers::{Error, ErrorKind};

use super::since;

const WINDOW: Duration = Duration::from_millis(5);
const FAR: Duration = Duration::from_secs(3_600);

#[test]
fn a_writer_returns_when_a_sync_that_began_after_its_line_has_ended() {
    check(Passing::Late, || {
        let pages = Pages::good();
        let (disk, start) = (pages.disk(None), now());
        let writers = [(); 3].map(|()| pages.write_in_thread(&disk, 2));
        assert_eq!(writers.map(|writer| writer.join().unwrap()), [0; 3], "no line fails");
        assert_eq!(since(start), Duration::ZERO, "each sync wakes the next one");
        assert!(disk.keeps_nothing());
        assert_eq!((disk.pending(), pages.count_synced()), (0, 6));
    });
}

#[test]
fn a_failed_sync_is_reported_to_every_writer_whose_line_it_concerns() {
    check(Passing::Late, || {
        let pages = Pages::flaky();
        let (disk, start) = (pages.disk(None), now());
        let writers = [(); 3].map(|()| pages.write_in_thread(&disk, 2));
        let failed: usize = writers.map(|writer| writer.join().unwrap()).iter().sum();
        assert_eq!(since(start), Duration::ZERO);
        assert!(disk.keeps_nothing());
        // A line that was refused before it was counted is not lost again.
        assert!(disk.take_lost() <= failed);
        assert_eq!(disk.pending(), 0);
    });
}

#[test]
fn a_file_that_is_rotated_is_synced_first_and_its_writers_learn_how() {
    check(Passing::Late, || {
        let pages = if choose(2) == 0 { Pages::good() } else { Pages::flaky() };
        let (disk, start) = (pages.disk(None), now());
        let writers = [(); 2].map(|()| pages.write_in_thread(&disk, 2));
        disk.rotate(|| assert!(pages.is_flaky || (1..=pages.written()).all(|line| pages.is_synced(line))));
        writers.into_iter().for_each(|writer| ignore(writer.join().unwrap()));
        assert_eq!(since(start), Duration::ZERO);
        assert!(disk.keeps_nothing());
        disk.take_lost();
        assert_eq!(disk.pending(), 0);
    });
}

#[test]
fn lines_of_a_file_that_is_replaced_are_synced_in_that_file() {
    check(Passing::Late, || {
        let pages = Pages::flaky();
        let (disk, start) = (pages.disk(choose_window()), now());
        let writers = [(); 3].map(|()| pages.write_in_thread(&disk, 1));
        disk.reopen();
        writers.into_iter().for_each(|writer| ignore(writer.join().unwrap()));
        assert_eq!(since(start), Duration::ZERO);
        assert!(disk.keeps_nothing());
        disk.close();
    });
}

fn choose_window() -> Option<Duration> {
    (choose(2) == 0).then_some(WINDOW)
}

#[test]
fn the_groups_thread_syncs_within_the_window_and_a_flush_at_once() {
    check(Passing::Late, || {
        let pages = Pages::good();
        let (disk, start) = (pages.disk(Some(WINDOW)), now());
        let writers = [(); 2].map(|()| {
            let (pages, disk) = (pages.clone(), disk.clone());
            thread::spawn(move || {
                drop(pages.line(&disk).unwrap().1);
                let written = pages.written();
                if choose(2) == 0 {
                    wait_for(disk.flush()).unwrap();
                    assert!((1..=written).all(|line| pages.is_synced(line)), "everything written before the flush");
                    assert_eq!(since(start), Duration::ZERO, "a flush does not wait for the window to end");
                }
            })
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        pages.await_synced(2);
        assert!(since(start) <= WINDOW, "{:?}", since(start));
        wait_for(disk.flush()).unwrap();
        assert_eq!(disk.pending(), 0);
        disk.close();
    });
}

#[test]
fn a_severe_line_does_not_wait_for_the_window_to_end() {
    check(Passing::Late, || {
        let pages = Pages::flaky();
        let (disk, start) = (pages.disk(Some(WINDOW)), now());
        let writers = [(); 3].map(|()| pages.write_in_thread(&disk, 1));
        writers.into_iter().for_each(|writer| ignore(writer.join().unwrap()));
        assert_eq!(since(start), Duration::ZERO);
        assert!(disk.keeps_nothing());
        disk.close();
    });
}

#[test]
fn writers_whose_thread_ends_sync_themselves() {
    check(Passing::Late, || {
        let pages = Pages::flaky();
        let (disk, start) = (pages.disk(Some(WINDOW)), now());
        let writers = [(); 2].map(|()| pages.write_in_thread(&disk, 1));
        disk.close();
        writers.into_iter().for_each(|writer| ignore(writer.join().unwrap()));
        assert_eq!(since(start), Duration::ZERO);
        assert!(disk.keeps_nothing());
    });
}

#[test]
fn a_flush_returns_a_failure_that_no_writer_waited_for() {
    check(Passing::Late, || {
        let pages = Pages::flaky();
        let disk = pages.disk(Some(WINDOW));
        let (line, commit) = pages.line(&disk).unwrap();
        let leaving = thread::spawn(|| drop(commit));
        // The flush comes before, during or after the sync by the group's thread.
        sleep(WINDOW * choose(3) as u32);
        let flushed = wait_for(disk.flush());
        assert_eq!(flushed.is_ok(), pages.is_synced(line));
        leaving.join().unwrap();
        assert!(disk.keeps_nothing());
        disk.close();
    });
}

#[test]
fn a_writer_gives_up_at_its_deadline_and_leaves_nothing_behind() {
    check(Passing::Late, || {
        let pages = Pages { slowness: Duration::from_secs(10), ..Pages::flaky() };
        let (disk, start) = (pages.disk(None), now());
        let syncing = pages.write_in_thread(&disk, 1);
        let late = pages.clone();
        let (disk, late) = (disk.clone(), {
            let disk = disk.clone();
            thread::spawn(move || {
                if let Ok((_, Some(commit))) = late.line(&disk) {
                    let (before, waited) = (now(), commit.wait(now() + Duration::from_secs(1)));
                    if waited.is_err_and(|error| error.kind() == ErrorKind::Timeout)
                        && !before.duration_since(start).is_zero()
                    {
                        assert!(since(before) >= Duration::from_secs(1));
                    }
                }
            })
        });
        late.join().unwrap();
        syncing.join().unwrap();
        wait_for(disk.flush()).ok();
        assert!(disk.keeps_nothing());
    });
}

#[test]
fn on_a_busy_machine_every_line_is_synced_or_reported() {
    check(Passing::Anytime, || {
        let pages = Pages::flaky();
        let disk = pages.disk(Some(WINDOW));
        let writers = [(); 2].map(|()| pages.write_in_thread(&disk, 2));
        wait_for(disk.flush()).ok();
        writers.into_iter().for_each(|writer| ignore(writer.join().unwrap()));
        assert!(disk.keeps_nothing());
        disk.close();
    });
}

/// What a system does with written lines: a sync puts those on the disk that were written before it began. If it fails, they are
/// gone, and the next sync does not say so.
#[derive(Clone)]
struct Pages {
    lines: Arc<Mutex<Lines>>,
    changed: Arc<Condvar>,
    /// Some syncs fail.
    is_flaky: bool,
    /// How long a sync takes.
    slowness: Duration,
}

#[derive(Default)]
struct Lines {
    written: u64,
    dirty: BTreeSet<(RawFd, u64)>,
    synced: BTreeSet<u64>,
}

impl Lines {
    fn take_dirty(&mut self, file: RawFd) -> BTreeSet<(RawFd, u64)> {
        let (dirty, others) = std::mem::take(&mut self.dirty).into_iter().partition(|(of, _)| *of == file);
        self.dirty = others;
        dirty
    }
}

impl Pages {
    fn good() -> Self {
        let (lines, changed) = Default::default();
        Self { lines, changed, is_flaky: false, slowness: Duration::ZERO }
    }

    fn flaky() -> Self {
        Self { is_flaky: true, ..Self::good() }
    }

    fn disk(&self, window: Option<Duration>) -> Arc<Disk> {
        let pages = self.clone();
        Arc::new(Disk::new(window, move |file| pages.sync(file)))
    }

    /// Writes a line, and returns its number and what its writer waits for.
    fn line(&self, disk: &Disk) -> io::Result<(u64, Option<Commit>)> {
        let mut number = 0;
        let commit = disk.line(|file| {
            let mut lines = lock(&*self.lines);
            lines.written += 1;
            number = lines.written;
            lines.dirty.insert((file, number));
        })?;
        Ok((number, commit))
    }

    /// Writes lines and waits for each. Returns how many failed.
    fn write_in_thread(&self, disk: &Arc<Disk>, count: usize) -> thread::JoinHandle<usize> {
        let (pages, disk) = (self.clone(), disk.clone());
        thread::spawn(move || (0..count).filter(|_| !pages.write(&disk)).count())
    }

    /// Writes a line and waits for it. Returns whether it is on the disk.
    fn write(&self, disk: &Disk) -> bool {
        let Ok((line, commit)) = self.line(disk) else { return false };
        let waited = wait_for(commit);
        assert!(waited.is_err() || self.is_synced(line), "line {line} was promised");
        waited.is_ok()
    }

    fn sync(&self, file: RawFd) -> io::Result<()> {
        let dirty = lock(&*self.lines).take_dirty(file);
        if !self.slowness.is_zero() {
            sleep(self.slowness);
        }
        if self.is_flaky && choose(3) == 0 {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        lock(&*self.lines).synced.extend(dirty.into_iter().map(|(_, number)| number));
        self.changed.notify_all();
        Ok(())
    }

    fn is_synced(&self, line: u64) -> bool {
        lock(&*self.lines).synced.contains(&line)
    }

    fn count_synced(&self) -> usize {
        lock(&*self.lines).synced.len()
    }

    fn written(&self) -> u64 {
        lock(&*self.lines).written
    }

    fn await_synced(&self, count: usize) {
        let mut lines = lock(&*self.lines);
        while lines.synced.len() < count {
            lines = wait(&self.changed, lines);
        }
    }
}

fn wait_for(commit: Option<Commit>) -> Result<(), Error> {
    commit.map_or(Ok(()), |commit| commit.wait(now() + FAR))
}

fn ignore(_failed: usize) {}
