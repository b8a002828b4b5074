//! Threads log into rotating files, flush now and then, and say what is safe; the process is killed at any moment, and
//! another one goes on in the same directory. Whatever was said to be safe is there, once, in order and whole.

use std::path::Path;
use std::time::Duration;

use super::Plan;
use super::child::{Acknowledged, READY, Worker, no_troubles_in};
use super::family::Family;
use super::lines::Number;
use super::oracle::Oracle;
use super::place::in_directory;
use super::random::Random;
use super::setup::{Packing, Setup};

pub fn run(plan: Plan) -> Result<String, String> {
    let mut all = Figures::default();
    let mut runs = 0;
    while runs < plan.runs {
        let some = RUNS_OF_A_DIRECTORY.min(plan.runs - runs);
        // The runs so far say which directory it is, so that a seed repeats all of them.
        let seed = plan.seed.wrapping_add(runs);
        let figures = in_directory(|directory| of_a_directory(directory, seed, some))
            .map_err(|failed| format!("{failed}\n  {:?}", Setup::drawn(seed)))?;
        all.add(figures);
        runs += some;
    }
    Ok(all.to_string())
}

/// Kills one process after the other in `directory`; the last one ends by itself.
fn of_a_directory(directory: &Path, seed: u64, runs: u64) -> Result<Figures, String> {
    let setup = Setup::drawn(seed);
    let mut oracle = Oracle::new(setup.form, setup.keep);
    let mut random = Random::of(seed, 1);
    let (mut torn, mut at_points) = (0, 0);
    for run in 0..runs {
        let acknowledged = match point(&setup, &mut random) {
            Some(point) => {
                let worker = Worker::start("kill", directory, seed, run, &[("TRACING_HANDLERS_KILL_AT", &point)])?;
                let (was_there, acknowledged) = worker.kill_after(PATIENCE)?;
                at_points += u64::from(was_there);
                acknowledged
            }
            None => {
                let worker = Worker::start("kill", directory, seed, run, &[])?;
                worker.kill_after(Duration::from_micros(random.below(50_000)))?.1
            }
        };
        for Acknowledged { thread, count } in acknowledged {
            oracle.acknowledge(run, thread, count);
        }
        let family = Family::read(&log(directory), setup.names.order())?;
        oracle.check(family).map_err(|failed| format!("after run {run}: {failed}"))?;
        torn = torn.max(oracle.found.torn);
    }
    ends_in_order(directory, seed, &setup, &mut oracle)?;
    no_troubles_in(directory)?;
    Ok(Figures {
        runs,
        at_points,
        acknowledged: oracle.acknowledged(),
        lines: oracle.found.lines,
        torn,
        retired: oracle.found.retired,
    })
}

/// A point at which the library kills its process itself, and which time: only where it was built with these points. The sample has
/// none; the unit tests of the archive cover each of them.
fn point(setup: &Setup, random: &mut Random) -> Option<String> {
    let is_packed = setup.packing != Packing::None && cfg!(tracing_handlers_faults) && random.chance(1, 2);
    let name = random.pick(&["packing", "packed", "renamed", "synced", "removed"]);
    let time = 1 + random.below(4);
    is_packed.then(|| format!("{name}:{time}"))
}

/// A process that is not killed leaves no temporary files.
fn ends_in_order(directory: &Path, seed: u64, setup: &Setup, oracle: &mut Oracle) -> Result<(), String> {
    let (succeeded, acknowledged) = Worker::start("kill", directory, seed, LAST, &[])?.wait()?;
    acknowledged.iter().for_each(|said| oracle.acknowledge(LAST, said.thread, said.count));
    let path = log(directory);
    oracle.check(Family::read(&path, setup.names.order())?).map_err(|failed| format!("after the last: {failed}"))?;
    let untidy = Family::untidy(&path)?;
    match succeeded && untidy.is_empty() {
        true => Ok(()),
        false => Err(format!("left behind: {untidy:?}")),
    }
}

/// Logs until it is killed.
pub fn child(directory: &Path, seed: u64, run: u64) {
    let setup = Setup::drawn(seed);
    tracing_handlers::init(setup.handler(&log(directory))).expect("nothing else is installed");
    READY.say();
    if run == LAST {
        return log_last();
    }
    std::thread::scope(|scope| {
        for thread in 0..setup.threads {
            let setup = &setup;
            scope.spawn(move || log_for_ever(setup, run, thread, Random::of(seed ^ run, 2 + thread)));
        }
    });
}

/// Logs a little, and waits until the archives are finished.
fn log_last() {
    const COUNT: u64 = 100;
    (0..COUNT).for_each(|number| Number { run: LAST, thread: 0, number }.log());
    tracing_handlers::process::flush(Duration::from_secs(60)).expect("nothing is wrong with the disk");
    Acknowledged { thread: 0, count: COUNT }.say();
    assert!(tracing_handlers::rotation::settle(Duration::from_secs(300)), "the archives are not finished");
}

fn log_for_ever(setup: &Setup, run: u64, thread: u64, mut random: Random) {
    let mut count = 0;
    loop {
        for _ in 0..=random.below(setup.burst) {
            Number { run, thread, number: count }.log();
            count += 1;
        }
        tracing_handlers::process::flush(Duration::from_secs(60)).expect("nothing is wrong with the disk");
        Acknowledged { thread, count }.say();
    }
}

fn log(directory: &Path) -> std::path::PathBuf {
    directory.join("app.log")
}

/// A kill finds the files of so many runs before it.
const RUNS_OF_A_DIRECTORY: u64 = 20;

/// The run that is not killed.
const LAST: u64 = 1_000_000;
/// How long a process may take to come to the point at which it kills itself; it need not come to each.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Figures {
    runs: u64,
    at_points: u64,
    acknowledged: u64,
    lines: u64,
    torn: u64,
    retired: u64,
}

impl Figures {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.at_points += other.at_points;
        self.acknowledged += other.acknowledged;
        self.lines += other.lines;
        self.torn += other.torn;
        self.retired += other.retired;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, at_points, acknowledged, lines, torn, retired } = self;
        write!(
            f,
            "kill: {runs} runs ({at_points} killed at a named point), {acknowledged} records acknowledged, 0 lost, 0 doubled, {torn} torn by the kill and ended \
             by the next process; {lines} lines checked, {retired} removed with the oldest files"
        )
    }
}
