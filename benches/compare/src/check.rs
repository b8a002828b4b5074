//! Reads the files back and checks that every line is there, parses, is in order, and has the event's fields.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::contender::{Check, Job};
use crate::event::{Level, MESSAGE, SECRET, Values, first_number};
use crate::line::{self, Stamp};
use crate::scenario::{Scenario, Sink, Spans, Task};

/// What lies in the files.
#[derive(Default)]
pub struct Written {
    /// Of events: what a logger says of itself is not counted.
    pub lines: u64,
    pub bytes: u64,
}

/// `logged` tells how many events each thread logged, its first number being known.
///
/// # Errors
///
/// The first thing that is not as it should be, with its line.
pub fn check(check: Check, job: &Job, logged: &[u64]) -> Result<Written, String> {
    let scenario = &job.scenario;
    match (check, scenario.task) {
        (Check::Nothing, _) => Ok(Written::default()),
        (_, Task::Off | Task::OffHere) => nothing(&only_file(job)),
        (_, Task::Rotation) => rotated(check, job, logged),
        (_, Task::ThreeOutputs) => {
            let [all, info, warn] = job.files();
            let mut written = Written::default();
            for (path, level, text) in
                [(all, Level::Debug, false), (info, Level::Info, true), (warn, Level::Warn, false)]
            {
                let mut reader = Reader { check, scenario, text, level, next: firsts(logged), written };
                reader.read(&path)?;
                reader.end(logged)?;
                written = reader.written;
            }
            Ok(written)
        }
        _ => {
            let next = firsts(logged);
            let mut reader =
                Reader { check, scenario, text: scenario.text, level: Level::Debug, next, written: Written::default() };
            reader.read(&only_file(job))?;
            reader.end(logged)?;
            Ok(reader.written)
        }
    }
}

fn firsts(logged: &[u64]) -> Vec<u64> {
    (0..logged.len() as u64).map(first_number).collect()
}

/// Some give it a name of their own.
fn only_file(job: &Job) -> PathBuf {
    let named = std::fs::read_dir(&job.dir).ok().and_then(|mut files| files.next()?.ok());
    named.map_or_else(|| job.file(), |file| file.path())
}

fn nothing(path: &Path) -> Result<Written, String> {
    match std::fs::metadata(path).map_or(0, |metadata| metadata.len()) {
        0 => Ok(Written::default()),
        bytes => Err(format!("{bytes} bytes of events that nobody wants")),
    }
}

/// However the files are called, they must go on from one to the next up to the last event.
fn rotated(check: Check, job: &Job, logged: &[u64]) -> Result<Written, String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&job.dir).map_err(|error| error.to_string())?.flatten() {
        let (path, size) = (entry.path(), entry.metadata().map_or(0, |metadata| metadata.len()));
        // Some rotate before the line that does not fit, some after it.
        if size > ROTATE_AT + 1024 {
            return Err(format!("{}: {size} bytes", path.display()));
        }
        if let Some(first) = first_of(&path) {
            files.push((first, path));
        }
    }
    files.sort();
    let total = logged[0];
    if files.len() > 7 {
        return Err(format!("{} files", files.len()));
    }
    let Some(&(first, _)) = files.first() else { return Err("no files".to_owned()) };
    let mut reader = Reader {
        check,
        scenario: &job.scenario,
        text: job.scenario.text,
        level: Level::Debug,
        next: vec![first],
        written: Written::default(),
    };
    files.iter().try_for_each(|(_, path)| reader.read(path))?;
    reader.end(&[total])?;
    Ok(reader.written)
}

fn first_of(path: &PathBuf) -> Option<u64> {
    let mut line = String::new();
    BufReader::new(File::open(path).ok()?).read_line(&mut line).ok()?;
    number_in(line.as_bytes())
}

struct Reader<'a> {
    check: Check,
    scenario: &'a Scenario,
    text: bool,
    /// What the file has.
    level: Level,
    /// The number that each thread's next line must have.
    next: Vec<u64>,
    written: Written,
}

/// Whether a line has a field of that name and value.
type Has<'l> = Box<dyn Fn(&str, &str) -> bool + 'l>;

impl Reader<'_> {
    fn read(&mut self, path: &Path) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(cannot)?);
        let (mut line, mut expected) = (Vec::new(), Vec::new());
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
                return Ok(());
            }
            self.line(&line, &mut expected)
                .map_err(|what| format!("{}: {what}: {}", path.display(), String::from_utf8_lossy(&line)))?;
        }
    }

    fn line(&mut self, line: &[u8], expected: &mut Vec<u8>) -> Result<(), String> {
        if line.last() != Some(&b'\n') {
            return Err("a line is cut off".to_owned());
        }
        // A contender without fields has no JSON either.
        if !self.text && self.check != Check::Message {
            serde_json::from_slice::<IgnoredAny>(line).map_err(|error| error.to_string())?;
        }
        let Some(number) = number_in(line) else { return self.notice() };
        self.written.lines += 1;
        self.written.bytes += line.len() as u64;
        if self.check == Check::Lines {
            return Ok(());
        }
        let thread = self.in_order(number)?;
        match self.check {
            Check::Bytes => self.same_bytes(line, thread, number, expected),
            _ => self.same_values(line, thread, number),
        }
    }

    /// Loggers that lose events say so in the log.
    fn notice(&self) -> Result<(), String> {
        match self.scenario.sink {
            Sink::Default => Ok(()),
            _ => Err("not the event".to_owned()),
        }
    }

    /// Returns the thread.
    fn in_order(&mut self, number: u64) -> Result<u64, String> {
        let thread = number / first_number(0) - 1;
        let Some(next) = self.next.get_mut(thread as usize) else { return Err("a number of nobody".to_owned()) };
        while Level::of(*next) < self.level {
            *next += 1;
        }
        let may_lose = self.scenario.sink == Sink::Default;
        if number != *next && !(may_lose && number > *next) {
            return Err(format!("expected number {next}"));
        }
        *next = number + 1;
        Ok(thread)
    }

    fn same_bytes(&self, line: &[u8], thread: u64, number: u64, expected: &mut Vec<u8>) -> Result<(), String> {
        let values = Values::of(number);
        let level = match self.scenario.task {
            Task::ThreeOutputs => Level::of(number).name(),
            _ => Level::Info.name(),
        };
        let path = match self.scenario.spans {
            Spans::None => line::Path::None,
            Spans::Three => line::Path::Three(thread + 1),
            Spans::Each => line::Path::One(number),
        };
        expected.clear();
        match self.text {
            true => line::text_rest(expected, level, &values, path),
            false => line::json_rest(expected, level, &values, path),
        }
        let start = if self.text { Stamp::LENGTH } else { b"{\"timestamp\":\"\"".len() + Stamp::LENGTH };
        match line.get(start..) {
            Some(rest) if rest == &expected[..] => Ok(()),
            _ => Err(format!("expected … {}", String::from_utf8_lossy(expected))),
        }
    }

    fn same_values(&self, line: &[u8], thread: u64, number: u64) -> Result<(), String> {
        let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let redacted = self.check == Check::Redacted;
        if redacted && line.contains(SECRET) {
            return Err("what was redacted is there".to_owned());
        }
        if self.check == Check::Message {
            return Ok(());
        }
        let has: Has<'_> = match self.text {
            true => Box::new(move |name, value| text_has(line, name, value)),
            false => {
                let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
                Box::new(move |name, expected| json_has(&value, name, expected))
            }
        };
        let values = Values::of(number);
        let mut wanted = vec![
            ("bytes", values.bytes.to_string()),
            ("price", values.price.to_string()),
            ("article", values.article.to_owned()),
            ("paid", values.paid.to_string()),
        ];
        let id = if self.scenario.spans == Spans::Each { number } else { thread + 1 };
        if self.check != Check::Fields && self.scenario.spans != Spans::None {
            wanted.extend([("method", "GET".to_owned()), ("id", id.to_string())]);
        }
        if self.check != Check::Fields && self.scenario.spans == Spans::Three {
            wanted.extend([("items", "3".to_owned()), ("table", "articles".to_owned()), ("rows", "42".to_owned())]);
            wanted.push(("customer", if redacted { "***" } else { SECRET }.to_owned()));
        }
        match wanted.iter().find(|(name, value)| !has(name, value)) {
            Some((name, value)) => Err(format!("no {name}={value}")),
            None => Ok(()),
        }
    }

    /// As many lines as events, unless some may be lost.
    fn end(&self, logged: &[u64]) -> Result<(), String> {
        if self.check == Check::Lines {
            let total = logged.iter().sum::<u64>();
            return if self.written.lines == total { Ok(()) } else { Err(format!("{} lines", self.written.lines)) };
        }
        if self.scenario.sink == Sink::Default {
            return Ok(());
        }
        for (thread, (next, logged)) in self.next.iter().zip(logged).enumerate() {
            let end = first_number(thread as u64) + logged;
            let missing = (*next..end).filter(|number| Level::of(*number) >= self.level).count();
            if missing > 0 {
                return Err(format!("the last {missing} events are missing"));
            }
        }
        Ok(())
    }
}

fn number_in(line: &[u8]) -> Option<u64> {
    let message = MESSAGE.0.as_bytes();
    let at = memchr::memmem::find(line, message)? + message.len();
    let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Somewhere in it, under this name: contenders group fields as they like, and some write all of them as strings.
fn json_has(value: &Value, name: &str, expected: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| (key == name && is(value, expected)) || json_has(value, name, expected))
        }
        Value::Array(items) => items.iter().any(|item| json_has(item, name, expected)),
        _ => false,
    }
}

fn is(value: &Value, expected: &str) -> bool {
    match value {
        Value::String(text) => text == expected || text.parse().is_ok_and(|number: f64| Ok(number) == expected.parse()),
        Value::Number(number) => number.as_f64() == expected.parse().ok(),
        Value::Bool(value) => value.to_string() == expected,
        _ => false,
    }
}

/// The name, and soon after it the value.
fn text_has(line: &str, name: &str, expected: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let rest = line[at + name.len()..].trim_start_matches(['"', '=', ':', ' ']);
        rest.starts_with(expected)
    })
}

/// 1 MiB.
pub const ROTATE_AT: u64 = 1 << 20;
