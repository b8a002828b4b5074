//! A background thread for work that no logging thread should wait for: compressing, removing old files, syncing
//! directories.
//!
//! The thread starts with the first job, ends after some seconds without one, and starts again on demand. A forked child does not
//! inherit it: waiting jobs belong to the parent, and the child's first job starts a new thread. The exit of the process waits for
//! it within the [exit timeout](crate::process::set_exit_timeout); unfinished work is found, and done, when the file is opened next.
//!
//! A job must not log. If it panics, [`log_panics`](crate::process::log_panics) does not record the panic, since the job may
//! hold a lock of the very file that the record would go to.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::process::{Generation, Lifecycle, Live, Phase, Shelf, is_exiting, thread};
use crate::sync::{Condvar, deadline_in, lock, lock_until, wait_timeout};
use crate::{Error, selflog, threads};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Waits until all pending background work of rotations is done: compressing archives, and removing those beyond their limits.
/// Returns whether it was done within `timeout`.
///
/// Calling it is optional: the exit of the process waits too, within the [exit timeout](crate::process::set_exit_timeout), and what
/// is unfinished then is done when the file is opened next. For tests, and for programs that pass archives on.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::rotation;
///
/// assert!(rotation::settle(Duration::from_secs(5)), "there was nothing to do");
/// ```
pub fn settle(timeout: Duration) -> bool {
    of_process().settle(deadline_in(timeout))
}

/// Runs `job` on the background thread. Replaces a waiting job with the same `what` for the same file, so that each file has at
/// most one waiting and one running job of a kind, however often it changes.
pub(crate) fn submit(what: &'static str, file: &Path, job: Job) {
    of_process().submit(what, file, job);
}

/// Whether the current thread is the background thread.
pub(crate) fn is_this_thread() -> bool {
    thread::is_keeper()
}

/// The worker of the process. Created without a lock: a fork at that moment would leave it locked in the child.
fn of_process() -> Arc<Lifecycle<Worker>> {
    static WORKER: ArcSwapOption<Lifecycle<Worker>> = ArcSwapOption::const_empty();
    if let Some(worker) = WORKER.load_full() {
        return worker;
    }
    let made = Arc::new(worker(Duration::from_secs(5)));
    let before = WORKER.compare_and_swap(&None::<Arc<_>>, Some(made.clone()));
    before.as_ref().map_or(made, Arc::clone)
}

fn worker(linger: Duration) -> Lifecycle<Worker> {
    Lifecycle::new(Worker::KIND, Worker { work: Condvar::new(), done: Condvar::new(), linger }, JobQueue::default())
}

struct Worker {
    /// Where the background thread waits for jobs.
    work: Condvar,
    /// Where settling threads wait for the background thread.
    done: Condvar,
    /// How long the background thread waits for another job before it ends.
    linger: Duration,
}

#[derive(Default)]
struct JobQueue {
    waiting: VecDeque<Waiting>,
    /// The number of the running job.
    running: Option<u64>,
    /// The number of jobs submitted.
    submitted: u64,
    thread_lives: bool,
    /// The thread could not be started, and this was reported.
    reported: bool,
}

struct Waiting {
    number: u64,
    what: &'static str,
    file: PathBuf,
    job: Job,
}

impl Lifecycle<Worker> {
    fn submit(&self, what: &'static str, file: &Path, job: Job) {
        let mut jobs = lock(&self.start().state);
        let replaced = jobs.add(what, file, job);
        self.start_thread(&mut jobs);
        drop(jobs);
        self.work.notify_one();
        // Outside the lock: dropping the job may take other locks.
        drop(replaced);
    }

    fn settle(&self, deadline: Instant) -> bool {
        let Some(mut jobs) = lock_until(&self.state, deadline) else { return false };
        let last = jobs.submitted;
        loop {
            if jobs.is_done(last) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // A job that settled would wait for itself.
            if left.is_zero() || is_this_thread() {
                return false;
            }
            self.start_thread(&mut jobs);
            jobs = wait_timeout(&self.done, jobs, left.min(LOOK));
        }
    }

    /// If the thread cannot be started, the jobs wait until the next attempt.
    fn start_thread(&self, jobs: &mut JobQueue) {
        if jobs.thread_lives || jobs.waiting.is_empty() {
            return;
        }
        let process = Generation::current();
        let worker = self.start().clone();
        let spawned = threads::start("log-files", move || worker.run(process));
        jobs.thread_lives = spawned.is_ok();
        let reported = std::mem::replace(&mut jobs.reported, spawned.is_err());
        if let (Err(error), false) = (spawned, reported) {
            selflog::tell(&format!(
                "rotation: cannot start a thread; old files are neither compressed nor removed: {error}"
            ));
        }
    }
}

impl Shelf<Worker> {
    fn run(&self, process: Generation) {
        thread::become_keeper();
        be_nice();
        while let Some(job) = self.take(process) {
            // The panic hook has reported a job that panics.
            let _ = catch_unwind(AssertUnwindSafe(job));
            self.finish(process);
        }
    }

    /// Returns `None` if there was no job for a while, or if this is a forked child.
    fn take(&self, process: Generation) -> Option<Job> {
        let until = Instant::now() + self.linger;
        let mut jobs = lock(&self.state);
        loop {
            if !process.is_current() {
                return None;
            }
            if let Some(next) = jobs.waiting.pop_front() {
                jobs.running = Some(next.number);
                return Some(next.job);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                jobs.thread_lives = false;
                return None;
            }
            jobs = wait_timeout(&self.work, jobs, left);
        }
    }

    /// Waits until the thread has no more jobs.
    fn wait_until_idle(&self, deadline: Instant) {
        let Some(mut jobs) = lock_until(&self.state, deadline) else { return };
        let last = jobs.submitted;
        while jobs.thread_lives && !jobs.is_done(last) && !is_this_thread() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            jobs = wait_timeout(&self.done, jobs, left);
        }
    }

    fn finish(&self, process: Generation) {
        let mut jobs = lock(&self.state);
        if process.is_current() {
            jobs.running = None;
        }
        drop(jobs);
        self.done.notify_all();
    }
}

impl JobQueue {
    /// Returns the job that was replaced, whose place in the queue the new one takes.
    fn add(&mut self, what: &'static str, file: &Path, job: Job) -> Option<Job> {
        let same = self.waiting.iter_mut().find(|waiting| waiting.what == what && waiting.file == file);
        if let Some(waiting) = same {
            return Some(std::mem::replace(&mut waiting.job, job));
        }
        self.submitted += 1;
        self.waiting.push_back(Waiting { number: self.submitted, what, file: file.to_owned(), job });
        None
    }

    /// Whether all jobs up to number `last` are done: they run in order.
    fn is_done(&self, last: u64) -> bool {
        let first = self.running.or(self.waiting.front().map(|waiting| waiting.number));
        first.is_none_or(|first| first > last)
    }
}

/// The lock is held only briefly, never while a job runs.
impl Live for Worker {
    type Guarded = JobQueue;
    const KIND: &'static str = "background work on old files";
    const PHASE: Phase = Phase::Locks;

    /// Only the exit waits for the jobs: a program that runs for a short time would never compress and remove anything.
    fn flush(worker: &Shelf<Self>, deadline: Instant) -> Result<(), Error> {
        if is_exiting() {
            worker.wait_until_idle(deadline);
        }
        Ok(())
    }

    fn forget_pending(&self, jobs: &mut JobQueue) {
        // Not dropped: dropping a job may need a lock whose holder does not exist here.
        jobs.waiting.drain(..).for_each(std::mem::forget);
        jobs.running = None;
        jobs.thread_lives = false;
    }
}

/// On Linux each thread has its own nice value; elsewhere it belongs to the process, and is left unchanged.
#[cfg(target_os = "linux")]
fn be_nice() {
    // SAFETY: these calls take only numbers. Without permission they fail and do nothing.
    unsafe {
        let thread = libc::syscall(libc::SYS_gettid) as libc::id_t;
        // A process that is already nicer stays so.
        if libc::getpriority(libc::PRIO_PROCESS, thread) < NICE {
            libc::setpriority(libc::PRIO_PROCESS, thread, NICE);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn be_nice() {}

#[cfg(target_os = "linux")]
const NICE: libc::c_int = 10;

/// How often a settling thread retries to start the background thread.
const LOOK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::until::{soon, until};

    fn worker(linger: Duration) -> &'static Lifecycle<Worker> {
        Box::leak(Box::new(super::worker(linger)))
    }

    const LINGER: Duration = Duration::from_secs(60);

    #[test]
    fn jobs_run_in_order_on_another_thread() {
        let worker = worker(LINGER);
        let (sender, done) = mpsc::channel();
        for file in ["a", "b", "c"] {
            let sender = sender.clone();
            let job = move || sender.send((file, is_this_thread())).unwrap();
            worker.submit("test", Path::new(file), Box::new(job));
        }
        assert!(worker.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [("a", true), ("b", true), ("c", true)]);
        assert!(!is_this_thread());
    }

    #[test]
    fn of_several_waiting_jobs_of_one_kind_only_the_last_runs() {
        let worker = worker(LINGER);
        let (go, wait) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        worker.submit("block", Path::new("a"), Box::new(move || _ = wait.recv()));
        for number in 0..100 {
            for what in ["pack", "prune"] {
                let sender = sender.clone();
                worker.submit(what, Path::new("a"), Box::new(move || sender.send((what, number)).unwrap()));
            }
        }
        assert!(!worker.settle(Instant::now()), "the first job is not done");
        assert!(lock(&worker.state).waiting.len() <= 3);
        go.send(()).unwrap();
        assert!(worker.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [("pack", 99), ("prune", 99)]);
    }

    #[test]
    fn jobs_submitted_later_are_not_waited_for() {
        let worker = worker(LINGER);
        let (sender, done) = mpsc::channel();
        worker.submit("first", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
        let last = lock(&worker.state).submitted;
        let (_go, wait) = mpsc::channel::<()>();
        worker.submit("never ends", Path::new("a"), Box::new(move || _ = wait.recv()));
        until("the first job is done", || lock(&worker.state).is_done(last));
        done.try_recv().unwrap();
        assert!(!lock(&worker.state).is_done(last + 1));
    }

    #[test]
    fn a_panic_in_a_job_does_not_affect_others() {
        let worker = worker(LINGER);
        let (sender, done) = mpsc::channel();
        worker.submit("panic", Path::new("a"), Box::new(|| panic!("on purpose")));
        worker.submit("go on", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
        assert!(worker.settle(soon()));
        done.try_recv().unwrap();
    }

    #[test]
    fn a_job_may_submit_another_but_does_not_wait_for_itself() {
        let worker = worker(LINGER);
        let (sender, done) = mpsc::channel();
        let job = move || {
            let settled = worker.settle(soon());
            worker.submit("inner", Path::new("a"), Box::new(move || sender.send(settled).unwrap()));
        };
        worker.submit("outer", Path::new("a"), Box::new(job));
        assert!(!done.recv().unwrap());
        assert!(worker.settle(soon()));
    }

    #[test]
    fn the_thread_ends_when_idle_and_starts_again() {
        let worker = worker(Duration::ZERO);
        for _ in 0..3 {
            let (sender, done) = mpsc::channel();
            worker.submit("test", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
            done.recv().unwrap();
            until("the thread ends", || !lock(&worker.state).thread_lives);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_background_thread_is_nice() {
        let nice = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
        };
        let before = nice();
        let worker = worker(LINGER);
        let (sender, done) = mpsc::channel();
        worker.submit("test", Path::new("a"), Box::new(move || sender.send(nice()).unwrap()));
        let there = done.recv().unwrap();
        assert_eq!((there, nice()), (before.max(NICE), before));
    }

    /// The state as a fork leaves it; tests/ends has a real fork.
    #[test]
    fn a_forked_child_drops_inherited_jobs_and_runs_its_own() {
        let worker = worker(LINGER);
        let (go, wait) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        let inherited = sender.clone();
        worker.submit("runs", Path::new("a"), Box::new(move || _ = wait.recv()));
        until("the job runs", || lock(&worker.state).running.is_some());
        worker.submit("waits", Path::new("a"), Box::new(move || inherited.send("the parent's").unwrap()));
        worker.forget_pending(&mut lock(&worker.state));
        assert!(worker.settle(soon()), "the child has no jobs yet");
        worker.submit("own", Path::new("a"), Box::new(move || sender.send("the child's").unwrap()));
        assert!(worker.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), ["the child's"]);
        drop(go);
    }
}
