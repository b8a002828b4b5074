//! The real logrotate at work on a file that is being written to, in its several modes; counted is what that loses.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tracing_handlers::Output;
use tracing_handlers::sink::File;

use super::Plan;
use super::child::{Acknowledged, READY, Worker, no_troubles_in};
use super::family::{Content, Family, Order};
use super::lines::{Form, Number};
use super::place::in_directory;
use crate::skip::installed;

/// What logrotate does with the file, and how the program is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The file is renamed and created again; the program notices it by checking, each time or each second.
    Create { looks: Duration },
    /// The same, with a SIGHUP; the program does not check.
    #[cfg(feature = "signals")]
    Hangup,
    /// The file is copied and emptied; what is written in between is lost by logrotate.
    CopyTruncate,
}

const MODES: &[(&str, Mode)] = &[
    ("create, looked for at each write", Mode::Create { looks: Duration::ZERO }),
    ("create, looked for each second", Mode::Create { looks: Duration::from_secs(1) }),
    #[cfg(feature = "signals")]
    ("create and SIGHUP", Mode::Hangup),
    ("copytruncate", Mode::CopyTruncate),
];

pub fn run(plan: Plan) -> Result<String, String> {
    if let Err(reason) = installed("logrotate", Command::new("logrotate").arg("--version").output()) {
        return plan.cannot_run("logrotate", &reason);
    }
    let mut figures = Vec::new();
    for (index, (name, mode)) in MODES.iter().enumerate() {
        let counted = in_directory(|directory| of_a_mode(directory, *mode, index as u64, plan.runs))?;
        figures.push(format!("{name}: {counted}"));
    }
    Ok(format!("logrotate: {} runs each; {}", plan.runs, figures.join("; ")))
}

fn of_a_mode(directory: &Path, mode: Mode, index: u64, runs: u64) -> Result<String, String> {
    let worker = Worker::start("logrotate", directory, index, 0, &[])?;
    let settings = settings(directory, mode, worker.id())?;
    for _ in 0..runs {
        rotate(directory, &settings)?;
    }
    fs::write(directory.join(STOP), "").map_err(|error| error.to_string())?;
    let (succeeded, acknowledged) = worker.wait()?;
    no_troubles_in(directory)?;
    if !succeeded {
        return Err("the program was killed".to_owned());
    }
    let logged: HashMap<u64, u64> = acknowledged.iter().map(|said| (said.thread, said.count)).collect();
    let family = Family::read(&log(directory), Order::NewestFirst)?;
    let lost = lost(&family, &logged)?;
    if mode != Mode::CopyTruncate && lost > 0 {
        return Err(format!("{lost} lines lost"));
    }
    let by_whom = if mode == Mode::CopyTruncate { " by logrotate between its copy and its cut" } else { "" };
    Ok(format!("{} lines in {} files, {lost} lost{by_whom}", logged.values().sum::<u64>(), family.files.len()))
}

/// A file of settings as a person would write it.
fn settings(directory: &Path, mode: Mode, process: u32) -> Result<PathBuf, String> {
    let how = match mode {
        Mode::Create { .. } => "create".to_owned(),
        #[cfg(feature = "signals")]
        Mode::Hangup => format!("create\n  postrotate\n    kill -HUP {process}\n  endscript"),
        Mode::CopyTruncate => "copytruncate".to_owned(),
    };
    let _ = process;
    let text = format!("{} {{\n  rotate 100000\n  missingok\n  {how}\n}}\n", log(directory).display());
    let path = directory.join("settings");
    let written = fs::write(&path, text).and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)));
    written.map(|()| path).map_err(|error| format!("{error:#}"))
}

fn rotate(directory: &Path, settings: &Path) -> Result<(), String> {
    let mut logrotate = Command::new("logrotate");
    logrotate.arg("-f").arg("-s").arg(directory.join("state")).arg(settings);
    let output = logrotate.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("logrotate: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// How many lines are not there. Nothing may be missing within a file, nothing out of order or doubled anywhere.
fn lost(family: &Family, logged: &HashMap<u64, u64>) -> Result<u64, String> {
    let (mut next, mut lost) = (HashMap::new(), 0);
    for file in &family.files {
        let mut begun = HashMap::new();
        for line in lines(file)? {
            let Number { thread, number, .. } = line;
            let expected: u64 = next.insert(thread, number + 1).unwrap_or(0);
            if number < expected {
                return Err(format!("doubled, or out of order: {line:?} in {}", file.path.display()));
            }
            if begun.insert(thread, ()).is_some() && number > expected {
                return Err(format!("lines are missing before {line:?} within {}", file.path.display()));
            }
            lost += number - expected;
        }
    }
    let missing = |(thread, count): (&u64, &u64)| count - next.get(thread).copied().unwrap_or(0);
    Ok(lost + logged.iter().map(missing).sum::<u64>())
}

/// The whole lines of a file; the last one of a copy may be cut where the copy ended.
fn lines(file: &Content) -> Result<Vec<Number>, String> {
    let mut numbers = Vec::new();
    for line in file.bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n").and_then(|line| FORM.parse(line)) {
            Some(number) => numbers.push(number),
            None if !line.ends_with(b"\n") => {}
            None => return Err(format!("not a line: {}: {}", file.path.display(), String::from_utf8_lossy(line))),
        }
    }
    Ok(numbers)
}

/// Logs until the file is there that says stop.
pub fn child(directory: &Path, mode: u64) {
    let (_, mode) = MODES[mode as usize];
    let looks = match mode {
        Mode::Create { looks } => Some(looks),
        #[cfg(feature = "signals")]
        Mode::Hangup => {
            tracing_handlers::process::reopen_on_hangup().expect("the signal can be had");
            None
        }
        Mode::CopyTruncate => Some(Duration::from_secs(1)),
    };
    let file = File::options().watch(looks).open(log(directory)).expect("the directory is ours");
    tracing_handlers::init(Output::new(FORM.format(), file)).expect("nothing else is installed");
    READY.say();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut count = 0;
                while !directory.join(STOP).exists() {
                    for _ in 0..10 {
                        Number { run: 0, thread, number: count }.log();
                        count += 1;
                    }
                    // Time passes: the threads must leave CPU time to logrotate.
                    std::thread::sleep(Duration::from_micros(100));
                }
                Acknowledged { thread, count }.say();
            });
        }
    });
}

fn log(directory: &Path) -> PathBuf {
    directory.join("app.log")
}

const FORM: Form = Form::Text;
const THREADS: u64 = 3;
const STOP: &str = "stop";
