//! Long runs: what must hold not once but a thousand times. Without arguments, as `cargo test` runs it, a small sample of each.

#[cfg(unix)]
#[path = "scenarios.rs"]
mod scenarios;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/until.rs"]
mod until;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    scenarios::main()
}

#[cfg(not(unix))]
fn main() {
    skip::skipped_in("soak", "the long runs need Unix");
}
