//! What a rotation costs those who log: the 99.9th percentile of a call with a new file each MiB, beside one without, in
//! interleaved rounds; on the thread that logs, and behind a queue.

use std::path::Path;
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_handlers::format::Json;
use tracing_handlers::handler::Handler;
use tracing_handlers::rotation::{MIB, Rotation};
use tracing_handlers::sink::File;
use tracing_handlers::{Output, Queue};
use tracing_subscriber::prelude::*;

use super::Plan;
use super::place::in_directory;

/// A round of a sample is short, and only checked for whether it wrote and rotated at all: other tests run beside it.
pub fn run(plan: Plan) -> Result<String, String> {
    let events = if plan.is_sample { 20_000 } else { 200_000 };
    let mut figures = Vec::new();
    for is_queued in [false, true] {
        let mut rounds = Vec::new();
        for _ in 0..plan.runs {
            let plain = in_directory(|directory| round(directory, events, is_queued, false))?;
            let rotated = in_directory(|directory| round(directory, events, is_queued, true))?;
            rounds.push((plain, rotated));
        }
        figures.push(judged(&rounds, is_queued, plan.is_sample)?);
    }
    Ok(format!("latency: {} rounds of {events} events, {}", plan.runs, figures.join("; ")))
}

fn judged(rounds: &[(Times, Times)], is_queued: bool, is_sample: bool) -> Result<String, String> {
    let of = |value: fn(&(Times, Times)) -> f64| median(rounds.iter().map(value).collect());
    let ratio = of(|(plain, rotated)| rotated.permille / plain.permille);
    let what = if is_queued { "behind a queue" } else { "direct" };
    let figures = format!(
        "{what}: p99.9 {:.1} µs without and {:.1} µs with rotation, ratio {ratio:.2} (p99.99 {:.1} and {:.1} µs)",
        of(|(plain, _)| plain.permille),
        of(|(_, rotated)| rotated.permille),
        of(|(plain, _)| plain.fine),
        of(|(_, rotated)| rotated.fine),
    );
    if is_sample || ratio <= LIMIT { Ok(figures) } else { Err(format!("more than {LIMIT} x: {figures}")) }
}

/// Microseconds.
struct Times {
    permille: f64,
    fine: f64,
}

fn round(directory: &Path, events: u64, is_queued: bool, rotates: bool) -> Result<Times, String> {
    let path = directory.join("app.log");
    let mut file = File::open(&path).map_err(|error| format!("{error:#}"))?;
    if rotates {
        file = file.rotation(Rotation::size(MIB).keep(3));
    }
    let output = Output::new(Json::new(), file);
    let handler: Box<dyn Handler> = if is_queued { Box::new(Queue::new(output)) } else { Box::new(output) };
    let layer = tracing_handlers::layer(handler);
    let handle = layer.handle();
    let times = with_default(&Dispatch::new(tracing_subscriber::registry().with(layer)), || timed(events));
    handle.flush(Duration::from_secs(60)).map_err(|error| format!("{error:#}"))?;
    let delivered = handle.stats().iter().map(|report| report.stats.delivered).max();
    if delivered != Some(events) || path.with_extension("log.1").exists() != rotates {
        return Err(format!("{delivered:?} of {events} records delivered"));
    }
    Ok(times)
}

/// At a steady pace, so that a queue is not measured by how long one waits where it is full.
fn timed(events: u64) -> Times {
    let mut nanos = Vec::with_capacity(events as usize);
    let start = Instant::now();
    for number in 0..events {
        while start.elapsed() < PACE * number as u32 {
            // Time passes: the pace is part of what is measured, and a sleep would overshoot it.
            std::hint::spin_loop();
        }
        let before = Instant::now();
        tracing::info!(target: "soak", number, path = "/articles/of/the/day", status = 200, bytes = 5_120, "answered");
        nanos.push(before.elapsed().as_nanos() as f64);
    }
    nanos.sort_by(f64::total_cmp);
    let at = |parts: f64| nanos[((nanos.len() - 1) as f64 * parts) as usize] / 1_000.0;
    Times { permille: at(0.999), fine: at(0.9999) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const PACE: Duration = Duration::from_micros(10);
/// What rotation may make of it.
const LIMIT: f64 = 2.0;
