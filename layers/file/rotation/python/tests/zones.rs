//! In time zones, and beside Python itself.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::tz::{AmbiguousOffset, TimeZone};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::*;
use crate::skip::{installed, needs};

/// PY-43: what Python 3.13 says, and on Lord Howe Island what is right.
#[test]
fn deadlines_in_zones_are_those_of_python() {
    for (zone, now, when, interval, at_time, deadline) in [
        ("America/New_York", "2024-03-09T15:00:00-05:00", "midnight", 1, None, "2024-03-10T00:00:00-05:00"),
        ("America/New_York", "2024-03-09T15:00:00-05:00", "midnight", 1, Some("02:30"), "2024-03-10T03:30:00-04:00"),
        ("America/New_York", "2024-03-09T15:00:00-05:00", "midnight", 2, None, "2024-03-11T00:00:00-04:00"),
        ("America/New_York", "2024-03-09T15:00:00-05:00", "W6", 1, None, "2024-03-11T00:00:00-04:00"),
        ("America/New_York", "2024-03-09T15:00:00-05:00", "W6", 1, Some("12:00"), "2024-03-10T12:00:00-04:00"),
        ("America/New_York", "2024-11-02T15:00:00-04:00", "midnight", 1, Some("01:30"), "2024-11-03T01:30:00-04:00"),
        ("America/New_York", "2024-11-02T15:00:00-04:00", "midnight", 1, Some("02:30"), "2024-11-03T02:30:00-05:00"),
        ("America/New_York", "2024-11-02T15:00:00-04:00", "midnight", 2, None, "2024-11-04T00:00:00-05:00"),
        ("America/New_York", "2024-11-02T15:00:00-04:00", "W6", 1, Some("12:00"), "2024-11-03T12:00:00-05:00"),
        ("Europe/Paris", "2024-10-26T15:00:00+02:00", "midnight", 1, Some("02:30"), "2024-10-27T02:30:00+02:00"),
        ("Australia/Lord_Howe", "2024-10-05T15:00:00+10:30", "W6", 1, Some("12:00"), "2024-10-06T12:00:00+11:00"),
        ("Australia/Lord_Howe", "2024-10-05T15:00:00+10:30", "midnight", 2, None, "2024-10-07T00:00:00+11:00"),
    ] {
        let found = rule(when, interval, at_time).zone(zone).unwrap().deadline(time(now));
        assert_eq!(found, time(deadline), "{zone} {now} {when} {interval} {at_time:?}");
    }
}

fn time(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::new(time.as_second(), 0)
}

#[derive(Clone, Debug)]
struct Case {
    zone: &'static str,
    when: &'static str,
    interval: u32,
    at_time: Option<u32>,
    now: i64,
}

impl Case {
    fn rule(&self) -> TimedRotating {
        let time = |time: u32| format!("{:02}:{:02}:{:02}", time / 3_600, time / 60 % 60, time % 60);
        let rule = rule(self.when, self.interval, self.at_time.map(time).as_deref());
        if self.zone == "UTC" { rule } else { rule.zone(self.zone).unwrap() }
    }

    fn json(&self) -> Value {
        json!({
            "zone": self.zone, "when": self.when, "interval": self.interval, "at_time": self.at_time,
            "now": self.now, "backups": 0,
        })
    }

    fn is_on_wall(&self) -> bool {
        self.when == "MIDNIGHT" || self.when.starts_with('W')
    }

    /// Offset and daylight saving then.
    fn clock(&self, seconds: i64) -> (i64, bool) {
        let zone = TimeZone::get(self.zone).unwrap();
        let info = zone.to_offset_info(jiff::Timestamp::from_second(seconds).unwrap());
        (info.offset().seconds().into(), info.dst().is_dst())
    }

    /// Between the two the clocks are changed by something else than an hour of daylight saving, which is all that Python
    /// reckons with.
    fn is_odd(&self, one: i64, other: i64) -> bool {
        let ((one, was), (other, is)) = (self.clock(one), self.clock(other));
        other - one != 3_600 * (i64::from(is) - i64::from(was))
    }

    /// The clock shows the time of the day, or has left it out.
    fn is_right(&self, deadline: i64) -> bool {
        let zone = TimeZone::get(self.zone).unwrap();
        let time = i64::from(self.at_time.unwrap_or(0));
        let (offset, _) = self.clock(deadline);
        let shown = (deadline + offset).rem_euclid(86_400);
        let change = zone.preceding(jiff::Timestamp::from_second(deadline + 1).unwrap()).next();
        let is_after_gap = change.is_some_and(|change| deadline - change.timestamp().as_second() < 86_400);
        let asked = zone.to_ambiguous_timestamp(wall(deadline + offset - shown + time));
        shown == time || is_after_gap && matches!(asked.offset(), AmbiguousOffset::Gap { .. })
    }
}

fn wall(local: i64) -> jiff::civil::DateTime {
    TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(local).unwrap())
}

fn cases(count: usize) -> Vec<Case> {
    let times = prop_oneof![Just(None), (0..86_400_u32).prop_map(Some), (0..8_u32).prop_map(|half| Some(half * 1_800))];
    let whens = prop::sample::select(vec![
        "S", "M", "H", "D", "MIDNIGHT", "MIDNIGHT", "MIDNIGHT", "W0", "W1", "W2", "W3", "W4", "W5", "W6",
    ]);
    let intervals = prop_oneof![Just(1), Just(1), 2..40_u32];
    // The years 1975 to 2037; near a change of the clocks where `near` says so, on the half hours around it, or anywhere.
    let points = (150_000_000..2_140_000_000_i64, -96..96_i64, 0..3_u8, 0..1_800_i64);
    let case = (prop::sample::select(ZONES.to_vec()), whens, intervals, times, points).prop_map(
        |(zone, when, interval, at_time, (point, half_hours, near, seconds))| {
            let change = TimeZone::get(zone)
                .unwrap()
                .following(jiff::Timestamp::from_second(point).unwrap())
                .next()
                .map_or(point, |change| change.timestamp().as_second())
                .min(2_140_000_000);
            let now = match near {
                0 => point,
                1 => change + half_hours * 1_800,
                _ => change + half_hours * 1_800 + seconds,
            };
            Case { zone, when, interval, at_time, now }
        },
    );
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| case.new_tree(&mut runner).unwrap().current()).collect()
}

/// `computeRollover`, and the names of `doRollover`: the same, or one of the differences that [`TimedRotating`] lists.
#[test]
fn deadlines_and_names_are_those_of_python_itself() {
    let cases = cases(6_000);
    let (version, answers) = needs!(python(&cases.iter().map(Case::json).collect::<Vec<_>>()));
    let (mut same, mut listed, mut left_out, mut wrong) = (0, 0, 0, Vec::new());
    for (case, theirs) in cases.iter().zip(&answers) {
        let rule = case.rule();
        let ours = rule.deadline(Timestamp::new(case.now, 0));
        let (deadline, suffix) = (theirs["deadline"].as_i64().unwrap(), theirs["suffix"].as_str().unwrap());
        if version < (3, 13) && is_of_3_13(case, ours.seconds()) {
            left_out += 1;
            continue;
        }
        let is_same = ours.seconds() == deadline;
        let odd = || case.is_odd(case.now, deadline) || case.is_odd(case.now, ours.seconds());
        if !(is_same || case.is_on_wall() && odd() && case.is_right(ours.seconds())) {
            wrong.push(format!("{case:?}: {} and not {deadline}", ours.seconds()));
            continue;
        }
        // Of the same deadline. Python looks at the clock when it rolls, and at the one an interval earlier.
        let name = rule.suffix(Timestamp::new(deadline, 0));
        let days = i64::from(case.interval) * unit(case.when);
        let moved = case.clock(deadline).1 != case.clock(deadline - days).1;
        let is_listed =
            case.zone != "UTC" && if case.is_on_wall() { case.is_odd(deadline, deadline - days) } else { moved };
        match name == suffix {
            false if !is_listed => wrong.push(format!("{case:?} at {deadline}: {name} and not {suffix}")),
            is_same_name if is_same && is_same_name => same += 1,
            _ => listed += 1,
        }
    }
    println!("python {version:?}: {same} the same, {listed} listed differences, {left_out} only since 3.13");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong[..wrong.len().min(12)].join("\n"));
    assert!(same > cases.len() / 2, "{same}");
    assert!(listed < cases.len() / 5, "{listed}");
}

/// What 3.13 has changed: see [`TimedRotating`].
fn is_of_3_13(case: &Case, deadline: i64) -> bool {
    let at = i64::from(case.at_time.unwrap_or(86_400));
    let (offset, _) = case.clock(case.now);
    let is_now = (case.now + offset).rem_euclid(86_400) == at;
    case.is_on_wall() && (case.interval > 1 || is_now || case.clock(case.now) != case.clock(deadline))
}

fn unit(when: &str) -> i64 {
    match when {
        "S" => 1,
        "M" => 60,
        "H" => 3_600,
        "D" | "MIDNIGHT" => 86_400,
        _ => 604_800,
    }
}

/// `getFilesToDelete`.
#[test]
fn files_that_are_too_many_are_those_of_python_itself() {
    let part = prop_oneof![
        Just("app.log".to_owned()),
        Just(".".to_owned()),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}(-[0-9]{2}){0,2}",
        "[0-9._a-z-]{0,5}",
        Just("٣".to_owned()),
    ];
    let usual = "app\\.log\\.202[0-9]-[01][0-9]-[0-3][0-9](_[0-2][0-9](-[0-5][0-9]){0,2})?(\\.gz|x|)";
    let name = prop_oneof![3 => usual.boxed(), 1 => prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())];
    let whens = prop::sample::select(vec!["S", "M", "H", "D", "MIDNIGHT", "W3"]);
    let case = (whens, 1..4_usize, prop::collection::vec(name, 0..40));
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    let cases: Vec<_> = (0..1_000).map(|_| case.new_tree(&mut runner).unwrap().current()).collect();
    let json = |(when, backups, names): &(&str, usize, Vec<String>)| json!({ "zone": "UTC", "when": when, "interval": 1, "at_time": null, "backups": backups, "names": names });
    let (version, answers) = needs!(python(&cases.iter().map(json).collect::<Vec<_>>()));
    // Its pattern for old files is another, and the script leaves out what differs.
    let is_known = |name: &&String| {
        let plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || b"-_".contains(&byte));
        version >= (3, 13) || name.strip_prefix("app.log.").is_some_and(plain)
    };
    let mut removed = 0;
    for ((when, backups, names), theirs) in cases.iter().zip(&answers) {
        let names = names.iter().filter(is_known);
        let ours = rule(when, 1, None).backup_count(*backups).surplus("app.log", names);
        let theirs: Vec<_> = theirs.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(ours, theirs, "{when} {backups}");
        removed += ours.len();
    }
    assert!(removed > 300, "{removed}");
}

/// Its version and its answers. The error says that there is no Python.
fn python(cases: &[Value]) -> Result<((u64, u64), Vec<Value>), String> {
    let child = Command::new("python3")
        .args(["-X", "utf8", "-c", include_str!("../reference.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = installed("python3", child)?;
    let input = serde_json::to_vec(cases).unwrap();
    // It reads all before it writes.
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 failed");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |index: usize| answer["version"][index].as_u64().unwrap();
    Ok(((number(0), number(1)), answer["answers"].as_array().unwrap().clone()))
}

const ZONES: [&str; 11] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Havana",
    "Antarctica/Troll",
    "Europe/Moscow",
];
