//! A thread for writes that may wait for longer than the caller.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::FORKS;
#[cfg(unix)]
use super::descriptor;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, now, wait, wait_timeout};
use crate::threads;

/// A thread that writes one piece after another. A piece that it has been given cannot be taken back.
pub(super) struct Helper {
    shared: Arc<Shared>,
    /// How often the process that the thread lives in had been forked.
    forks: u64,
}

struct Shared {
    job: Mutex<Job>,
    /// The thread waits here for a piece,
    work: Condvar,
    /// and the caller for its end.
    done: Condvar,
}

#[derive(Default)]
struct Job {
    bytes: Vec<u8>,
    /// The length of the piece that is being written; 0: none.
    in_flight: usize,
    error: Option<io::Error>,
    is_closed: bool,
}

impl Helper {
    /// Starts the thread `log-NAME`, which writes to `descriptor`.
    pub(super) fn start(name: &str, descriptor: i32) -> io::Result<Self> {
        let shared = Arc::new(Shared { job: Mutex::new(Job::default()), work: Condvar::new(), done: Condvar::new() });
        let own = shared.clone();
        // A program that blocks them wants to see the error of the write instead.
        let signals = threads::unblocked(SIGNALS);
        threads::start_for(&signals, format!("log-{name}"), move || own.serve(descriptor))?;
        Ok(Self { shared, forks: FORKS.load(Ordering::Relaxed) })
    }

    /// Whether the thread exists. It does not in a forked child.
    pub(super) fn is_alive(&self) -> bool {
        self.forks == FORKS.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> usize {
        if self.is_alive() { lock(&self.shared.job).in_flight } else { 0 }
    }

    /// Whether the thread is free by `deadline`.
    pub(super) fn is_free_by(&self, deadline: Option<Instant>) -> bool {
        self.wait(lock(&self.shared.job), deadline).in_flight == 0
    }

    /// Has the thread, which is free, write `bytes`. Returns whether it has done so by `deadline`; otherwise they are
    /// [in flight](Self::in_flight).
    pub(super) fn write(&mut self, bytes: &[u8], deadline: Option<Instant>) -> io::Result<bool> {
        let mut job = lock(&self.shared.job);
        job.bytes.clear();
        job.bytes.extend_from_slice(bytes);
        job.in_flight = bytes.len();
        self.shared.work.notify_one();
        let mut job = self.wait(job, deadline);
        match job.error.take() {
            Some(error) => Err(error),
            None => Ok(job.in_flight == 0),
        }
    }

    pub(super) fn error(&self) -> Option<io::ErrorKind> {
        if self.is_alive() { lock(&self.shared.job).error.as_ref().map(io::Error::kind) } else { None }
    }

    /// The error of a piece that was in flight, once.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        if self.is_alive() { lock(&self.shared.job).error.take() } else { None }
    }

    fn wait<'a>(&'a self, mut job: MutexGuard<'a, Job>, deadline: Option<Instant>) -> MutexGuard<'a, Job> {
        while job.in_flight > 0 {
            job = match deadline.map(|deadline| deadline.saturating_duration_since(now())) {
                Some(left) if left.is_zero() => break,
                Some(left) => wait_timeout(&self.shared.done, job, left),
                None => wait(&self.shared.done, job),
            };
        }
        job
    }
}

/// Does not wait for the thread, which ends after its piece.
impl Drop for Helper {
    fn drop(&mut self) {
        if self.is_alive() {
            lock(&self.shared.job).is_closed = true;
            self.shared.work.notify_one();
        }
    }
}

/// Takes no lock.
impl fmt::Debug for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helper").field("forks", &self.forks).finish_non_exhaustive()
    }
}

impl Shared {
    fn serve(&self, descriptor: i32) {
        let mut job = lock(&self.job);
        loop {
            if job.in_flight > 0 {
                let bytes = std::mem::take(&mut job.bytes);
                drop(job);
                let written = write_all(descriptor, &bytes);
                job = lock(&self.job);
                job.bytes = bytes;
                job.in_flight = 0;
                job.error = written.err();
                self.done.notify_all();
            } else if job.is_closed {
                return;
            } else {
                job = wait(&self.work, job);
            }
        }
    }
}

/// Those that a write causes: a process that is to be stopped or ended by them still is.
#[cfg(unix)]
const SIGNALS: &[i32] = &[libc::SIGTTOU, libc::SIGPIPE];
#[cfg(not(unix))]
const SIGNALS: &[i32] = &[];

#[cfg(unix)]
fn write_all(number: i32, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match descriptor::write(number, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                descriptor::wait_until_writable(number, None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Never called: elsewhere the caller writes.
#[cfg(not(unix))]
fn write_all(_: i32, _: &[u8]) -> io::Result<()> {
    Ok(())
}
