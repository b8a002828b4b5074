//! A whole life of a log file, in a process of its own, and what it says of itself afterwards.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing_handlers::clock::Manual;
use tracing_handlers::handler::Handler;
use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink::{File, FileOptions};
use tracing_handlers::{Output, RecordBuf, Severity, selflog};

use super::Plain;

/// One way to use a log file. A new one is a line in [`LIVES`].
pub struct Life {
    pub name: &'static str,
    pub options: fn() -> FileOptions,
    /// What the ended files are called.
    pub names: Names,
    /// Nothing is removed by retention: all lines must be there.
    pub keeps_all: bool,
}

#[derive(Clone, Copy)]
pub enum Names {
    NewestFirst,
    OldestFirst,
    /// All of one day.
    Dated,
    /// The path is a link to the last one.
    Live,
}

impl Names {
    /// What stands behind the path in the name of each file, the oldest first.
    pub fn endings(self) -> Vec<String> {
        let numbers = || (1..=12).map(|number| format!(".{number}"));
        let own = String::new();
        match self {
            Self::NewestFirst => numbers().rev().chain([own]).collect(),
            Self::OldestFirst => numbers().chain([own]).collect(),
            Self::Live => numbers().collect(),
            Self::Dated => [String::new()]
                .into_iter()
                .chain(numbers())
                .map(|number| format!(".1970-01-01{number}"))
                .chain([own])
                .collect(),
        }
    }
}

#[rustfmt::skip]
pub const LIVES: &[Life] = &[
    Life { name: "plain", options: || File::options().mode(0o640).rotation(rotation(9)), names: Names::NewestFirst, keeps_all: true },
    Life { name: "keeps-two", options: || File::options().delay(true).rotation(rotation(2)), names: Names::NewestFirst, keeps_all: false },
    Life { name: "buffered", options: || File::options().buffer(120).rotation(rotation(9)), names: Names::NewestFirst, keeps_all: true },
    Life { name: "holds", options: || File::options().hold(200).rotation(rotation(9)), names: Names::NewestFirst, keeps_all: true },
    Life { name: "one-file", options: || File::options().truncate(true).watch(Duration::ZERO), names: Names::NewestFirst, keeps_all: true },
    Life { name: "shared", options: || File::options().shared(true).rotation(rotation(9)), names: Names::NewestFirst, keeps_all: true },
    Life { name: "oldest-first", options: || named(Naming::numbered_oldest_first()), names: Names::OldestFirst, keeps_all: true },
    Life { name: "dated", options: || named(Naming::dated("%F").expect("a pattern")), names: Names::Dated, keeps_all: true },
    Life { name: "live", options: || named(Naming::numbered().live(true)), names: Names::Live, keeps_all: true },
];

fn rotation(keep: usize) -> Rotation {
    Rotation::size(160).keep(keep).clock(Manual::default())
}

fn named(naming: Naming) -> FileOptions {
    File::options().rotation(rotation(9).naming(naming))
}

pub const LINES: usize = 24;

/// What became of each line, by the program's own knowledge.
#[derive(Debug, Default, PartialEq)]
pub struct Account {
    pub taken: Vec<usize>,
    /// So many of those taken last were pending when the output was dropped.
    pub pending: usize,
    pub failed: usize,
    pub told: Vec<String>,
}

impl Account {
    fn write(&self, path: &Path) {
        let mut text = format!("{} {}\n", self.pending, self.failed);
        self.taken.iter().for_each(|line| write!(text, "{line} ").unwrap());
        fs::write(path, text + "\n" + &self.told.join("\n")).unwrap();
    }

    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        let mut numbers = || -> Vec<usize> {
            lines.next().unwrap_or("").split_whitespace().map(|word| word.parse().unwrap()).collect()
        };
        let (counts, taken) = (numbers(), numbers());
        Self { taken, pending: counts[0], failed: counts[1], told: lines.map(str::to_owned).collect() }
    }
}

/// Opens, makes directories, begins files, writes, rotates, reopens, flushes, ends. Panics where the library's own
/// figures contradict each other.
pub fn live(life: &Life, path: &Path, account: &Path) {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tell = told.clone();
    selflog::set(move |message| tell.lock().unwrap().push(message.replace('\n', " ")));
    let clock = Arc::new(Manual::default());
    let open = || (life.options)().retry_clock(clock.clone()).open(path);
    let mut known = Account::default();
    // A program that is told that its log cannot be opened may try again.
    if let Ok(file) = open().or_else(|_| open()) {
        let output = Output::new(Plain, file);
        for number in 0..LINES {
            let record = RecordBuf::new(Severity::INFO, "test", &line(number));
            match output.handle(&record.as_record()) {
                Ok(()) => known.taken.push(number),
                Err(_) => known.failed += 1,
            }
            clock.advance(Duration::from_secs(2));
            if number % 10 == 9 {
                let _ = output.flush(Instant::now());
            }
        }
        let _ = output.flush(Instant::now());
        let stats = output.stats().pop().unwrap().stats;
        assert!(stats.balances(), "{stats:?}");
        assert_eq!((stats.accepted, stats.failed), (LINES as u64, known.failed as u64));
        known.pending = stats.pending as usize;
        assert_eq!(stats.delivered as usize, known.taken.len() - known.pending);
    }
    selflog::reset();
    known.told = told.lock().unwrap().clone();
    known.write(account);
}

/// 32 bytes and a line feed.
fn line(number: usize) -> String {
    format!("line {number:027}")
}

/// The numbers of the lines and how many are missing before each, of what stands in the files: each line whole and once,
/// each notice where it belongs.
pub fn check(text: &str, account: &Account, keeps_all: bool) -> Result<(), String> {
    let mut next = None;
    let mut missing = 0;
    let mut found = Vec::new();
    for entry in text.lines().filter(|line| *line != "# head") {
        if let Some((count, _)) = entry.split_once(" missing here: ") {
            missing += count.split(' ').next().and_then(|count| count.parse::<usize>().ok()).ok_or(entry)?;
            continue;
        }
        let number: usize =
            entry.strip_prefix("line ").and_then(|number| number.parse().ok()).ok_or(format!("torn: {entry:?}"))?;
        if entry != line(number) {
            return Err(format!("torn: {entry:?}"));
        }
        let expected = next.map(|next: usize| next + missing);
        let begins = if keeps_all { missing } else { number };
        if number != expected.unwrap_or(begins) {
            return Err(format!("line {number} stands where {expected:?} should, {missing} told as missing"));
        }
        (next, missing) = (Some(number + 1), 0);
        found.push(number);
    }
    let oldest = if keeps_all { 0 } else { found.first().copied().unwrap_or(0) };
    let delivered = &account.taken[..account.taken.len() - account.pending];
    match delivered.iter().find(|line| **line >= oldest && !found.contains(line)) {
        Some(line) => Err(format!("line {line} counts as delivered and is not there")),
        None if found.iter().any(|line| !account.taken.contains(line)) => Err("a refused line is there".into()),
        None => Ok(()),
    }
}
