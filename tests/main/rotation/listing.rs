//! Directories with many files: what a rotation knows of its archives, and how it notices what others do to them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::{Naming, Rotation, Schedule};
use tracing_handlers::sink::File;

use super::write;
use crate::until::until;

/// As many files of others as make a directory large, by its length.
fn crowd(dir: &Path) {
    let mut numbers = 0..5_000;
    while dir.metadata().unwrap().len() <= 40_000 {
        let Some(number) = numbers.next() else { break };
        fs::write(dir.join(format!("{CROWD}{number:0>240}")), "").unwrap();
    }
}

const CROWD: &str = "crowd";

/// The files of the log, by their names.
fn family(dir: &Path) -> Vec<(String, String)> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ours = names.filter(|name| !name.starts_with(CROWD) && !name.starts_with('.'));
    let read = |name: &String| fs::read_to_string(dir.join(name)).unwrap_or_else(|_| "(a directory)".to_owned());
    let mut files: Vec<_> = ours.map(|name| (name.clone(), read(&name))).collect();
    files.sort();
    files
}

fn day(number: i64) -> Timestamp {
    Timestamp::new(1_795_132_800 + number * 86_400, 0)
}

fn each_naming() -> Vec<(&'static str, Naming)> {
    let dated = || Naming::dated("%Y-%m-%d").unwrap();
    vec![
        ("numbered", Naming::numbered()),
        ("numbered before the extension", Naming::numbered().before_extension(true)),
        ("oldest first", Naming::numbered_oldest_first()),
        ("dated", dated()),
        ("live", dated().live(true)),
    ]
}

const MANY: usize = 10_000;

#[test]
fn a_rotation_takes_no_longer_because_of_files_of_others() {
    let dir = tempfile::tempdir().unwrap();
    (0..MANY).for_each(|number| fs::write(dir.path().join(format!("{CROWD}{number}")), "").unwrap());
    for (what, naming) in each_naming() {
        let path = dir.path().join(what).with_extension("log");
        let mut file = File::open(&path).unwrap().rotation(Rotation::size(0).naming(naming).keep(3));
        // The first rotation may list the directory.
        write(&mut file, &["a\n", "b\n"]);
        let time = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        // The fastest of some: the machine may be busy.
        let rotation = (0..10).map(|_| time(&mut || write(&mut file, &["c\n"]))).min().unwrap();
        let listing = (0..3).map(|_| time(&mut || assert!(fs::read_dir(dir.path()).unwrap().count() > MANY))).min();
        println!("{what}: {rotation:?}, and a listing takes {listing:?}");
        assert!(rotation < listing.unwrap() / 2, "{what}: {rotation:?}, and a listing takes {listing:?}");
    }
}

/// A log in a directory of its own.
struct Log {
    dir: tempfile::TempDir,
    clock: Arc<Manual>,
    file: File,
}

impl Log {
    fn new(naming: &Naming, keep: usize, crowded: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if crowded {
            crowd(dir.path());
        }
        let clock = Arc::new(Manual::default());
        clock.set(day(0));
        let rotation = Rotation::size(0).or_schedule(Schedule::daily()).naming(naming.clone());
        let file = File::open(dir.path().join("app.log")).unwrap();
        let file = file.rotation(rotation.keep(keep).clock(clock.clone()));
        Self { dir, clock, file }
    }

    fn files(&self) -> Vec<(String, String)> {
        family(self.dir.path())
    }

    fn archive(&self, number: usize) -> Option<PathBuf> {
        let archives: Vec<_> = self.files().into_iter().filter(|(name, _)| name != "app.log").collect();
        let (name, _) = archives.get(number.checked_rem(archives.len())?)?;
        Some(self.dir.path().join(name))
    }

    fn carry_out(&mut self, step: Step) {
        let before = self.dir.path().metadata().unwrap().modified().unwrap();
        match step {
            Step::Write(line) => return write(&mut self.file, &[&format!("{line}\n")]),
            Step::NextDay(number) => return self.clock.set(day(number)),
            Step::Remove(number) => self.archive(number).into_iter().for_each(|path| remove(&path)),
            Step::Compress(number) => self.rename(number, ".gz"),
            Step::Move(number) => self.rename(number, ".bak"),
            Step::Block(name) => drop(fs::create_dir(self.dir.path().join(name))),
            Step::Unblock(name) => remove(&self.dir.path().join(name)),
        }
        // Times may be as coarse as the clock of the kernel, which says when a change of others is noticed.
        until("the time of the directory changes", || {
            fs::write(self.dir.path().join("scratch"), "").unwrap();
            fs::remove_file(self.dir.path().join("scratch")).unwrap();
            self.dir.path().metadata().unwrap().modified().unwrap() != before
        });
    }

    fn rename(&self, number: usize, end: &str) {
        let Some(path) = self.archive(number) else { return };
        if path.is_file() {
            fs::rename(&path, format!("{}{end}", path.display())).unwrap();
        }
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write(u64),
    NextDay(i64),
    Remove(usize),
    Compress(usize),
    Move(usize),
    Block(&'static str),
    Unblock(&'static str),
}

/// Steps by a small generator of pseudo-random numbers.
fn steps(seed: u64) -> impl Iterator<Item = Step> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut day = 0;
    (0..40).map(move |line| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let number = (state >> 8) as usize % 7;
        match state % 11 {
            0 => Step::Remove(number),
            1 => Step::Compress(number),
            2 => Step::Move(number),
            3 => Step::Block(["app.log.2", "app.2.log", "app.log.7", "app.log.2026-11-21"][number % 4]),
            4 => Step::Unblock(["app.log.2", "app.2.log", "app.log.7", "app.log.2026-11-21"][number % 4]),
            5 => {
                day += 1;
                Step::NextDay(day)
            }
            _ => Step::Write(line),
        }
    })
}

#[test]
fn what_others_do_to_the_archives_is_noticed_among_many_files_as_among_few() {
    for (what, naming) in each_naming() {
        for seed in 0..4 {
            let mut logs = [Log::new(&naming, 4, false), Log::new(&naming, 4, true)];
            let mut done = Vec::new();
            for step in steps(seed) {
                done.push(step);
                logs.iter_mut().for_each(|log| log.carry_out(step));
                assert_eq!(logs[0].files(), logs[1].files(), "{what}, seed {seed}: {done:?}");
            }
        }
    }
}

#[test]
fn processes_that_share_a_log_among_many_files_keep_its_order() {
    for (what, naming) in each_naming() {
        let dir = tempfile::tempdir().unwrap();
        crowd(dir.path());
        let path = dir.path().join("app.log");
        let rotation = Rotation::size(0).naming(naming).keep(5);
        let open = || File::options().shared(true).rotation(rotation.clone()).open(&path).unwrap();
        // Each has descriptors and knowledge of its own, as processes have.
        let mut both = [open(), open()];
        (0..12).for_each(|line| write(&mut both[line % 2], &[&format!("{line}\n")]));
        let lines: BTreeSet<_> = family(dir.path()).into_iter().map(|(_, text)| text).collect();
        let wanted = (6..12).map(|line| format!("{line}\n")).collect();
        assert_eq!(lines, wanted, "{what}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn archives_that_were_compressed_among_many_files_are_known_by_their_new_names() {
    use tracing_handlers::rotation::{Compression, settle};

    for (what, naming) in each_naming() {
        let dir = tempfile::tempdir().unwrap();
        crowd(dir.path());
        let rotation = Rotation::size(0).naming(naming).keep(3).compression(Compression::gzip());
        let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
        for line in 0..8 {
            write(&mut file, &[&format!("{line}\n")]);
            assert!(settle(Duration::from_secs(60)));
        }
        let names = family(dir.path()).into_iter().map(|(name, _)| name);
        let (packed, plain): (Vec<_>, Vec<_>) = names.partition(|name| name.ends_with(".gz"));
        assert_eq!(packed.len(), 3, "{what}: {packed:?} {plain:?}");
        assert!(plain.len() <= 2, "the file in use, and a link to it: {what}: {plain:?}");
    }
}
