//! What fails under a log file, by real causes: full disks, directories and permissions taken away, descriptors used up,
//! each system call in turn.

mod causes;
#[cfg(unix)]
mod limits;
mod notice;
pub mod scenario;
pub mod syscalls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_handlers::clock::Manual;
use tracing_handlers::format::{Format, Out};
use tracing_handlers::handler::{Handler, Stats};
use tracing_handlers::sink::{File, FileOptions};
use tracing_handlers::{Error, Output, Record, RecordBuf, Severity, selflog};

/// Runs `body` in a process of its own: selflog, limits and users belong to the process.
fn alone(test: &str, body: impl FnOnce()) {
    const ALONE: &str = "TRACING_HANDLERS_ALONE";
    if std::env::var_os(ALONE).is_some_and(|name| name == test) {
        return body();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture"]).env(ALONE, test).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "no such test: {test}\n{text}");
}

/// The message and nothing else, below a first line in each file.
pub struct Plain;

pub const HEAD: &str = "# head\n";

impl Format for Plain {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        out.push_str(record.message());
        Ok(())
    }

    fn preamble(&self, out: &mut Out<'_>) {
        out.push_str(HEAD);
    }
}

/// An output into a file, with a clock that stands still, and what selflog is told. For a process of its own.
struct Log {
    output: Output<Plain, File>,
    path: PathBuf,
    clock: Arc<Manual>,
    told: Arc<Mutex<Vec<String>>>,
    sent: std::cell::Cell<usize>,
}

impl Log {
    fn open(path: impl Into<PathBuf>, options: FileOptions) -> Self {
        let (path, clock, told) = (path.into(), Arc::new(Manual::default()), Arc::<Mutex<Vec<String>>>::default());
        let tell = told.clone();
        selflog::set(move |message| tell.lock().unwrap().push(message.to_owned()));
        let output = Output::new(Plain, options.retry_clock(clock.clone()).open(&path).unwrap());
        Self { output, path, clock, told, sent: std::cell::Cell::new(0) }
    }

    /// Logs so many lines of 100 bytes, and tells how many were taken.
    fn send(&self, count: usize) -> usize {
        let send = |_| {
            let number = self.sent.replace(self.sent.get() + 1);
            self.output.handle(&RecordBuf::new(Severity::INFO, "test", &format!("{number:099}")).as_record()).is_ok()
        };
        (0..count).map(send).filter(|taken| *taken).count()
    }

    /// The next attempt is due.
    fn wait(&self) {
        self.clock.advance(Duration::from_secs(2));
    }

    #[track_caller]
    fn stats(&self) -> Stats {
        let stats = self.output.stats().pop().unwrap().stats;
        assert!(stats.balances(), "{stats:?}");
        assert_eq!(stats.accepted, self.sent.get() as u64);
        stats
    }

    /// What was told, all of it.
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    #[track_caller]
    fn told_once(&self, text: &str) {
        let told = self.told();
        assert_eq!(told.iter().filter(|message| message.contains(text)).count(), 1, "{told:#?}");
    }

    /// The lines of the file and the older ones, oldest first: numbers, and notices.
    fn lines(&self) -> Vec<String> {
        family(&self.path).lines().filter(|line| !line.starts_with('#')).map(short).collect()
    }
}

/// A number without its zeros.
fn short(line: &str) -> String {
    line.parse::<usize>().map_or_else(|_| line.to_owned(), |number| number.to_string())
}

/// The text of `path` and of the older files beside it, oldest first.
fn family(path: &Path) -> String {
    let old = |number: usize| fs::read_to_string(format!("{}.{number}", path.display())).ok();
    let old: Vec<_> = (1..100).rev().filter_map(old).collect();
    old.concat() + &fs::read_to_string(path).unwrap_or_default()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
