//! Tests that cannot run everywhere: some need another program, some need to run as root. [`skipped`] and [`needs!`] are the
//! only ways for a test not to run, so that `tests/run` can list what did not; `tests/main/skips.rs` refuses all others.

#![allow(dead_code, unused_imports, unused_macros, reason = "each binary with tests uses some of this")]

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Says that the running test, or a part of it, is skipped, and why. With `CI=true` it panics instead.
///
/// The file that the environment variable `TRACING_HANDLERS_SKIPPED` names, if any, gets a line: the test, a tab, the reason.
pub fn skipped(reason: &str) {
    skipped_in(&running_test(), reason);
}

/// The same, for tests whose thread does not have their name: `test` is skipped.
pub fn skipped_in(test: &str, reason: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "in CI every test must run: {reason}");
    println!("skipped: {reason}");
    if let Some(list) = std::env::var_os("TRACING_HANDLERS_SKIPPED") {
        append(Path::new(&list), test, reason);
    }
}

/// The value in a `Result`. An error is the reason why the test is skipped: the function, or the closure, returns.
macro_rules! needs {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(reason) => return $crate::skip::skipped(&reason),
        }
    };
}
pub(crate) use needs;

/// What a command was started as or printed; the error says that `program` is not installed.
pub fn installed<T>(program: &str, started: io::Result<T>) -> Result<T, String> {
    match started {
        Ok(started) => Ok(started),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("{program} is not installed")),
        Err(error) => panic!("cannot start {program}: {error}"),
    }
}

/// Lines of several threads and processes do not mix: each is a single write to a file opened for appending.
pub fn append(list: &Path, test: &str, reason: &str) {
    let line = format!("{test}\t{}\n", reason.replace(['\n', '\t'], " "));
    let file = OpenOptions::new().create(true).append(true).open(list);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot append to {}: {error}", list.display()));
}

/// The name of the thread, which libtest gives it. On the main thread, the first argument that is not an option: the name of a
/// test or of a case that this process was started for; without one, the name of the program.
fn running_test() -> String {
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_else(program),
    }
}

/// Without the hash that Cargo appends.
fn program() -> String {
    let path = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').map_or(&*name, |(name, _)| name).to_owned()
}
