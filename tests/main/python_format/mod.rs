//! `format::Python` beside Python's own `logging.Formatter`: the same records, the same bytes.

mod cases;

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tracing_handlers::format::{Caps, Format, Out, Python};

use self::cases::{Case, Random};
use crate::skip::{installed, needs};

#[test]
fn lines_are_those_of_python() {
    compare(&cases::many(&mut Random::new(1), 4_000), Refusals::None);
}

/// In UTC, in zones with daylight saving time, and ahead by odd minutes; in years of one digit and of four.
#[test]
fn times_are_those_of_python() {
    compare(&cases::times(&mut Random::new(2), 4_000), Refusals::None);
}

/// Formats of random signs. Ours refuses more, see its documentation, but never writes something else.
#[test]
fn a_format_that_python_refuses_is_refused() {
    compare(&cases::noise(&mut Random::new(3), 4_000), Refusals::Ours);
}

#[derive(Clone, Copy, PartialEq)]
enum Refusals {
    /// What ours refuses, Python refuses or fails with.
    None,
    Ours,
}

fn compare(cases: &[Case], refusals: Refusals) {
    let theirs = needs!(python(cases));
    let mut lines = 0;
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = line(case);
        let theirs = theirs["line"].as_str().ok_or_else(|| theirs.to_string());
        lines += usize::from(theirs.is_ok());
        let same = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(_), Ok(_)) => refusals == Refusals::Ours,
            (ours, Err(_)) => ours.is_err(),
        };
        if !same {
            wrong.push(format!("{} {case:?}\n  ours   {ours:?}\n  theirs {theirs:?}", case.format));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
    assert_eq!(theirs.len(), cases.len());
    assert!(lines > cases.len() / 20, "only {lines} of {} were formatted at all", cases.len());
}

fn line(case: &Case) -> Result<String, String> {
    let format = Python::new(case.style, &case.format).map_err(|error| error.to_string())?;
    let format = case.zoned(format.started(case.started).defaults(case.defaults()).indent(false));
    let format = match &case.datefmt {
        Some(datefmt) => format.datefmt(datefmt),
        None => format,
    };
    let mut line = Vec::new();
    let record = case.record();
    format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(line).unwrap())
}

/// What Python makes of them. The error says that there is no Python, or that it is too old.
fn python(cases: &[Case]) -> Result<Vec<Value>, String> {
    let child = Command::new("python3")
        .args(["-X", "utf8", "-c", include_str!("reference.py")])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = installed("python3", child)?;
    let input = serde_json::to_vec(&cases.iter().map(Case::json).collect::<Vec<_>>()).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that is too old does not read it.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    if output.status.code() == Some(TOO_OLD) {
        return Err("python3 is older than 3.10".to_owned());
    }
    assert!(output.status.success(), "python3 failed");
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

/// What `reference.py` ends with where its Python has no `defaults` yet.
const TOO_OLD: i32 = 3;
