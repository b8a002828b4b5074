//! What happens at the ends of a process: its exits, panics, forks and signals.

#[cfg(unix)]
#[path = "cases.rs"]
mod cases;
#[path = "../support/skip.rs"]
mod skip;
#[cfg(target_os = "linux")]
#[path = "../support/threads.rs"]
mod threads;
#[path = "../support/until.rs"]
mod until;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    cases::main()
}

#[cfg(not(unix))]
fn main() {
    skip::skipped_in("ends", "the ends of a process are tested on Unix only");
}
