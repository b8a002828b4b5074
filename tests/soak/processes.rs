//! Many processes log into one rotating file, and all lines are there, whole and once; also where some of the processes are
//! killed in the middle, whatever lock they have then, and others take their place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::File;
use tracing_handlers::{Output, Queue};

use super::Plan;
use super::child::{Acknowledged, READY, Worker, no_troubles_in};
use super::family::Family;
use super::lines::{Form, Number};
use super::place::in_directory;
use super::random::Random;
use super::setup::{Names, PACKINGS, Packing};

pub fn run(plan: Plan) -> Result<String, String> {
    let mut all = Figures::default();
    for run in 0..plan.runs {
        let seed = plan.seed.wrapping_add(run);
        let figures = in_directory(|directory| of_a_directory(directory, seed, plan.is_sample));
        all.add(&figures.map_err(|failed| format!("run {run} (seed {seed}): {failed}\n  {:?}", Setup::drawn(seed)))?);
    }
    let Figures { lines, acknowledged, killed, torn, files } = all;
    Ok(format!(
        "processes: {} runs of {PROCESSES} processes, {lines} lines in {files} files, {acknowledged} of them acknowledged, \
         0 lost, 0 doubled; {killed} processes killed, {torn} lines torn by that and ended by others",
        plan.runs
    ))
}

/// Drawn from a seed, so that the parent and each child know the same.
#[derive(Debug)]
struct Setup {
    form: Form,
    size: u64,
    is_queued: bool,
    buffer: usize,
    names: Names,
    packing: Packing,
    /// Some processes are killed, and others started.
    kills: bool,
}

impl Setup {
    fn drawn(seed: u64) -> Self {
        let mut random = Random::of(seed, 0);
        Self {
            form: random.pick(&[Form::Text, Form::Json]),
            size: random.pick(&[100_000, 400_000, 1_000_000]),
            is_queued: random.chance(1, 2),
            buffer: random.pick(&[0, 0, 4_000]),
            names: random.pick(&[Names::Numbered, Names::OldestFirst, Names::Dated]),
            packing: random.pick(PACKINGS),
            // Each second run.
            kills: seed % 2 == 1,
        }
    }
}

#[derive(Default)]
struct Figures {
    lines: u64,
    acknowledged: u64,
    killed: u64,
    torn: u64,
    files: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.acknowledged += other.acknowledged;
        self.killed += other.killed;
        self.torn += other.torn;
        self.files += other.files;
    }
}

fn of_a_directory(directory: &Path, seed: u64, is_sample: bool) -> Result<Figures, String> {
    let setup = Setup::drawn(seed);
    let lines = if is_sample { SAMPLE } else { LINES };
    let start = |process| Worker::start("processes", directory, seed, process * LINES_UNIT + lines, &[]);
    let mut workers: Vec<_> =
        (0..PROCESSES).map(|process| start(process).map(|worker| (process, worker))).collect::<Result<_, _>>()?;
    let mut safe = HashMap::new();
    let mut killed = Vec::new();
    let mut random = Random::of(seed, 1);
    let kills = if is_sample { 3 } else { 20 } * u64::from(setup.kills);
    for process in PROCESSES..PROCESSES + kills {
        // Time passes: processes are killed at random moments of their work.
        std::thread::sleep(Duration::from_micros(random.below(30_000)));
        let (victim, worker) = workers.swap_remove(random.below(workers.len() as u64) as usize);
        safe.insert(victim, counted(&worker.kill()?));
        killed.push(victim);
        workers.push((process, start(process)?));
    }
    for (process, worker) in workers {
        let (succeeded, acknowledged) = worker.wait()?;
        if !succeeded || counted(&acknowledged) != lines {
            return Err(format!("process {process} did not do its {lines} lines: {}", counted(&acknowledged)));
        }
        safe.insert(process, lines);
    }
    no_troubles_in(directory)?;
    holds(&Family::read(&log(directory), setup.names.order())?, setup.form, &safe, &killed)
}

/// What a process has acknowledged last.
fn counted(acknowledged: &[Acknowledged]) -> u64 {
    acknowledged.iter().map(|said| said.count).max().unwrap_or(0)
}

/// Each process's lines are there, each the next; pieces of lines only where it was killed, one of each.
fn holds(family: &Family, form: Form, safe: &HashMap<u64, u64>, killed: &[u64]) -> Result<Figures, String> {
    let mut next: HashMap<u64, u64> = HashMap::new();
    let mut unended = killed.to_vec();
    let mut figures = Figures { killed: killed.len() as u64, files: family.files.len() as u64, ..Figures::default() };
    for file in &family.files {
        for line in file.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let place = || format!("{}: {}", file.path.display(), String::from_utf8_lossy(line));
            let Some(Number { run, number, .. }) = form.parse(line) else {
                let piece = |process: &u64| is_piece(line, form, *process, next.get(process).copied().unwrap_or(0));
                let at = unended.iter().position(piece).ok_or_else(|| format!("not a whole line: {}", place()))?;
                unended.swap_remove(at);
                figures.torn += 1;
                continue;
            };
            let expected = next.entry(run).or_default();
            if number != *expected {
                return Err(format!("expected number {expected} of process {run}: {}", place()));
            }
            *expected += 1;
            figures.lines += 1;
        }
    }
    for (process, count) in safe {
        let seen = next.get(process).copied().unwrap_or(0);
        if seen < *count {
            return Err(format!("lost: process {process} has {seen} lines, {count} were acknowledged"));
        }
        figures.acknowledged += count;
    }
    Ok(figures)
}

/// The beginning of the line that was next when its process was killed.
fn is_piece(line: &[u8], form: Form, run: u64, number: u64) -> bool {
    form.line(Number { run, thread: 0, number }).as_bytes().starts_with(line)
}

/// Logs its lines, and says now and then how many are safe.
pub fn child(directory: &Path, seed: u64, what: u64) {
    let (process, lines) = (what / LINES_UNIT, what % LINES_UNIT);
    let setup = Setup::drawn(seed);
    let rotation = setup.packing.pack(Rotation::size(setup.size).keep(usize::MAX).naming(setup.names.naming()));
    let file = File::options().shared(true).buffer(setup.buffer).rotation(rotation).open(log(directory));
    let output = Output::new(setup.form.format(), file.expect("the directory is ours"));
    let installed = match setup.is_queued {
        true => tracing_handlers::init(Queue::new(output)),
        false => tracing_handlers::init(output),
    };
    installed.expect("nothing else is installed");
    READY.say();
    let mut random = Random::of(seed, process);
    let mut burst = random.below(500);
    for number in 0..lines {
        Number { run: process, thread: 0, number }.log();
        if burst == 0 || number + 1 == lines {
            tracing_handlers::process::flush(Duration::from_secs(60)).expect("nothing is wrong with the disk");
            Acknowledged { thread: 0, count: number + 1 }.say();
            burst = random.below(500);
        }
        burst = burst.saturating_sub(1);
    }
}

fn log(directory: &Path) -> PathBuf {
    directory.join("app.log")
}

const PROCESSES: u64 = 8;
const LINES: u64 = 50_000;
const SAMPLE: u64 = 1_000;
/// A process and its number of lines in one argument.
const LINES_UNIT: u64 = 1_000_000;
