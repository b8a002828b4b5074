//! The clock jumps at random while a log is written, rotated, restarted and killed. Whatever it shows, nothing newer is removed
//! before something older, no line is lost that the limits do not account for, and files of others stay as they are.

mod files;
mod foreign;
mod judge;
mod session;
mod settings;

use std::path::Path;
use std::time::Duration;

use super::Plan;
use super::child::{Acknowledged, READY, Worker, no_troubles_in};
use super::place::in_directory;
use super::random::Random;
use super::troubles;
use foreign::Foreign;
use judge::Judge;
use session::{Session, Written};
use settings::Settings;

pub fn run(plan: Plan) -> Result<String, String> {
    troubles::collect();
    let mut all = Figures::default();
    for run in 0..plan.runs {
        let seed = plan.seed.wrapping_add(run);
        let figures = in_directory(|directory| of_a_directory(directory, seed));
        all.add(
            &figures.map_err(|failed| format!("run {run} (seed {seed}): {failed}\n  {:?}", Settings::drawn(seed)))?,
        );
    }
    let Figures { sessions, killed, lines, removed, looks, foreign } = all;
    Ok(format!(
        "clocks: {} logs, {sessions} starts, {killed} killed; {lines} lines, {removed} removed, each after all older ones; \
         {looks} looks, 0 lost, 0 doubled; {foreign} files of others unchanged",
        plan.runs
    ))
}

#[derive(Default)]
struct Figures {
    sessions: u64,
    killed: u64,
    lines: u64,
    removed: u64,
    looks: u64,
    foreign: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.killed += other.killed;
        self.lines += other.lines;
        self.removed += other.removed;
        self.looks += other.looks;
        self.foreign += other.foreign;
    }
}

/// One log that is started again and again.
fn of_a_directory(directory: &Path, seed: u64) -> Result<Figures, String> {
    let settings = Settings::drawn(seed);
    let logs = directory.join("logs");
    std::fs::create_dir(&logs).map_err(|error| error.to_string())?;
    let foreign = if settings.has_foreign { Foreign::create(&logs, &settings)? } else { Foreign::default() };
    let mut judge = Judge::new(&logs, &settings, foreign);
    let mut random = Random::of(seed, 1);
    let mut killed = 0;
    for number in 0..SESSIONS {
        if settings.is_killed && random.chance(1, 2) {
            let time = Duration::from_micros(random.below(25_000));
            killed +=
                u64::from(in_a_child(directory, seed, Session::drawn(seed, number, settings.jumps), &mut judge, time)?);
        } else {
            in_this_process(
                &settings,
                &mut judge,
                Session::drawn(seed, number, settings.jumps),
                random.pick(&[1, 1, 4, 16]),
            )?;
        }
        judge.look().and_then(|()| judge.verify()).map_err(|wrong| format!("after start {number}: {wrong}"))?;
        judge.foreign.is_unchanged()?;
    }
    no_troubles_in(directory)?;
    let (lines, removed, looks, foreign) = (judge.lines(), judge.removed(), judge.looks, judge.foreign.count());
    Ok(Figures { sessions: SESSIONS, killed, lines, removed, looks, foreign })
}

/// Runs a session here, and looks at the files after each `pause` lines.
fn in_this_process(settings: &Settings, judge: &mut Judge, session: Session, pause: u64) -> Result<(), String> {
    let number = session.number;
    session.run(settings, &judge.path(), judge.lines(), |written| {
        judge.wrote(written);
        let looked = if judge.lines().is_multiple_of(pause) { judge.look() } else { Ok(()) };
        looked.map_err(|wrong| format!("start {number}, line {}: {wrong}", written.line))
    })?;
    let said: Vec<_> = troubles::of(&judge.directory).into_iter().filter(|said| !settings.is_expected(said)).collect();
    if said.is_empty() { Ok(()) } else { Err(format!("start {number}: {said:?}")) }
}

/// Runs a session in a child, which is killed after `time` if it has not ended. Returns whether it was killed.
fn in_a_child(
    directory: &Path,
    seed: u64,
    session: Session,
    judge: &mut Judge,
    time: Duration,
) -> Result<bool, String> {
    let run = session.number * LINES_UNIT + judge.lines();
    let worker = Worker::start("clocks", directory, seed, run, &[])?;
    let (has_ended, acknowledged) = worker.kill_after(time)?;
    let ends_at = session.ends_at();
    acknowledged.iter().for_each(|said| judge.wrote(Written { line: said.count, at: ends_at }));
    judge.was_killed(!has_ended, ends_at)?;
    Ok(!has_ended)
}

/// Runs a session, and says which lines are written.
pub fn child(directory: &Path, seed: u64, run: u64) {
    let (number, first) = (run / LINES_UNIT, run % LINES_UNIT);
    READY.say();
    let path = directory.join("logs").join(settings::BASE);
    let settings = Settings::drawn(seed);
    let ran = Session::drawn(seed, number, settings.jumps).run(&settings, &path, first, |written| {
        Acknowledged { thread: 0, count: written.line }.say();
        Ok(())
    });
    ran.expect("nothing is wrong with the disk");
}

/// How often a log is started.
const SESSIONS: u64 = 6;
/// The number of a session and that of its first line in one argument.
const LINES_UNIT: u64 = 1_000_000;
