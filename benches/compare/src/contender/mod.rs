//! The contenders. Each one is a file here and a line in [`all`].

mod buffer;
mod flexi;
mod floor;
mod ftlog;
mod json_subscriber;
mod layer;
mod log4rs;
mod log_crate;
mod logforth;
mod ours;
mod slog;
mod spdlog;
mod swap;
mod tracing_subscriber;

use std::path::PathBuf;

use crate::event::Logger;
use crate::scenario::{Scenario, Sink};

/// A contender.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    pub kind: Kind,
    /// The differences from the task.
    pub note: &'static str,
    /// What its lines are held against.
    pub check: Check,
    pub serves: fn(&Scenario) -> bool,
    /// Installs it, for good: a child process has one contender.
    pub start: fn(&Job) -> Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Ours,
    Rival,
}

/// How much of a line can be held against the event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Writes nothing.
    Nothing,
    /// Writes a ready line: only their number counts.
    Lines,
    /// The message.
    Message,
    /// The message and the fields.
    Fields,
    /// These and the spans' fields.
    Spans,
    /// Every byte but the timestamp.
    Bytes,
    /// The message and the fields, and nothing of [`SECRET`](crate::event::SECRET).
    Redacted,
}

/// What a contender is started for.
pub struct Job {
    pub scenario: Scenario,
    pub dir: PathBuf,
}

impl Job {
    pub fn file(&self) -> PathBuf {
        self.dir.join("out.log")
    }

    /// Of three: everything, INFO, WARN.
    pub fn files(&self) -> [PathBuf; 3] {
        ["out.log", "info.log", "warn.log"].map(|name| self.dir.join(name))
    }
}

/// A contender at work.
pub struct Running {
    pub logger: Box<dyn Logger>,
    /// Called when the logger is dropped; comes back when everything is in the file.
    pub drain: Box<dyn FnOnce()>,
}

pub fn all() -> Vec<Contender> {
    let mut all = floor::all();
    all.extend(layer::all());
    all.push(swap::contender());
    all.extend(ours::all());
    all.push(tracing_subscriber::contender());
    all.push(json_subscriber::contender());
    all.push(logforth::contender());
    all.push(spdlog::contender());
    all.push(flexi::contender());
    all.push(log4rs::contender());
    all.push(slog::contender());
    all.push(ftlog::contender());
    all
}

pub fn named(name: &str) -> Option<Contender> {
    all().into_iter().find(|contender| contender.name == name)
}

/// The sinks with which `contender` takes part: in the latency scenarios several, side by side.
pub fn sinks(contender: &Contender, scenario: &Scenario) -> Vec<Sink> {
    let crate::scenario::Task::Load(_) = scenario.task else { return vec![scenario.sink] };
    match contender.name {
        "ours" => vec![Sink::Buffered, Sink::Unbuffered, Sink::Lossless],
        "floor-swap" | "ts" | "jsub" | "slog" => vec![Sink::Lossless],
        _ => vec![],
    }
}

/// 64 KiB, for all contenders.
const BUFFER: usize = 64 << 10;
