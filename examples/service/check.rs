//! Reads the log files of a run back, and compares them with what the client saw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tracing_handlers::handler::Report;

use crate::client::{Answers, Failure};
use crate::{ERRORS, JSON};

/// Returns the log files in `dir`: the error file, the JSON file and its rotated files.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    match fs::read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name == ERRORS || name.starts_with(JSON) {
                    files.push(path);
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    files.sort();
    Ok(files)
}

/// The contents of the files.
#[derive(Default)]
pub struct Found {
    json: Size,
    rotated: usize,
    errors: Size,
    levels: BTreeMap<String, usize>,
    /// Lines logged by the shop itself, not by its libraries.
    own: usize,
    /// Request ids by the outcome in the log, once for each time it is logged.
    finished: Vec<String>,
    refused: Vec<String>,
    failed: Vec<String>,
    failed_in_text: Vec<String>,
    far: usize,
    faults: Vec<String>,
}

#[derive(Default)]
struct Size {
    lines: usize,
    bytes: usize,
}

pub fn read(dir: &Path) -> Result<Found, Failure> {
    let mut found = Found::default();
    for path in files(dir)? {
        let text = String::from_utf8(fs::read(&path)?)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if text.contains('\x1b') {
            found.faults.push(format!("{name} contains an escape character"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            found.faults.push(format!("{name} ends within a line"));
        }
        match name == ERRORS {
            true => found.read_errors(&text),
            false => found.read_json(&name, &text),
        }
    }
    Ok(found)
}

impl Found {
    fn read_json(&mut self, name: &str, text: &str) {
        self.rotated += usize::from(name != JSON);
        self.json.add(text);
        for (index, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(Unique(record)) => self.read_record(&record),
                Err(error) => self.faults.push(format!("{name}, line {}: {error:#}", index + 1)),
            }
        }
    }

    fn read_record(&mut self, record: &Value) {
        let level = record["level"].as_str().unwrap_or("no level");
        *self.levels.entry(level.to_owned()).or_default() += 1;
        self.own += usize::from(record["target"].as_str().is_some_and(|target| target.starts_with("service")));
        let request = record["spans"].as_array().and_then(|spans| spans.iter().find(|span| span["name"] == "request"));
        let id = request.and_then(|request| request["request_id"].as_str()).unwrap_or("no id").to_owned();
        match (level, record["message"].as_str().unwrap_or_default()) {
            ("DEBUG", "finished") => {
                if !request.is_some_and(is_filled_in) {
                    self.faults.push(format!("the span of a finished request lacks what was recorded: {record}"));
                }
                self.finished.push(id);
            }
            ("INFO", "fetched from far away") => self.far += 1,
            ("WARN", _) => self.refused.push(id),
            ("ERROR", _) => self.failed.push(id),
            _ => {}
        }
    }

    fn read_errors(&mut self, text: &str) {
        self.errors.add(text);
        for line in text.lines() {
            let level = line.split_whitespace().nth(1).unwrap_or("no level");
            if level != "ERROR" {
                self.faults.push(format!("{ERRORS} contains a line of another level: {line}"));
            }
            let id = line.split_once(" request_id=").and_then(|(_, rest)| rest.split(' ').next());
            self.failed_in_text.push(id.unwrap_or("no id").to_owned());
        }
    }

    /// Returns every difference between the files and what is expected.
    pub fn compare(&self, answers: &Answers, reports: &[Report]) -> Vec<String> {
        let mut faults = self.faults.clone();
        let mut expect = |holds: bool, fault: &str| {
            if !holds {
                faults.push(fault.to_owned());
            }
        };
        // Every order logs six lines, or five if it fails before payment. Opening and closing the shop log one each.
        expect(self.own == 2 + 6 * answers.all.len() - answers.failed.len(), "the number of lines is wrong");
        expect(same(&self.finished, &answers.all), "not every request is logged as finished exactly once");
        expect(same(&self.refused, &answers.refused), "the WARN records do not match the refused requests");
        expect(same(&self.failed, &answers.failed), "the ERROR records do not match the failed requests");
        expect(same(&self.failed_in_text, &answers.failed), "the error file does not match the failed requests");
        expect(self.far == answers.far, "the INFO records do not match the slow requests");
        expect(reports.iter().all(|report| report.stats.balances()), "the reports do not balance");
        expect(reports.iter().all(|report| report.stats.lost() == 0), "records were lost");
        for (name, size) in [(JSON, &self.json), (ERRORS, &self.errors)] {
            let delivered =
                reports.iter().find(|report| report.name.ends_with(name)).map(|report| report.stats.delivered);
            expect(
                delivered == Some(size.lines as u64),
                &format!("the number of lines in {name} differs from the number delivered"),
            );
        }
        faults
    }
}

/// Whether the span has the fields that were recorded after its creation: `user`, `status` and `latency_ms`.
fn is_filled_in(request: &Value) -> bool {
    request["user"] != "nobody" && request["status"].is_u64() && request["latency_ms"].is_f64()
}

fn same(logged: &[String], answered: &BTreeSet<String>) -> bool {
    logged.len() == answered.len() && logged.iter().all(|id| answered.contains(id))
}

impl Size {
    fn add(&mut self, text: &str) {
        self.lines += text.lines().count();
        self.bytes += text.len();
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kib = |size: &Size| size.bytes.div_ceil(1 << 10);
        let levels: Vec<_> = self.levels.iter().rev().map(|(level, count)| format!("{level} {count}")).collect();
        writeln!(f, "files")?;
        writeln!(f, "  {JSON:<16} {:>7} lines {:>7} KiB  {}", self.json.lines, kib(&self.json), levels.join(", "))?;
        writeln!(f, "  {:<16} rotated {} times", "", self.rotated)?;
        writeln!(f, "  {ERRORS:<16} {:>7} lines {:>7} KiB", self.errors.lines, kib(&self.errors))
    }
}

/// A JSON value without duplicate keys; serde_json alone would silently keep the last one.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((key, Unique(value))) = map.next_entry::<String, _>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Unique(value)) = seq.next_element()? {
            array.push(value);
        }
        Ok(array.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
