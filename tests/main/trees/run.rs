//! Sends the same records through a tree and through its model, and compares the two after each step.

use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::handler::Handler;
use tracing_handlers::receive::Lines;
use tracing_handlers::record::{Batch, Kind};
use tracing_handlers::{Error, ErrorClass, RecordBuf};

use super::forest::build::PATIENCE;
use super::forest::model::{Counted, Fault, Handled, Missed, Node, make};
use super::forest::record::{Current, PLACES, says};
use super::forest::{Bench, Real, Rec, Say, Tree, World};

#[derive(Clone, Debug)]
pub enum Step {
    Log(Say),
    Batch(Vec<Say>),
    /// Text written in two pieces to a [`Lines`] in front of the tree.
    Line(String),
    /// The span of a request closes.
    Close(usize),
    Flush,
    /// A flush, then enough time for every interval and window to end.
    Wait,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => says().prop_map(Step::Log),
        4 => prop::collection::vec(says(), 0..8).prop_map(Step::Batch),
        1 => prop::sample::select(vec!["one", "two"]).prop_map(|text| Step::Line(text.to_owned())),
        1 => (0..PLACES).prop_map(Step::Close),
        1 => Just(Step::Flush),
        2 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 0..20)
}

/// A tree and its model, running side by side.
pub struct Run {
    bench: Bench,
    world: Rc<World>,
    lines: Lines<Arc<Real>>,
    real: Arc<Real>,
    model: Node,
    requests: Current,
    /// In seconds.
    time: i64,
}

impl Run {
    pub fn new(tree: &Tree) -> Self {
        let bench = Bench::new();
        let world = World::new(Some(bench.seen.clone()));
        let real = Arc::new(bench.build(tree, "0"));
        let lines = Lines::new(real.clone()).clock(bench.clock.clone());
        let model = make(tree, "0", &world);
        Self { bench, world, lines, real, model, requests: Current::default(), time: 0 }
    }

    pub fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.time += 1;
        match step {
            Step::Log(say) => {
                let record = say.record(self.time, &self.requests);
                self.log(&record)
            }
            Step::Batch(says) => {
                let records: Vec<_> = says.iter().map(|say| say.record(self.time, &self.requests)).collect();
                self.log_all(&records)
            }
            Step::Line(text) => {
                self.bench.clock.step(Timestamp::new(1_000 + self.time, 0));
                let (start, end) = text.split_at(1);
                self.lines.write_all(start.as_bytes()).unwrap();
                self.lines.write_all(format!("{end}\n").as_bytes()).unwrap();
                let _ = self.model.handle(&Rec::event(9, "lines", text, self.time));
                Ok(())
            }
            Step::Close(place) => self.close(*place),
            Step::Flush => self.flush(),
            Step::Wait => {
                self.flush()?;
                self.time += 61;
                self.bench.clock.advance(Duration::from_secs(60));
                self.world.now.set(self.world.now.get() + 60);
                Ok(())
            }
        }
    }

    /// Drops the tree without a flush.
    pub fn end(mut self) -> Result<(), TestCaseError> {
        drop(self.lines);
        drop(self.real);
        self.world.is_over.set(true);
        let seen = self.bench.seen.clone();
        let _ = self.model.flush();
        compare_lines(&self.model, seen.lines())
    }

    fn log(&mut self, record: &Rec) -> Result<(), TestCaseError> {
        let handled = self.real.handle(&record.real().as_record());
        prop_assert_eq!(handled.map_err(|error| fault(&error)), self.model.handle(record), "{:?}", record);
        Ok(())
    }

    fn log_all(&mut self, records: &[Rec]) -> Result<(), TestCaseError> {
        let real: Vec<RecordBuf> = records.iter().map(Rec::real).collect();
        let batch: Batch = real.iter().collect();
        let handled = self.real.handle_batch(batch.records()).map_err(|partial| Missed {
            places: partial.missed(records.len()).collect(),
            fault: fault(&partial.error),
        });
        prop_assert_eq!(handled, self.model.batch(records), "{:?}", records);
        Ok(())
    }

    /// Like the layer, sends the record of a closed span only if the tree asks for it.
    fn close(&mut self, place: usize) -> Result<(), TestCaseError> {
        let Some(request) = self.requests.of(place) else { return Ok(()) };
        self.requests.end(place);
        match self.real.span_events().contains(Kind::SpanClose) {
            true => self.log(&Rec::close(request, self.time)),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), TestCaseError> {
        let before = self.bench.seen.flushes();
        let flushed: Handled = self.real.flush(Instant::now() + PATIENCE).map_err(|error| fault(&error));
        prop_assert_eq!(flushed, self.model.flush());
        for (name, flushes) in self.bench.seen.flushes() {
            prop_assert!(flushes > before.get(&name).copied().unwrap_or(0), "{} was not flushed", name);
        }
        compare_lines(&self.model, self.bench.seen.lines())?;
        let mut reports = Vec::new();
        self.real.report(&mut reports);
        for report in &reports {
            prop_assert!(report.stats.balances(), "{}", report);
        }
        let counted: Vec<_> = reports.iter().map(Counted::from).collect();
        prop_assert_eq!(counted, self.model.reports());
        Ok(())
    }
}

fn compare_lines(model: &Node, real: Vec<(String, Vec<String>)>) -> Result<(), TestCaseError> {
    let mut lines = Vec::new();
    model.lines(&mut lines);
    lines.sort();
    prop_assert_eq!(real, lines);
    Ok(())
}

fn fault(error: &Error) -> Fault {
    if error.class() == ErrorClass::Permanent { Fault::Lasting } else { Fault::Passing }
}
