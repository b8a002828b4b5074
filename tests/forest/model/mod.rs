//! A model of the handlers, written from their documentation: what each of them wants, hands on and counts.
//!
//! It has no threads and no locks. The one thing it cannot predict is how the worker of a queue divides records into batches; it
//! reads that from the log of the real queue.

mod alert;
mod around;
mod audit;
mod buffer;
mod dedup;
mod end;
mod fallback;
mod filtered;
mod group;
mod make;
mod queue;
mod retry;
mod rewriting;
mod route;
mod scoped;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use tracing::Level;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::Report;
use tracing_handlers::record::SpanEvents;
use tracing_handlers::stats::DropReason;

use super::parts::Seen;
use super::record::Rec;

pub use make::make;

/// The model of a handler.
pub trait Model {
    fn handle(&mut self, record: &Rec) -> Handled;

    /// By default one by one, without the span events that the handler does not ask for.
    fn batch(&mut self, records: &[Rec]) -> Batched {
        let (events, mut missed) = (self.span_events(), Vec::new());
        let mut last = None;
        for (place, record) in records.iter().enumerate() {
            if record.is_of_span() && !events.contains(record.kind) {
                continue;
            }
            if let Err(fault) = self.handle(record) {
                missed.push(place);
                last = Some(fault);
            }
        }
        last.map_or(Ok(()), |fault| Err(Missed { places: missed, fault }))
    }

    fn inner(&self) -> Vec<&Node>;

    fn inner_mut(&mut self) -> Vec<&mut Node>;

    /// The report of the handler itself and those of its filter.
    fn own_reports(&self) -> Vec<Counted> {
        Vec::new()
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        self.inner().iter().any(|inner| inner.enabled(asked))
    }

    fn most(&self) -> LevelFilter {
        self.inner().iter().map(|inner| inner.most()).max().unwrap_or(LevelFilter::OFF)
    }

    fn span_events(&self) -> SpanEvents {
        self.inner().iter().fold(SpanEvents::NONE, |all, inner| all | inner.span_events())
    }

    /// Flushes all inner handlers; the last error.
    fn flush(&mut self) -> Handled {
        last_error(self.inner_mut().into_iter().map(|inner| inner.flush()))
    }

    /// Turns the state into that of a forked child.
    fn fork(&mut self) {
        self.inner_mut().into_iter().for_each(|inner| inner.fork());
    }

    /// Appends the lines that each end has written, with its name.
    fn lines(&self, lines: &mut Vec<(String, Vec<String>)>) {
        self.inner().iter().for_each(|inner| inner.lines(lines));
    }

    fn report(&self, reports: &mut Vec<Counted>) {
        reports.extend(self.own_reports());
        self.inner().iter().for_each(|inner| inner.report(reports));
    }

    /// Whether the handler wants this record.
    fn wants(&self, record: &Rec) -> bool {
        (!record.is_of_span() || self.span_events().contains(record.kind)) && self.enabled(record.into())
    }

    fn reports(&self) -> Vec<Counted> {
        let mut reports = Vec::new();
        self.report(&mut reports);
        reports
    }
}

pub type Node = Box<dyn Model>;
pub type Handled = Result<(), Fault>;
pub type Batched = Result<(), Missed>;

/// Why a record was not delivered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Another attempt may succeed.
    Passing,
    /// Another attempt would fail too.
    Lasting,
}

/// Which records of a batch were not delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    pub places: Vec<usize>,
    pub fault: Fault,
}

/// The metadata that `enabled` is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub severity: u8,
    pub target: &'a str,
    pub is_span: bool,
}

impl<'a> From<&'a Rec> for Asked<'a> {
    fn from(record: &'a Rec) -> Self {
        Self { severity: record.severity, target: &record.target, is_span: record.is_of_span() }
    }
}

/// What all handlers of a tree share.
pub struct World {
    /// In seconds.
    pub now: Cell<u64>,
    /// The real tree has been dropped. A queue that was never used was not flushed.
    pub is_over: Cell<bool>,
    /// The process is exiting: records are handed on at once, duplicates included.
    pub is_exiting: Cell<bool>,
    /// The logs of the real queues. Without them a queue is emptied in one batch, and sinks hold their lines until a flush.
    pub seen: Option<Arc<Seen>>,
}

impl World {
    pub fn new(seen: Option<Arc<Seen>>) -> Rc<Self> {
        let no = || Cell::new(false);
        Rc::new(Self { now: Cell::new(0), is_over: no(), is_exiting: no(), seen })
    }
}

/// The counts of one report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    pub name: String,
    pub delivered: u64,
    pub failed: u64,
    pub pending: u64,
    pub dropped: HashMap<DropReason, u64>,
}

impl Counted {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub fn drop(&mut self, reason: DropReason, count: usize) {
        if count > 0 {
            *self.dropped.entry(reason).or_default() += count as u64;
        }
    }

    /// Counts one record by its outcome.
    fn one(&mut self, handled: Handled) -> Handled {
        match handled {
            Ok(()) => self.delivered += 1,
            Err(_) => self.failed += 1,
        }
        handled
    }

    /// Counts a batch by its outcome.
    fn all(&mut self, records: usize, handled: Batched) -> Batched {
        let missed = handled.as_ref().map_or_else(|missed| missed.places.len(), |()| 0);
        self.delivered += (records - missed) as u64;
        self.failed += missed as u64;
        handled
    }

    fn lost(&self) -> u64 {
        self.failed + self.dropped.values().sum::<u64>()
    }
}

impl From<&Report> for Counted {
    fn from(report: &Report) -> Self {
        let stats = &report.stats;
        let (name, dropped) = (report.name.clone(), stats.dropped.iter().collect());
        Self { name, delivered: stats.delivered, failed: stats.failed, pending: stats.pending, dropped }
    }
}

fn last_error(results: impl Iterator<Item = Handled>) -> Handled {
    results.filter(Result::is_err).last().unwrap_or(Ok(()))
}

/// The records that were missed.
fn left(records: &[Rec], missed: &Missed) -> Vec<Rec> {
    missed.places.iter().map(|place| records[*place].clone()).collect()
}

/// Hands a record over, unless it is of a span event that the handler does not ask for.
fn hand(node: &mut Node, record: &Rec) -> Handled {
    match record.is_of_span() && !node.span_events().contains(record.kind) {
        true => Ok(()),
        false => node.handle(record),
    }
}

fn level_of(severity: u8) -> Level {
    [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR, Level::ERROR][usize::from(severity - 1) / 4]
}

/// Whether `severity` passes the threshold `least`; `None` lets nothing pass.
fn allows(least: Option<u8>, severity: u8) -> bool {
    least.is_some_and(|least| severity >= least)
}

fn most_of(least: Option<u8>) -> LevelFilter {
    least.map_or(LevelFilter::OFF, |least| LevelFilter::from_level(level_of(least)))
}

/// `3 records`.
fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
