use std::sync::{Mutex, PoisonError};

use shuttle::rand::Rng as _;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, Runner};

use super::clock;

/// When time passes in a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Only when no thread can continue. If a wake-up is lost, time passes where it should not.
    Late,
    /// At any moment, as on a machine that is busy with other things.
    Anytime,
}

/// Runs the model again and again, each time with another order of its threads' steps: half of the runs choose each next thread at
/// random, the others change between a few long runs of single threads. The orders are the same in each process. More runs:
/// `MODEL_RUNS=100` for a hundred times as many.
pub fn check(passing: Passing, model: fn()) {
    // The registry of the process is shared by all models.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    crate::selflog::set(|_| ());
    let runs = RUNS * std::env::var("MODEL_RUNS").map_or(1, |times| times.parse().expect("MODEL_RUNS is a number"));
    run(passing, RandomScheduler::new_from_seed(SEED, runs), model);
    run(passing, PctScheduler::new_from_seed(SEED, 3, runs), model);
}

/// A number below `count`, different in each run.
pub fn choose(count: usize) -> usize {
    shuttle::rand::thread_rng().gen_range(0..count)
}

fn run(passing: Passing, scheduler: impl Scheduler + Send + 'static, model: fn()) {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    Runner::new(ClockLast { inner: scheduler, passing }, config).run(move || {
        clock::start();
        let clock = shuttle::thread::spawn(clock::run);
        model();
        clock::end();
        clock.join().expect("the clock does not panic");
    });
}

/// Runs the clock only when no other thread can run, if time is to pass [late](Passing::Late).
#[derive(Debug)]
struct ClockLast<S> {
    inner: S,
    passing: Passing,
}

impl<S: Scheduler> Scheduler for ClockLast<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.inner.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        if self.passing == Passing::Anytime || runnable.len() == 1 {
            return self.inner.next_task(runnable, current, is_yielding);
        }
        let others: Vec<_> = runnable.iter().copied().filter(|task| usize::from(task.id()) != CLOCK).collect();
        self.inner.next_task(&others, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// The first thread that a model starts.
const CLOCK: usize = 1;
const RUNS: usize = 500;
const SEED: u64 = 20_260_101;
/// Enough for a formatter and a handler in a debug build.
const STACK: usize = 256 << 10;
