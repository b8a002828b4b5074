//! How the number of instructions grows with what strangers choose the size of, counted by callgrind: twice the size, at most about twice
//! the work.
//!
//! `cargo bench --bench growth` starts itself under valgrind twice for each scenario and size, with different numbers of
//! repetitions, and divides the difference. It fails if the work grows faster.

mod hostile;
#[path = "../tests/support/skip.rs"]
mod skip;

use std::process::Command;

use hostile::{SCENARIOS, Scenario};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--scenario") {
        let number = |of: usize| arguments[at + of].parse::<usize>().expect("written by `instructions`");
        let mut work = (SCENARIOS[number(1)].work)(number(2));
        return (0..number(3)).for_each(|_| work());
    }
    skip::needs!(skip::installed("valgrind", Command::new("valgrind").arg("--version").output()));
    let mut held = true;
    for (index, scenario) in SCENARIOS.iter().enumerate() {
        let [once, twice] = [SIZE, 2 * SIZE].map(|size| of_one(index, size));
        let most = if scenario.constant { 1.3 } else { 2.3 };
        let holds = twice <= most * once;
        let Scenario { name, .. } = scenario;
        println!(
            "{name:<44} {once:>12.1} for {SIZE:<6} {twice:>12.1} for {:<6} {}",
            2 * SIZE,
            if holds { "" } else { "TOO MANY" }
        );
        held &= holds;
    }
    std::process::exit(i32::from(!held));
}

/// The instructions of doing it once.
fn of_one(scenario: usize, size: usize) -> f64 {
    // What is constant on average, such as the growth of a table, needs more of them.
    let (few, many) = if SCENARIOS[scenario].constant { (2_000, 10_000) } else { (4, 12) };
    (instructions(scenario, size, many) - instructions(scenario, size, few)) / f64::from(many - few)
}

fn instructions(scenario: usize, size: usize, times: i32) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--scenario", &scenario.to_string(), &size.to_string(), &times.to_string()])
        .output()
        .expect("valgrind starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let count =
        told.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind prints what it collected").1;
    count.trim().parse().expect("a number")
}

/// More than is kept as it is: spans of more than 4 KiB, names that are not compared one by one.
const SIZE: usize = 300;
