//! Threads log on while the disk is full or may not be written to, over and over. Each line that was taken is there once
//! when the disk is back, each one that was refused is not; all are counted, and what the log says is missing adds up.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing_handlers::Output;
use tracing_handlers::handler::Handler;
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::File;

use super::Plan;
use super::disk::Disk;
use super::family::{Family, Order};
use super::lines::{Form, Number};
use super::place::in_directory;
use super::random::Random;
use super::troubles;
use crate::until::within;

pub fn full(plan: Plan) -> Result<String, String> {
    run("full-disk", Cause::Full, plan)
}

pub fn read_only(plan: Plan) -> Result<String, String> {
    run("read-only", Cause::ReadOnly, plan)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Full,
    /// A file system that has a file open for writing cannot be made read-only, so that it is full first: then the file
    /// is let go of.
    ReadOnly,
}

fn run(name: &str, cause: Cause, plan: Plan) -> Result<String, String> {
    let mut all = Figures::default();
    for run in 0..plan.runs {
        let seed = plan.seed.wrapping_add(run);
        let figures = in_directory(|directory| match Disk::mount(&directory.join("disk"), ROOM_KIB) {
            Ok(disk) => of_a_disk(&disk, cause, seed).map(Ok),
            Err(reason) => Ok(Err(reason)),
        });
        match figures.map_err(|failed| format!("run {run} (seed {seed}): {failed}"))? {
            Ok(figures) => all.add(&figures),
            Err(reason) => return plan.cannot_run(name, &reason),
        }
    }
    let Figures { outages, taken, refused, reported } = all;
    let runs = plan.runs;
    Ok(format!(
        "{name}: {runs} runs, {outages} outages, {taken} lines taken, 0 of them lost, 0 doubled, 0 torn; {refused} refused, \
         none of them there, {reported} reported in the log"
    ))
}

#[derive(Default)]
struct Figures {
    outages: u64,
    taken: u64,
    refused: u64,
    reported: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.outages += other.outages;
        self.taken += other.taken;
        self.refused += other.refused;
        self.reported += other.reported;
    }
}

/// Which lines were taken, and which refused.
#[derive(Default)]
struct Answers {
    taken: HashSet<Number>,
    refused: u64,
}

fn of_a_disk(disk: &Disk, cause: Cause, seed: u64) -> Result<Figures, String> {
    troubles::collect();
    let mut random = Random::of(seed, 0);
    let form = random.pick(&[Form::Text, Form::Json]);
    let path = disk.path().join("app.log");
    let rotation = Rotation::size(random.pick(&[3_000, 20_000])).keep(usize::MAX);
    let file = File::options().buffer(random.pick(&[0, 0, 2_000])).rotation(rotation).open(&path);
    let output = Output::new(form.format(), file.map_err(|error| format!("{error:#}"))?);

    let answers = Mutex::new(Answers::default());
    let (done, outages) = (AtomicBool::new(false), 1 + random.below(4));
    std::thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (output, answers, done) = (&output, &answers, &done);
            scope.spawn(move || {
                (0..LINES).take_while(|_| !done.load(Ordering::Relaxed)).for_each(|number| {
                    say(output, answers, Number { run: seed, thread, number });
                    std::thread::yield_now();
                });
            });
        }
        let mut numbers = (0..).map(|number| Number { run: seed, thread: 0, number });
        let mut log = || numbers.next().is_some_and(|line| say(&output, &answers, line));
        let broken = (0..outages).try_for_each(|_| {
            (0..random.below(200)).for_each(|_| {
                log();
            });
            break_down(disk, cause, &mut log)?;
            (0..random.below(200)).for_each(|_| {
                log();
            });
            repair(disk, cause)
        });
        done.store(true, Ordering::Relaxed);
        broken
    })
    .map_err(|error| format!("the disk does not do what it should: {error}"))?;

    // After an outage a file may wait for a moment before it tries again.
    let start = Instant::now();
    let mut last = (0..).map(|number| Number { run: seed, thread: 200, number });
    let recovers = || last.next().is_some_and(|line| say(&output, &answers, line)) && output.flush(start).is_ok();
    if !within(PATIENCE, recovers) {
        return Err("it does not recover".to_owned());
    }
    let answers = answers.into_inner().map_err(|error| format!("{error:#}"))?;
    let reported = holds(&output, &answers, form, &path)?;
    is_reported(outages, answers.refused, &troubles::of(disk.path()))?;
    Ok(Figures { outages, taken: answers.taken.len() as u64, refused: answers.refused, reported })
}

/// Whether it was taken.
fn say(output: &impl Handler, answers: &Mutex<Answers>, line: Number) -> bool {
    let taken = output.handle(&line.record().as_record()).is_ok();
    let mut answers = answers.lock().expect("no thread panics while it holds the lock");
    match taken {
        true => drop(answers.taken.insert(line)),
        false => answers.refused += 1,
    }
    taken
}

fn break_down(disk: &Disk, cause: Cause, mut log: impl FnMut() -> bool) -> std::io::Result<()> {
    disk.fill()?;
    if cause == Cause::ReadOnly {
        // A line that finds no room has the file let go of.
        while log() {}
        disk.remount("ro")?;
    }
    Ok(())
}

fn repair(disk: &Disk, cause: Cause) -> std::io::Result<()> {
    if cause == Cause::ReadOnly {
        disk.remount("rw")?;
    }
    disk.free()
}

/// Holds the counts and the files against the answers; how many lines the log says are missing.
fn holds(output: &impl Handler, answers: &Answers, form: Form, path: &Path) -> Result<u64, String> {
    let mut found = HashSet::new();
    let mut reported = 0;
    for file in Family::read(path, Order::NewestFirst)?.files {
        for line in file.bytes.split_inclusive(|byte| *byte == b'\n') {
            let place = || format!("{}: {}", file.path.display(), String::from_utf8_lossy(line));
            let whole = line.strip_suffix(b"\n").ok_or_else(|| format!("torn: {}", place()))?;
            match form.parse(whole) {
                Some(number) if !found.insert(number) => return Err(format!("doubled: {}", place())),
                Some(number) if !answers.taken.contains(&number) => return Err(format!("was refused: {}", place())),
                Some(_) => {}
                None => reported += missing(whole).ok_or_else(|| format!("not a whole line: {}", place()))?,
            }
        }
    }
    if let Some(lost) = answers.taken.difference(&found).next() {
        return Err(format!("lost: {lost:?}, and {} more", answers.taken.len() - found.len() - 1));
    }
    let mut reports = Vec::new();
    output.report(&mut reports);
    let stats = reports[0].stats;
    let (taken, refused) = (answers.taken.len() as u64, answers.refused);
    if !stats.balances() || (stats.delivered, stats.lost(), stats.pending) != (taken, refused, 0) {
        return Err(format!("{taken} lines were taken and {refused} refused, counted are {stats:?}"));
    }
    // A log reports either no missing lines or all of them.
    if reported != 0 && reported != refused {
        return Err(format!("{refused} lines were refused, the log reports {reported}"));
    }
    Ok(reported)
}

/// Each outage is reported once, and so is its end; an outage may be too short to be reported.
fn is_reported(outages: u64, refused: u64, troubles: &[String]) -> Result<(), String> {
    let count = troubles.len() as u64;
    // Failures of rotation and of writing are reported separately.
    match (refused > 0 && count == 0) || count > 4 * outages {
        true => Err(format!("{outages} outages, {refused} lines refused, reported: {troubles:#?}")),
        false => Ok(()),
    }
}

/// How many records a notice says are missing.
fn missing(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok().filter(|text| text.contains("missing here"))?;
    let count = text.split_once("lost")?.1.trim_start_matches(['"', ':', '=']);
    count.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Beside the one that breaks the disk.
const THREADS: u64 = 3;
/// Of each thread: together they do not fill the disk by themselves.
const LINES: u64 = 300;
const ROOM_KIB: u64 = 1024;
const PATIENCE: Duration = Duration::from_secs(30);
