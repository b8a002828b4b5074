//! Files rotated by Python's rules, compared with those that Python's own handlers leave.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::rotation::python::{Rotating, TimedRotating};
use tracing_handlers::sink::File;

use super::files;
use crate::skip::{installed, needs};

/// `RotatingFileHandler`: random limits, numbers of old files and lines, some longer than the limit, some beyond ASCII. Python
/// is made to measure lines in bytes, which is the difference that [`Rotating`] lists.
#[test]
fn files_by_size_are_those_of_python() {
    let line = prop_oneof![3 => "[a-z]{0,8}", 1 => "[a-z é€]{0,30}", 1 => "[\u{1f600}x]{0,4}"];
    let cases = some(400, (0..60_u64, 0..4_usize, prop::collection::vec(line, 1..20)));
    let folder = tempfile::tempdir().unwrap();
    let json = |(index, (limit, backups, lines)): (usize, &(u64, usize, Vec<String>))| json!({ "folder": theirs(folder.path(), index), "limit": limit, "backups": backups, "lines": lines });
    let version = needs!(python(cases.iter().enumerate().map(json).collect()));
    let mut compared = 0;
    for (index, (limit, backups, lines)) in cases.iter().enumerate() {
        // 3.11 rolls an empty file too.
        if version < (3, 13) && lines.iter().any(|line| line.len() as u64 + 1 >= *limit) {
            continue;
        }
        let ours = ours(folder.path(), index);
        let mut file = File::open(ours.join("app.log")).unwrap().rotation(Rotating::new(*limit, *backups).into());
        lines.iter().for_each(|line| write(&mut file, line));
        drop(file);
        assert_eq!(files(&ours), files(&theirs(folder.path(), index)), "{limit} {backups} {lines:?}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[derive(Clone, Debug)]
struct Timed {
    when: &'static str,
    interval: u32,
    backups: usize,
    at_time: Option<u32>,
    zone: &'static str,
    begun: i64,
    /// Seconds from one line to the next.
    steps: Vec<i64>,
}

impl Timed {
    fn rule(&self) -> TimedRotating {
        let rule = TimedRotating::new(self.when).unwrap().interval(self.interval).backup_count(self.backups);
        let rule = match self.at_time {
            Some(time) => rule.at_time(&format!("{:02}:{:02}:00", time / 3_600, time / 60 % 60)).unwrap(),
            None => rule,
        };
        self.zoned(rule)
    }

    #[cfg(feature = "time-zone")]
    fn zoned(&self, rule: TimedRotating) -> TimedRotating {
        if self.zone == "UTC" { rule } else { rule.zone(self.zone).unwrap() }
    }

    #[cfg(not(feature = "time-zone"))]
    fn zoned(&self, rule: TimedRotating) -> TimedRotating {
        rule
    }

    /// Where no difference is listed: what is rolled after a change of the clocks Python misnames, also by a day.
    fn is_alike(&self, version: (u64, u64)) -> bool {
        let zone = jiff::tz::TimeZone::get(self.zone).unwrap();
        let begun = jiff::Timestamp::from_second(self.begun - 40 * 86_400).unwrap();
        let end = self.begun + self.steps.iter().sum::<i64>();
        let changes = zone.following(begun).next().is_some_and(|change| change.timestamp().as_second() <= end);
        !changes && (version >= (3, 13) || self.interval == 1)
    }
}

/// `TimedRotatingFileHandler`, with one clock for both.
#[test]
fn files_by_time_are_those_of_python() {
    let zones: &[&str] = if cfg!(feature = "time-zone") { &["UTC", "UTC", "Europe/Berlin"] } else { &["UTC"] };
    let whens = prop::sample::select(vec!["S", "M", "H", "D", "midnight", "midnight", "W0", "W5"]);
    let times = prop_oneof![Just(None), (0..1_440_u32).prop_map(|minute| Some(minute * 60))];
    let steps = prop::collection::vec((0..4_u32, 1..2_000_i64), 1..24);
    let cases: Vec<_> = some(
        600,
        (whens, 1..4_u32, 0..4_usize, times, prop::sample::select(zones), 0..400_000_000_i64, steps).prop_map(
            |(when, interval, backups, at_time, zone, second, steps)| {
                let unit = match when {
                    "S" => 1,
                    "M" => 60,
                    "H" => 3_600,
                    _ => 86_400,
                };
                // A tenth of a unit to twenty of them.
                let steps = steps.into_iter().map(|(kind, step)| match kind {
                    0 => unit * step / 100,
                    _ => unit * step / 1_000,
                });
                Timed { when, interval, backups, at_time, zone, begun: 1_500_000_000 + second, steps: steps.collect() }
            },
        ),
    );
    let folder = tempfile::tempdir().unwrap();
    let json = |(index, case): (usize, &Timed)| {
        json!({
            "folder": theirs(folder.path(), index), "when": case.when, "interval": case.interval,
            "backups": case.backups, "at_time": case.at_time, "zone": case.zone, "begun": case.begun, "steps": case.steps,
        })
    };
    let version = needs!(python(cases.iter().enumerate().map(json).collect()));
    let (mut compared, mut most) = (0, 0);
    for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.is_alike(version)) {
        let ours = ours(folder.path(), index);
        let clock = Arc::new(Manual::new(Timestamp::new(case.begun, 0)));
        let rotation = Rotation::from(case.rule()).clock(clock.clone());
        let mut file = File::open(ours.join("app.log")).unwrap().rotation(rotation);
        let mut now = case.begun;
        write(&mut file, &now.to_string());
        for step in &case.steps {
            now += step;
            clock.set(Timestamp::new(now, 0));
            write(&mut file, &now.to_string());
        }
        drop(file);
        let found = files(&ours);
        assert_eq!(found, files(&theirs(folder.path(), index)), "{version:?} {case:?}");
        compared += 1;
        most = most.max(found.len());
    }
    assert!(compared > 150 && most > 10, "{compared} {most}");
}

fn write(file: &mut File, line: &str) {
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn some<S: Strategy>(count: usize, strategy: S) -> Vec<S::Value> {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]));
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn ours(folder: &Path, index: usize) -> std::path::PathBuf {
    folder.join(format!("ours-{index}"))
}

fn theirs(folder: &Path, index: usize) -> std::path::PathBuf {
    folder.join(format!("theirs-{index}"))
}

/// Lets Python write its files, and returns its version. The error says that there is no Python.
fn python(cases: Vec<Value>) -> Result<(u64, u64), String> {
    cases.iter().for_each(|case| fs::create_dir(case["folder"].as_str().unwrap()).unwrap());
    let child = Command::new("python3")
        .args(["-X", "utf8", "-c", include_str!("reference.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = installed("python3", child)?;
    // It reads all before it writes.
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&cases).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 failed");
    let version: Value = serde_json::from_slice(&output.stdout).unwrap();
    Ok((version[0].as_u64().unwrap(), version[1].as_u64().unwrap()))
}
