//! The performance gate: an event in three spans, as JSON, compared with tracing-subscriber in the same run.
//!
//! `cargo bench --bench gates` runs both, and this crate behind a queue, one after another in each round. It prints medians and the
//! ratios within each round, and fails if JSON is not 4 times as fast. Both format into a sink that only counts bytes, so that the
//! disk does not matter.

mod scenario;

use std::hint::black_box;
use std::io;
use std::time::Instant;

use scenario::{event, three_spans};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_handlers::format::Json;
use tracing_handlers::handler::from_fn;
use tracing_handlers::sink::Null;
use tracing_handlers::{Output, Queue};
use tracing_subscriber::prelude::*;

const ROUNDS: usize = 11;
const EVENTS: u64 = 40_000;
const GATE: f64 = 4.0;

fn main() {
    // Keeps every callsite enabled for the life of the process, regardless of other dispatchers.
    let contenders: Vec<(&str, Dispatch)> = vec![
        (
            "capture only",
            Dispatch::new(tracing_subscriber::registry().with(tracing_handlers::layer(from_fn(|record| {
                black_box(record);
                Ok(())
            })))),
        ),
        (
            "json",
            Dispatch::new(tracing_subscriber::registry().with(tracing_handlers::layer(Output::new(Json::new(), Null)))),
        ),
        (
            "json behind a queue",
            Dispatch::new(
                tracing_subscriber::registry()
                    .with(tracing_handlers::layer(Queue::new(Output::new(Json::new(), Null)))),
            ),
        ),
        (
            "tracing-subscriber json",
            Dispatch::new(
                tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().json().with_writer(io::sink)),
            ),
        ),
    ];
    for (title, scenario) in [("no span", flat as fn()), ("three spans", in_three_spans as fn())] {
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..ROUNDS {
            for (index, (_, dispatch)) in contenders.iter().enumerate() {
                let start = Instant::now();
                with_default(dispatch, scenario);
                times[index].push(start.elapsed().as_nanos() as f64 / EVENTS as f64);
            }
        }
        let peer = times.last().cloned().unwrap_or_default();
        for ((name, _), own) in contenders.iter().zip(&times) {
            let ratio = median(peer.iter().zip(own).map(|(peer, own)| peer / own).collect());
            println!("{title:>12}, {name:<24} {:>7.0} ns  {ratio:>5.1} x", median(own.clone()));
            if title == "three spans" && *name == "json" && ratio < GATE {
                println!("the gate of {GATE} x does not hold");
                std::process::exit(1);
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn flat() {
    for number in 0..EVENTS {
        event(number);
    }
}

fn in_three_spans() {
    let _spans = three_spans();
    flat();
}
