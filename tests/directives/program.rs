//! Random programs, and what filters select of them.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Output, Record, Value, filter, format};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

use crate::{events, spans};

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

pub enum Step {
    Event(usize),
    Span {
        callsite: usize,
        value: usize,
        /// Recorded before the span is entered.
        early: Option<usize>,
        /// Recorded after the first half of the steps.
        late: Option<usize>,
        steps: Vec<Step>,
    },
}

pub fn random(random: &mut Random, depth: usize) -> Vec<Step> {
    let steps = 1 + random.below(6);
    (0..steps)
        .map(|_| match depth < 4 && random.below(3) > 0 {
            true => {
                // A value that is recorded twice is a difference.
                let recorded = random.below(3);
                Step::Span {
                    callsite: random.below(usize::MAX),
                    value: random.below(60),
                    early: (recorded == 1).then(|| random.below(60)),
                    late: (recorded == 2).then(|| random.below(60)),
                    steps: self::random(random, depth + 1),
                }
            }
            false => Step::Event(random.below(usize::MAX)),
        })
        .collect()
}

pub struct Program {
    events: Vec<events::Log>,
    spans: Vec<spans::Make>,
    steps: Vec<Step>,
}

impl Program {
    pub fn new(steps: Vec<Step>) -> Self {
        Self { events: events::all(), spans: spans::all(), steps }
    }

    fn run(&self) {
        self.run_steps(&self.steps, &mut 0);
    }

    fn run_steps(&self, steps: &[Step], number: &mut u64) {
        for step in steps {
            match step {
                Step::Event(callsite) => {
                    *number += 1;
                    self.events[callsite % self.events.len()](*number);
                }
                Step::Span { callsite, value, early, late, steps } => {
                    let span = self.spans[callsite % self.spans.len()](*value);
                    early.iter().for_each(|value| spans::record(&span, *value));
                    let (first, second) = steps.split_at(steps.len() / 2);
                    span.in_scope(|| self.run_steps(first, number));
                    // Recorded while the span is not entered; within is a difference.
                    late.iter().for_each(|value| spans::record(&span, *value));
                    span.in_scope(|| self.run_steps(second, number));
                }
            }
        }
    }

    /// The numbers of the events that one of tracing-subscriber's filters selects.
    pub fn stock(&self, subscriber: impl Subscriber + Send + Sync, selected: &Arc<Mutex<Vec<u64>>>) -> Vec<u64> {
        tracing::subscriber::with_default(subscriber, || self.run());
        std::mem::take(&mut selected.lock().unwrap())
    }

    /// The numbers of the events that `filter` selects.
    pub fn ours(&self, filter: impl filter::Filter) -> Vec<u64> {
        let memory = Memory::new();
        let layer = tracing_handlers::layer(Output::new(format::from_fn(write_number), memory.clone()).filter(filter));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || self.run());
        memory.lines().iter().map(|line| line.parse().unwrap()).collect()
    }
}

fn write_number(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    let Some(Value::U64(number)) = record.field("n") else { return Ok(()) };
    out.push_str(&number.to_string());
    Ok(())
}

/// Collects the numbers of events.
#[derive(Clone, Default)]
pub struct Collect(pub Arc<Mutex<Vec<u64>>>);

impl<S: Subscriber> Layer<S> for Collect {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Numbers(&self.0));
    }
}

struct Numbers<'a>(&'a Mutex<Vec<u64>>);

impl Visit for Numbers<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "n" {
            self.0.lock().unwrap().push(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
