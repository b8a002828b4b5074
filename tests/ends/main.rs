//! What happens at the ends of a process: its exits, panics, forks and signals.

#[cfg(unix)]
#[path = "cases.rs"]
mod cases;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    cases::main()
}

#[cfg(not(unix))]
fn main() {
    println!("skipped: the ends of a process are tested on Unix only");
}
