//! Markdown: a summary, and a table per scenario.

use std::fmt::Write;

use crate::child::Findings;
use crate::run::{Outcome, Row};
use crate::scenario::{Scenario, Task};

pub fn scenario(outcome: &Outcome) -> String {
    let scenario = &outcome.scenario;
    let columns = columns(scenario);
    let mut out = format!("#### {}: {}\n\n| contender |", scenario.name, scenario.title);
    columns.iter().for_each(|column| out += &format!(" {} |", column.title.replace("BASE", scenario.base)));
    out += "\n|---|";
    columns.iter().for_each(|_| out += "---|");
    out.push('\n');
    let base = base(outcome);
    for row in outcome.rows.iter().filter(|row| !row.rounds.is_empty()) {
        let _ = write!(out, "| {} |", row.label(scenario));
        for column in &columns {
            let _ = write!(out, " {} |", (column.cell)(row, base));
        }
        out.push('\n');
    }
    for row in &outcome.rows {
        if let Some(failure) = &row.failure {
            let _ =
                write!(out, "\n**FAILED**: {}: {}\n", row.label(scenario), failure.lines().next().unwrap_or_default());
        }
    }
    out
}

/// A line per scenario: how many times the base each contender takes.
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut out = "| scenario | base, ns | × base: ours | hand-made layer | nearest rival | all rivals |\n|---|---|---|---|---|---|\n".to_owned();
    for outcome in outcomes.iter().filter(|outcome| !matches!(outcome.scenario.task, Task::Load(_))) {
        let ratio = |name: &str| find(outcome, name).map(|row| ratio_to(row, base(outcome), metric(&outcome.scenario)));
        let shown = |spread: Option<Spread>| {
            spread.filter(|spread| !spread.is_empty()).map_or("–".to_owned(), |spread| spread.ratio())
        };
        let rivals = rivals(outcome);
        let all: Vec<String> = rivals.iter().map(|(name, ratio)| format!("{name} {ratio:.1}")).collect();
        let _ = writeln!(
            out,
            "| {}: {} | {} {} | {} | {} | {} | {} |",
            outcome.scenario.name,
            outcome.scenario.title,
            outcome.scenario.base,
            base(outcome).map_or("–".to_owned(), |row| number(spread(row, metric(&outcome.scenario)).median())),
            shown(ratio("ours")),
            shown(ratio("floor-layer")),
            all.first().cloned().unwrap_or("–".to_owned()),
            all.join(", "),
        );
    }
    out
}

/// Rivals and their ratios to the base, nearest first.
pub fn rivals(outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let rivals = outcome.rows.iter().filter(|row| row.contender.kind == crate::contender::Kind::Rival);
    let mut rivals: Vec<_> = rivals
        .map(|row| (row.contender.name, ratio_to(row, base(outcome), metric(&outcome.scenario)).median()))
        .filter(|(_, ratio)| ratio.is_finite())
        .collect();
    rivals.sort_by(|a, b| a.1.total_cmp(&b.1));
    rivals
}

pub fn find<'o>(outcome: &'o Outcome, name: &str) -> Option<&'o Row> {
    outcome.rows.iter().find(|row| row.contender.name == name)
}

pub fn base(outcome: &Outcome) -> Option<&Row> {
    find(outcome, outcome.scenario.base)
}

/// What a scenario is about.
pub fn metric(scenario: &Scenario) -> &'static str {
    match scenario.task {
        Task::Paced | Task::Load(_) => "p50",
        _ => "drained_ns",
    }
}

struct Column {
    title: &'static str,
    cell: fn(&Row, Option<&Row>) -> String,
}

fn columns(scenario: &Scenario) -> Vec<Column> {
    let column = |title, cell| Column { title, cell };
    let mut columns = Vec::new();
    if matches!(scenario.task, Task::Events | Task::ThreeOutputs | Task::Rotation | Task::Off | Task::OffHere) {
        columns.push(column("ns/event", |row, _| number(spread(row, "drained_ns").median())));
        columns.push(column("min–max", |row, _| spread(row, "drained_ns").range()));
        columns.push(column("× BASE (min–max)", |row, base| ratio_to(row, base, "drained_ns").ratio()));
    }
    if scenario.is_queued() && scenario.task == Task::Events {
        columns.push(column("caller ns", |row, _| number(spread(row, "ns").median())));
        columns.push(column("caller in bursts, ns", |row, _| number(spread(row, "burst_ns").median())));
        columns.push(column("× BASE in bursts", |row, base| ratio_to(row, base, "burst_ns").ratio()));
    }
    if scenario.writes() && scenario.is_plain() {
        columns.push(column("p50", |row, _| number(spread(row, "p50").median())));
        if scenario.task == Task::Paced {
            columns.push(column("p50 × BASE", |row, base| ratio_to(row, base, "p50").ratio()));
        }
        columns.push(column("p99", |row, _| number(spread(row, "p99").median())));
        columns.push(column("p99.9", |row, _| number(spread(row, "p999").median())));
        columns.push(column("max µs", |row, _| number(spread(row, "max").median() / 1000.0)));
    }
    if !matches!(scenario.task, Task::Load(_)) {
        columns.push(column("allocs, caller", |row, _| format!("{:.2}", spread(row, "allocations_here").median())));
        columns.push(column("allocs, all", |row, _| format!("{:.2}", spread(row, "allocations").median())));
        columns.push(column("CPU ns", |row, _| number(spread(row, "cpu_ns").median())));
    } else {
        columns.push(column("CPU ns", |row, _| number(spread(row, "cpu_ns").median())));
        columns.push(column("MB/s", |row, _| format!("{:.1}", spread(row, "mb_per_s").median())));
    }
    if scenario.writes() {
        columns.push(column("B/line", |row, _| number(spread(row, "line_bytes").median())));
        columns.push(column("peak MB", |row, _| format!("{:.1}", spread(row, "peak_mb").median())));
    }
    if scenario.is_queued() {
        columns.push(column("lost %", |row, _| format!("{:.1}", spread(row, "lost").median())));
    }
    columns.push(column("note", |row, _| row.contender.note.to_owned()));
    columns
}

/// The values of the rounds, sorted.
pub struct Spread(Vec<f64>);

impl Spread {
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn range(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(min), Some(max)) => format!("{}–{}", number(*min), number(*max)),
            _ => "–".to_owned(),
        }
    }

    fn ratio(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(min), Some(max)) => format!("{:.2} ({min:.2}–{max:.2})", self.median()),
            _ => "–".to_owned(),
        }
    }
}

pub fn spread(row: &Row, name: &str) -> Spread {
    Spread::new(row.rounds.iter().filter_map(|findings| findings.get(name).copied()))
}

/// Round by round: what the machine does in one does not count in another.
pub fn ratio_to(row: &Row, base: Option<&Row>, name: &str) -> Spread {
    let value = |findings: &Findings| findings.get(name).copied().unwrap_or(f64::NAN);
    let base = base.map_or(&[][..], |base| &base.rounds);
    Spread::new(row.rounds.iter().zip(base).map(|(own, base)| value(own) / value(base)))
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".to_owned(),
        value if value < 20.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
