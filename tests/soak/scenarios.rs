//! Long runs: what must hold not once but a thousand times, under kills, many processes, other programs, full disks.
//!
//! Without arguments, as `cargo test` runs it, a small sample of each scenario. `tests/soak/run NAME --runs N --seed S` is
//! the long run of one, and ends with a line of figures. Child processes are this program again, as `--child SCENARIO …`.

mod child;
mod clocks;
#[cfg(all(feature = "seal", feature = "encryption", feature = "gzip", feature = "zstd"))]
mod corrupt;
mod disk;
mod family;
#[cfg(feature = "seal")]
mod flips;
mod kill;
mod latency;
mod lines;
mod logrotate;
mod oracle;
mod outage;
mod place;
mod processes;
mod random;
mod setup;
#[cfg(feature = "signals")]
mod stalled;
mod troubles;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use random::Random;

/// `name`, what it is about, runs of the sample and of the long run, and itself. `tests/soak/run` shows this list.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "kill", about: "a SIGKILL at any moment", sample: 24, long: 1000, run: kill::run },
    Scenario { name: "processes", about: "eight processes on one file", sample: 4, long: 4, run: processes::run },
    Scenario { name: "logrotate", about: "the real logrotate", sample: 2, long: 100, run: logrotate::run },
    #[cfg(feature = "seal")]
    Scenario { name: "flips", about: "each bit of a sealed log flipped", sample: 1, long: 20, run: flips::run },
    Scenario { name: "clocks", about: "a clock that jumps", sample: 12, long: 300, run: clocks::run },
    #[cfg(all(feature = "seal", feature = "encryption", feature = "gzip", feature = "zstd"))]
    Scenario {
        name: "corrupt",
        about: "sealed and encrypted logs tampered with",
        sample: 400,
        long: 100_000,
        run: corrupt::run,
    },
    Scenario { name: "latency", about: "calls with and without rotation", sample: 3, long: 11, run: latency::run },
    #[cfg(feature = "signals")]
    Scenario { name: "stalled", about: "requests while the log is not read", sample: 1, long: 5, run: stalled::run },
    Scenario { name: "full-disk", about: "a disk full now and then", sample: 10, long: 1000, run: outage::full },
    Scenario {
        name: "read-only",
        about: "a disk read-only now and then",
        sample: 5,
        long: 500,
        run: outage::read_only,
    },
];

/// Something to be done over and over.
struct Scenario {
    name: &'static str,
    about: &'static str,
    /// How many runs under `cargo test`, and how many where nothing else is asked for.
    sample: u64,
    long: u64,
    run: fn(Plan) -> Result<String, String>,
}

/// How often, and what chance begins with.
#[derive(Clone, Copy)]
struct Plan {
    runs: u64,
    seed: u64,
    /// A few seconds under `cargo test`, where other tests run beside it: what takes time is not judged.
    is_sample: bool,
}

impl Plan {
    /// What a scenario ends with that cannot run here: `cargo test` skips it, a run that was asked for fails.
    fn cannot_run(self, name: &str, reason: &str) -> Result<String, String> {
        if !self.is_sample {
            return Err(reason.to_owned());
        }
        crate::skip::skipped_in(name, reason);
        Ok(format!("{name}: not run"))
    }
}

pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["--child", rest @ ..] => child::run(rest),
        ["--scenario", name, rest @ ..] => long(name, rest),
        _ => libtest_mimic::run(&Arguments::from_args(), SCENARIOS.iter().map(trial).collect()).exit_code(),
    }
}

fn trial(scenario: &'static Scenario) -> Trial {
    let plan = Plan { runs: scenario.sample, seed: Random::seed(), is_sample: true };
    Trial::test(format!("{}: {}", scenario.name, scenario.about), move || {
        match (scenario.run)(plan) {
            Ok(figures) => println!("{figures}"),
            Err(failed) => return Err(Failed::from(format!("seed {}: {failed}", plan.seed))),
        }
        Ok(())
    })
}

/// `--runs N --seed S`, both of which may be left out.
fn long(name: &str, settings: &[&str]) -> ExitCode {
    let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == name) else {
        eprintln!("there is no scenario {name}");
        return ExitCode::FAILURE;
    };
    let Some(plan) = plan(scenario, settings) else {
        eprintln!("wanted: --runs N --seed S");
        return ExitCode::FAILURE;
    };
    println!("{name}: {} runs, seed {}", plan.runs, plan.seed);
    match (scenario.run)(plan) {
        Ok(figures) => println!("{figures}"),
        Err(failed) => {
            println!("{name}: FAILED with seed {}: {failed}", plan.seed);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn plan(scenario: &Scenario, settings: &[&str]) -> Option<Plan> {
    let mut plan = Plan { runs: scenario.long, seed: Random::seed(), is_sample: false };
    for setting in settings.chunks(2) {
        match setting {
            ["--runs", runs] => plan.runs = runs.parse().ok()?,
            ["--seed", seed] => plan.seed = seed.parse().ok()?,
            _ => return None,
        }
    }
    Some(plan)
}
