//! Each system call of a log file failed in turn, by strace: nothing may panic, tear or count wrong, and what counts as
//! delivered must be there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::scenario::{self, Account, LINES, LIVES, Life};
use crate::skip::{installed, needs};

#[test]
fn a_system_call_that_fails_loses_nothing_that_counts_as_delivered() {
    let every = std::env::var_os("TRACING_HANDLERS_ALL_FAULTS").is_some();
    let outcome = needs!(syscalls(every));
    println!("{} runs\n{}", outcome.runs, outcome.table());
    assert!(outcome.wrong.is_empty(), "{} of {}:\n{}", outcome.wrong.len(), outcome.runs, outcome.wrong.join("\n"));
}

/// Also the child process of all runs here, which lives one life.
#[test]
fn a_life_without_faults_loses_nothing() {
    match std::env::var(LIFE) {
        Ok(name) => live(&name),
        Err(_) => LIVES.iter().for_each(without_faults),
    }
}

fn live(name: &str) {
    let life = LIVES.iter().find(|life| name == life.name).expect("a name from the list");
    let dir = PathBuf::from(std::env::var_os(DIR).expect("it comes with the name"));
    scenario::live(life, &dir.join("deep/logs/app.log"), &dir.join("account"));
}

fn without_faults(life: &Life) {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(CHILD).env(LIFE, life.name).env(DIR, dir.path()).output().unwrap();
    nothing_fails(life, dir.path(), &output);
}

fn nothing_fails(life: &Life, dir: &Path, output: &Output) {
    let known = Account::read(&dir.join("account"));
    judge(dir, output, Some(&known), life, false).expect("nothing fails without a fault");
    assert_eq!((known.failed, known.pending, known.told.len()), (0, 0, 0));
}

/// What became of all runs.
#[derive(Default)]
pub struct Outcome {
    pub runs: usize,
    /// What should not have been.
    pub wrong: Vec<String>,
    /// By system call and error: runs, runs that lost a line, runs that told of it.
    seen: BTreeMap<(String, &'static str), [usize; 3]>,
}

impl Outcome {
    /// As Markdown.
    pub fn table(&self) -> String {
        let mut table = "| system call | error | runs | refused a line | told |\n|---|---|---|---|---|\n".to_owned();
        for ((call, error), [runs, lost, told]) in &self.seen {
            table += &format!("| `{call}` | {error} | {runs} | {lost} | {told} |\n");
        }
        table
    }
}

/// Lives all lives, with each system call on the log's files failing in turn: once, and from then on. Without `every` a
/// sample: one error for each occurrence of a few. The error is the reason why it cannot.
pub fn syscalls(every: bool) -> Result<Outcome, String> {
    installed("strace", Command::new("strace").arg("-V").output())?;
    let mut outcome = Outcome::default();
    for (index, life) in LIVES.iter().enumerate() {
        let calls = calls_of(life)?;
        assert!(calls.contains_key("write") && calls.contains_key("openat"), "{calls:?}");
        for (call, count) in &calls {
            let errors = ERRORS.iter().enumerate().filter(|(number, _)| every || *number == index % ERRORS.len());
            for (_, error) in errors {
                occurrences(*count, every).for_each(|nth| outcome.add(life, call, error, nth, false));
                // An interrupted call is made again, and would be for ever.
                if *error != "EINTR" && (every || index == 0) {
                    outcome.add(life, call, error, count.div_ceil(2), true);
                }
            }
        }
    }
    Ok(outcome)
}

fn occurrences(count: usize, every: bool) -> Box<dyn Iterator<Item = usize>> {
    match every || count <= 2 {
        true => Box::new(1..=count),
        false => Box::new([1, count.div_ceil(2), count].into_iter()),
    }
}

impl Outcome {
    fn add(&mut self, life: &Life, call: &str, error: &'static str, nth: usize, lasting: bool) {
        let dir = tempfile::tempdir().unwrap();
        let from = if lasting { "+" } else { "" };
        let inject = format!("inject={call}:error={error}:when={nth}{from}");
        // std itself panics where a directory cannot be closed, which no system does. Nothing but files are looked at then.
        let paths = if call == "close" { files(life, dir.path()) } else { paths(life, dir.path()) };
        let output = run(life, dir.path(), &paths, &["-e", &format!("trace={call}"), "-e", &inject]);
        self.runs += 1;
        let account = dir.path().join("account");
        let known = account.exists().then(|| Account::read(&account));
        let verdict = judge(dir.path(), &output, known.as_ref(), life, lasting);
        if let Err(what) = verdict {
            let told = known.as_ref().map(|known| known.told.join("; ")).unwrap_or_default();
            self.wrong.push(format!("{} {inject}: {what} (told: {told})", life.name));
        }
        let seen = self.seen.entry((call.to_owned(), error)).or_default();
        seen[0] += 1;
        seen[1] += usize::from(known.as_ref().is_some_and(|known| known.failed > 0));
        seen[2] += usize::from(known.as_ref().is_some_and(|known| !known.told.is_empty()));
    }
}

fn judge(dir: &Path, output: &Output, known: Option<&Account>, life: &Life, lasting: bool) -> Result<(), String> {
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stdout)));
    }
    let known = known.ok_or("no account")?;
    let never_opened = known.taken.is_empty() && known.failed == 0;
    if !lasting && (never_opened || !known.taken.contains(&(LINES - 1)) && known.failed > 1) {
        return Err("one failure, and it did not go on".into());
    }
    scenario::check(&text(life, dir), known, life.keeps_all)
}

/// All that stands in the files, the oldest first.
fn text(life: &Life, dir: &Path) -> String {
    let file = |ending: &String| fs::read_to_string(dir.join(format!("{LOG}{ending}"))).unwrap_or_default();
    life.names.endings().iter().map(file).collect()
}

/// How often each system call names one of the log's files or directories.
fn calls_of(life: &Life) -> Result<BTreeMap<String, usize>, &'static str> {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let output = run(life, dir.path(), &paths(life, dir.path()), &["-o", trace.to_str().unwrap()]);
    let trace = fs::read_to_string(&trace).map_err(|_| "strace is not permitted to trace")?;
    nothing_fails(life, dir.path(), &output);
    let mut calls = BTreeMap::new();
    for call in trace.lines().filter_map(|line| line.split_whitespace().nth(1)?.split_once('(')) {
        *calls.entry(call.0.to_owned()).or_default() += 1;
    }
    Ok(calls)
}

/// A life under strace, which looks only at what names `paths`: the test harness writes too.
fn run(life: &Life, dir: &Path, paths: &[PathBuf], strace: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none"]).args(strace);
    for path in paths {
        command.arg("-P").arg(path);
    }
    command.arg(std::env::current_exe().unwrap()).args(CHILD);
    command.env(LIFE, life.name).env(DIR, dir).output().unwrap()
}

/// All that the log may make.
fn paths(life: &Life, dir: &Path) -> Vec<PathBuf> {
    let log = dir.join(LOG);
    let helpers = [".app.log.lock", ".app.log.link.tmp"].map(|name| log.with_file_name(name));
    let directories = log.ancestors().skip(1).take(2).map(Path::to_owned);
    directories.chain(files(life, dir)).chain(helpers).collect()
}

fn files(life: &Life, dir: &Path) -> Vec<PathBuf> {
    life.names.endings().iter().map(|ending| dir.join(format!("{LOG}{ending}"))).collect()
}

const LOG: &str = "deep/logs/app.log";
const ERRORS: &[&str] = &["ENOSPC", "EIO", "EINTR", "EMFILE", "EACCES"];
const CHILD: [&str; 2] = ["--exact", "faults::syscalls::a_life_without_faults_loses_nothing"];
const LIFE: &str = "TRACING_HANDLERS_LIFE";
const DIR: &str = "TRACING_HANDLERS_LIFE_DIR";
