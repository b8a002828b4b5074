//! Rounds: in each, all contenders of a scenario one after another, each in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::check;
use crate::child::{Amount, Findings};
use crate::contender::{self, Contender, Job};
use crate::scenario::{Scenario, Sink, Task};

pub struct Plan {
    pub scenarios: Vec<Scenario>,
    /// None: all.
    pub contenders: Option<Vec<String>>,
    pub rounds: usize,
    pub amount: Amount,
    pub dir: PathBuf,
}

/// A scenario's contenders and what was found of them.
pub struct Outcome {
    pub scenario: Scenario,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub contender: Contender,
    pub sink: Sink,
    pub rounds: Vec<Findings>,
    pub failure: Option<String>,
}

impl Row {
    pub fn label(&self, scenario: &Scenario) -> String {
        match scenario.task {
            Task::Load(_) => format!("{}, {}", self.contender.name, self.sink.name()),
            _ => self.contender.name.to_owned(),
        }
    }
}

impl Plan {
    pub fn run(&self, scenario: &Scenario) -> Outcome {
        let mut rows = self.rows(scenario);
        for round in 0..self.rounds {
            eprint!("{}, round {} of {}:", scenario.name, round + 1, self.rounds);
            for index in 0..rows.len() {
                // The order is varied, so that no contender is always first or always follows the same one.
                let at = (index + round) % rows.len();
                let row = &mut rows[at];
                if row.failure.is_some() {
                    continue;
                }
                eprint!(" {}", row.contender.name);
                match self.child(scenario, row) {
                    Ok(findings) => row.rounds.push(findings),
                    Err(failure) => {
                        eprintln!("\nFAILED: {}: {}: {failure}", scenario.name, row.label(scenario));
                        row.failure = Some(failure);
                    }
                }
            }
            eprintln!();
        }
        Outcome { scenario: *scenario, rows }
    }

    /// The base is always there: ratios are taken to it.
    fn rows(&self, scenario: &Scenario) -> Vec<Row> {
        let chosen = |contender: &Contender| {
            contender.name == scenario.base
                || self.contenders.as_ref().is_none_or(|chosen| chosen.iter().any(|name| name == contender.name))
        };
        let row = |contender, sink| Row { contender, sink, rounds: Vec::new(), failure: None };
        contender::all()
            .into_iter()
            .filter(chosen)
            .flat_map(|contender| {
                let sinks = contender::sinks(&contender, scenario).into_iter();
                sinks
                    .filter(move |sink| (contender.serves)(&Scenario { sink: *sink, ..*scenario }))
                    .map(move |sink| row(contender, sink))
            })
            .collect()
    }

    fn child(&self, scenario: &Scenario, row: &Row) -> Result<Findings, String> {
        let job = Job { scenario: Scenario { sink: row.sink, ..*scenario }, dir: fresh(&self.dir) };
        let found = self.spawn(&job, row).and_then(|mut findings| {
            let logged: Vec<u64> = (0..scenario.threads)
                .map_while(|thread| findings.get(&format!("logged_{thread}")))
                .map(|n| *n as u64)
                .collect();
            let written = check::check(row.contender.check, &job, &logged)?;
            let total = logged.iter().sum::<u64>() as f64;
            findings.insert("line_bytes".to_owned(), written.bytes as f64 / written.lines.max(1) as f64);
            let seconds = findings["seconds"].max(f64::MIN_POSITIVE);
            let rate = findings["events"] / seconds * findings["line_bytes"] / 1e6;
            findings.insert("mb_per_s".to_owned(), rate);
            findings.insert("lost".to_owned(), 100.0 * (total - written.lines as f64).max(0.0) / total);
            Ok(findings)
        });
        let _ = fs::remove_dir_all(&job.dir);
        found
    }

    fn spawn(&self, job: &Job, row: &Row) -> Result<Findings, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let output = Command::new(program)
            .args(["--child", row.contender.name, job.scenario.name, row.sink.name()])
            .args([self.amount.events.to_string(), self.amount.quick.to_string()])
            .arg(&job.dir)
            .output()
            .map_err(|error| error.to_string())?;
        let told = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
        }
        Ok(told.lines().filter_map(|line| line.strip_prefix(FINDING)?.split_once(' ')).filter_map(parsed).collect())
    }
}

/// What the child prints, for [`Plan::spawn`].
pub fn print(findings: &Findings) {
    for (name, value) in findings {
        println!("{FINDING}{name} {value}");
    }
}

fn parsed((name, value): (&str, &str)) -> Option<(String, f64)> {
    Some((name.to_owned(), value.parse().ok()?))
}

fn fresh(dir: &Path) -> PathBuf {
    let dir = dir.join(format!("compare-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("the directory can be made");
    dir
}

/// Before each finding, in case a contender prints as well.
const FINDING: &str = "finding ";
