//! A background thread for work that no logging thread should wait for: compressing, removing old files, syncing
//! directories.
//!
//! The thread starts with the first job, ends after some seconds without one, and starts again on demand. A forked child does not
//! inherit it: waiting jobs belong to the parent, and the child's first job starts a new thread. The exit of the process does not
//! wait for it: unfinished work is found, and done, when the file is opened next.
//!
//! A job must not log. If it panics, [`log_panics`](crate::process::log_panics) does not record the panic, since the job may
//! hold a lock of the very file that the record would go to.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::process::{Generation, Lifecycle, Live, Phase, Shelf, thread};
use crate::sync::{deadline_in, lock, lock_until, wait_timeout};
use crate::{Error, selflog};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Waits until all pending background work of rotations is done: compressing ended files, and removing those beyond their limits.
/// Returns whether it was done within `timeout`.
///
/// Calling it is optional: work that is unfinished when the process ends is done when the file is opened next. For
/// tests, and for programs that need complete archives before they end or pass them on.
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

/// The keeper of the process. Made without a lock: a fork at that moment would leave it locked in the child.
fn of_process() -> Arc<Lifecycle<Keeper>> {
    static KEEPER: ArcSwapOption<Lifecycle<Keeper>> = ArcSwapOption::const_empty();
    if let Some(keeper) = KEEPER.load_full() {
        return keeper;
    }
    let made = Arc::new(keeper(Duration::from_secs(5)));
    let before = KEEPER.compare_and_swap(&None::<Arc<_>>, Some(made.clone()));
    before.as_ref().map_or(made, Arc::clone)
}

fn keeper(linger: Duration) -> Lifecycle<Keeper> {
    Lifecycle::new(Keeper::KIND, Keeper { work: Condvar::new(), done: Condvar::new(), linger }, State::default())
}

struct Keeper {
    /// Where the background thread waits for jobs.
    work: Condvar,
    /// Where settling threads wait for the background thread.
    done: Condvar,
    /// How long the background thread waits for another job before it ends.
    linger: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// The number of the running job.
    running: Option<u64>,
    /// The number of jobs submitted.
    submitted: u64,
    thread_lives: bool,
    /// The thread could not be started, and this was reported.
    told: bool,
}

struct Waiting {
    number: u64,
    what: &'static str,
    file: PathBuf,
    job: Job,
}

impl Lifecycle<Keeper> {
    fn submit(&self, what: &'static str, file: &Path, job: Job) {
        let mut state = lock(&self.start().state);
        let replaced = state.add(what, file, job);
        self.start_thread(&mut state);
        drop(state);
        self.work.notify_one();
        // Outside the lock: dropping the job may take other locks.
        drop(replaced);
    }

    fn settle(&self, deadline: Instant) -> bool {
        let Some(mut state) = lock_until(&self.state, deadline) else { return false };
        let last = state.submitted;
        loop {
            if state.is_done(last) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // A job that settled would wait for itself.
            if left.is_zero() || is_this_thread() {
                return false;
            }
            self.start_thread(&mut state);
            state = wait_timeout(&self.done, state, left.min(LOOK));
        }
    }

    /// If the thread cannot be started, the jobs wait until the next attempt.
    fn start_thread(&self, state: &mut State) {
        if state.thread_lives || state.waiting.is_empty() {
            return;
        }
        let process = Generation::current();
        let keeper = self.start().clone();
        let spawned = std::thread::Builder::new().name("tracing-keeper".into()).spawn(move || keeper.run(process));
        state.thread_lives = spawned.is_ok();
        let told = std::mem::replace(&mut state.told, spawned.is_err());
        if let (Err(error), false) = (spawned, told) {
            selflog::tell(&format!("rotation: cannot start a thread, old files stay as they are: {error}"));
        }
    }
}

impl Shelf<Keeper> {
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
        let mut state = lock(&self.state);
        loop {
            if !process.is_current() {
                return None;
            }
            if let Some(next) = state.waiting.pop_front() {
                state.running = Some(next.number);
                return Some(next.job);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.thread_lives = false;
                return None;
            }
            state = wait_timeout(&self.work, state, left);
        }
    }

    fn finish(&self, process: Generation) {
        let mut state = lock(&self.state);
        if process.is_current() {
            state.running = None;
        }
        drop(state);
        self.done.notify_all();
    }
}

impl State {
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
impl Live for Keeper {
    type State = State;
    const KIND: &'static str = "keeper of old files";
    const PHASE: Phase = Phase::Locks;

    /// Neither a flush nor the exit waits for the jobs.
    fn flush(_: &Shelf<Self>, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn forget_pending(&self, state: &mut State) {
        // Not dropped: dropping a job may need a lock whose holder does not exist here.
        state.waiting.drain(..).for_each(std::mem::forget);
        state.running = None;
        state.thread_lives = false;
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

    fn keeper(linger: Duration) -> &'static Lifecycle<Keeper> {
        Box::leak(Box::new(super::keeper(linger)))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    const LINGER: Duration = Duration::from_secs(60);

    #[test]
    fn jobs_are_done_in_order_by_another_thread() {
        let keeper = keeper(LINGER);
        let (sender, done) = mpsc::channel();
        for file in ["a", "b", "c"] {
            let sender = sender.clone();
            let job = move || sender.send((file, is_this_thread())).unwrap();
            keeper.submit("test", Path::new(file), Box::new(job));
        }
        assert!(keeper.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [("a", true), ("b", true), ("c", true)]);
        assert!(!is_this_thread());
    }

    #[test]
    fn of_many_jobs_for_one_file_the_last_is_done() {
        let keeper = keeper(LINGER);
        let (go, wait) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        keeper.submit("block", Path::new("a"), Box::new(move || _ = wait.recv()));
        for number in 0..100 {
            for what in ["pack", "prune"] {
                let sender = sender.clone();
                keeper.submit(what, Path::new("a"), Box::new(move || sender.send((what, number)).unwrap()));
            }
        }
        assert!(!keeper.settle(Instant::now()), "the first job is not done");
        assert!(lock(&keeper.state).waiting.len() <= 3);
        go.send(()).unwrap();
        assert!(keeper.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [("pack", 99), ("prune", 99)]);
    }

    #[test]
    fn what_comes_later_is_not_waited_for() {
        let keeper = keeper(LINGER);
        let (sender, done) = mpsc::channel();
        keeper.submit("first", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
        let last = lock(&keeper.state).submitted;
        let (_go, wait) = mpsc::channel::<()>();
        keeper.submit("never ends", Path::new("a"), Box::new(move || _ = wait.recv()));
        while !lock(&keeper.state).is_done(last) {
            std::thread::yield_now();
        }
        done.try_recv().unwrap();
        assert!(!lock(&keeper.state).is_done(last + 1));
    }

    #[test]
    fn a_job_that_panics_harms_no_other() {
        let keeper = keeper(LINGER);
        let (sender, done) = mpsc::channel();
        keeper.submit("panic", Path::new("a"), Box::new(|| panic!("on purpose")));
        keeper.submit("go on", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
        assert!(keeper.settle(soon()));
        done.try_recv().unwrap();
    }

    #[test]
    fn a_job_may_submit_another_but_does_not_wait_for_itself() {
        let keeper = keeper(LINGER);
        let (sender, done) = mpsc::channel();
        let job = move || {
            let settled = keeper.settle(soon());
            keeper.submit("inner", Path::new("a"), Box::new(move || sender.send(settled).unwrap()));
        };
        keeper.submit("outer", Path::new("a"), Box::new(job));
        assert!(!done.recv().unwrap());
        assert!(keeper.settle(soon()));
    }

    #[test]
    fn the_thread_ends_when_there_is_nothing_to_do_and_comes_again() {
        let keeper = keeper(Duration::ZERO);
        for _ in 0..3 {
            let (sender, done) = mpsc::channel();
            keeper.submit("test", Path::new("a"), Box::new(move || sender.send(()).unwrap()));
            done.recv().unwrap();
            while lock(&keeper.state).thread_lives {
                std::thread::yield_now();
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_that_thread_is_nice() {
        let nice = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
        };
        let before = nice();
        let keeper = keeper(LINGER);
        let (sender, done) = mpsc::channel();
        keeper.submit("test", Path::new("a"), Box::new(move || sender.send(nice()).unwrap()));
        let there = done.recv().unwrap();
        assert_eq!((there, nice()), (before.max(NICE), before));
    }

    /// The state as a fork leaves it; tests/ends.rs has a real fork.
    #[test]
    fn a_forked_child_forgets_the_jobs_and_has_its_own() {
        let keeper = keeper(LINGER);
        let (go, wait) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        let inherited = sender.clone();
        keeper.submit("runs", Path::new("a"), Box::new(move || _ = wait.recv()));
        while lock(&keeper.state).running.is_none() {
            std::thread::yield_now();
        }
        keeper.submit("waits", Path::new("a"), Box::new(move || inherited.send("the parent's").unwrap()));
        keeper.forget_pending(&mut lock(&keeper.state));
        assert!(keeper.settle(soon()), "nothing is the child's yet");
        keeper.submit("own", Path::new("a"), Box::new(move || sender.send("the child's").unwrap()));
        assert!(keeper.settle(soon()));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), ["the child's"]);
        drop(go);
    }
}
