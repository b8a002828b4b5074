//! One contender in one scenario, in a process of its own: global loggers are installed once.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::contender::{self, Job};
use crate::event::{Call, Logger, first_number};
use crate::measure::{self, Latencies};
use crate::scenario::{Scenario, Spans, Task};

/// The amount of work of a child.
#[derive(Clone, Copy)]
pub struct Amount {
    /// Per thread; 0: what takes about [`PHASE`].
    pub events: u64,
    /// A sample, to check that everything works.
    pub quick: bool,
}

/// The measurements of a child, by name, which it prints and its parent reads.
pub type Findings = BTreeMap<String, f64>;

pub fn run(name: &str, job: &Job, amount: Amount) -> Findings {
    let contender = contender::named(name).expect("the parent knows the names");
    let running = (contender.start)(job);
    let shared = Shared::new(&job.scenario, amount);
    let threads: Vec<Found> = match job.scenario.threads {
        1 => vec![shared.in_thread(&*running.logger, 0)],
        threads => {
            let logger = &*running.logger;
            std::thread::scope(|scope| {
                let shared = &shared;
                let spawned: Vec<_> =
                    (0..threads).map(|thread| scope.spawn(move || shared.in_thread(logger, thread))).collect();
                spawned.into_iter().map(|thread| thread.join().expect("loggers do not panic")).collect()
            })
        }
    };
    let logged = Instant::now();
    drop(running.logger);
    (running.drain)();
    let drained = Instant::now();
    let after = Usage::now();
    findings(threads, shared.usage.into_inner().expect("nobody panics with it"), after, logged, drained)
}

fn findings(threads: Vec<Found>, before: Usage, after: Usage, logged: Instant, drained: Instant) -> Findings {
    let mut found = Findings::new();
    let mut set = |name: &str, value: f64| {
        found.insert(name.to_owned(), value);
    };
    let start = threads.iter().map(|thread| thread.start).min().unwrap_or(logged);
    let end = threads.iter().map(|thread| thread.end).max().unwrap_or(logged);
    let timed: u64 = threads.iter().map(|thread| thread.timed).sum();
    let per_event = |total: f64| total / timed.max(1) as f64;
    set("events", timed as f64);
    set("seconds", (drained - start).as_secs_f64());
    set("ns", per_event((end - start).as_nanos() as f64));
    // The end of the threads is not logging.
    set("drained_ns", per_event(((end - start) + (drained - logged)).as_nanos() as f64));
    set("cpu_ns", per_event((after.cpu - before.cpu).as_nanos() as f64));
    set("allocations_here", per_event(threads.iter().map(|thread| thread.allocations as f64).sum()));
    set("allocations", per_event((after.allocations - before.allocations) as f64));
    set("peak_mb", measure::peak_kib() as f64 / 1024.0);
    let bursts: u64 = threads.iter().map(|thread| thread.burst_events).sum();
    if bursts > 0 {
        let time: Duration = threads.iter().map(|thread| thread.burst_time).sum();
        set("burst_ns", time.as_nanos() as f64 / bursts as f64);
    }
    for (thread, found) in threads.iter().enumerate() {
        set(&format!("logged_{thread}"), found.logged as f64);
    }
    let mut latencies = Latencies::default();
    threads.into_iter().for_each(|thread| latencies.merge(thread.latencies));
    for (name, value) in ["p50", "p99", "p999", "max"].iter().zip(latencies.summary().into_iter().flatten()) {
        set(name, value as f64);
    }
    found
}

/// The measurements of one thread.
struct Found {
    start: Instant,
    end: Instant,
    timed: u64,
    /// Including events that were not timed.
    logged: u64,
    allocations: u64,
    latencies: Latencies,
    burst_time: Duration,
    burst_events: u64,
}

struct Usage {
    cpu: Duration,
    allocations: u64,
}

impl Usage {
    fn now() -> Self {
        Self { cpu: measure::cpu_time(), allocations: measure::allocations() }
    }
}

struct Shared<'a> {
    scenario: &'a Scenario,
    amount: Amount,
    barrier: Barrier,
    slowest: AtomicU64,
    usage: std::sync::Mutex<Usage>,
}

impl<'a> Shared<'a> {
    fn new(scenario: &'a Scenario, amount: Amount) -> Self {
        Self {
            scenario,
            amount,
            barrier: Barrier::new(scenario.threads as usize),
            slowest: AtomicU64::new(0),
            usage: std::sync::Mutex::new(Usage::now()),
        }
    }

    fn in_thread(&self, logger: &dyn Logger, thread: u64) -> Found {
        let mut found = None;
        let mut work = || found = Some(self.phases(Feed::new(logger, self.scenario.call(), thread)));
        match self.scenario.spans {
            Spans::Three => logger.in_spans(thread + 1, &mut work),
            _ => work(),
        }
        found.expect("work was done")
    }

    fn phases(&self, mut feed: Feed<'_>) -> Found {
        let allotted = self.warm_up(&mut feed);
        let mut found = Found {
            start: Instant::now(),
            end: Instant::now(),
            timed: 0,
            logged: 0,
            allocations: 0,
            latencies: Latencies::default(),
            burst_time: Duration::ZERO,
            burst_events: 0,
        };
        match self.scenario.task {
            Task::Events if self.scenario.is_queued() => self.bursts(&mut feed, &mut found),
            _ => {}
        }
        if self.scenario.writes() && self.scenario.task == Task::Events {
            self.calls(&mut feed, &mut found);
        }
        self.begin(&mut found);
        match self.scenario.task {
            Task::Paced => self.at_rate(&mut feed, &mut found, 50_000, false),
            Task::Load(rate) => self.at_rate(&mut feed, &mut found, rate, true),
            _ => {
                found.timed = allotted;
                feed.log(allotted);
            }
        }
        found.end = Instant::now();
        found.allocations = measure::allocations_here() - found.allocations;
        found.logged = feed.logged();
        found
    }

    /// Returns how many events to time.
    fn warm_up(&self, feed: &mut Feed<'_>) -> u64 {
        let events = if self.amount.quick { 100 } else { 3_000 };
        feed.log(events);
        let start = Instant::now();
        feed.log(events);
        let ns = (start.elapsed().as_nanos() as u64 / events).max(1);
        self.slowest.fetch_max(ns, Ordering::Relaxed);
        self.barrier.wait();
        match (self.amount.events, self.scenario.call()) {
            // Enough for more rotations than old files are kept.
            (0, _) if self.amount.quick && self.scenario.task == Task::Rotation => 40_000,
            (0, _) if self.amount.quick => 2_000,
            (0, Call::Off) => 20_000_000,
            // The number of records that a queue loses or holds depends on the load.
            (0, _) if self.scenario.sink == crate::scenario::Sink::Default => 200_000 / self.scenario.threads,
            (0, _) => (PHASE.as_nanos() as u64 / self.slowest.load(Ordering::Relaxed))
                .clamp(20_000, 600_000 / self.scenario.threads),
            (events, _) => events,
        }
    }

    /// Bursts that fit into every queue, with pauses in which it empties: the cost of a call that does not wait.
    fn bursts(&self, feed: &mut Feed<'_>, found: &mut Found) {
        let (bursts, events) = if self.amount.quick { (2, 100) } else { (40, 400) };
        for _ in 0..bursts {
            self.barrier.wait();
            std::thread::sleep(REST);
            let start = Instant::now();
            feed.log(events);
            found.burst_time += start.elapsed();
            found.burst_events += events;
        }
    }

    /// Single calls, back to back.
    fn calls(&self, feed: &mut Feed<'_>, found: &mut Found) {
        let calls = if self.amount.quick { 100 } else { 10_000 };
        found.latencies = Latencies::with_capacity(calls);
        self.barrier.wait();
        for _ in 0..calls {
            let start = Instant::now();
            feed.log(1);
            found.latencies.push(start.elapsed());
        }
    }

    /// Waits until earlier work is done and all threads are ready.
    fn begin(&self, found: &mut Found) {
        if self.scenario.is_queued() {
            std::thread::sleep(10 * REST);
        }
        if self.barrier.wait().is_leader() {
            *self.usage.lock().expect("nobody panics with it") = Usage::now();
        }
        self.barrier.wait();
        found.allocations = measure::allocations_here();
        found.start = Instant::now();
    }

    /// Makes each call at its time. With `response`, it is timed from when it was due, even if the previous call took too long.
    fn at_rate(&self, feed: &mut Feed<'_>, found: &mut Found, rate: u64, response: bool) {
        let seconds = if self.amount.quick { 0.05 } else { 1.0 };
        let calls = (rate as f64 * seconds) as u64;
        found.latencies = Latencies::with_capacity(calls as usize);
        let (start, nanos) = (Instant::now(), 1_000_000_000 / rate);
        for call in 0..calls {
            let due = start + Duration::from_nanos(call * nanos);
            let mut now = Instant::now();
            while now < due {
                std::hint::spin_loop();
                now = Instant::now();
            }
            feed.log(1);
            found.latencies.push(if response { due.elapsed() } else { now.elapsed() });
        }
        found.timed = calls;
    }
}

/// Numbers the calls of a thread.
struct Feed<'a> {
    logger: &'a dyn Logger,
    call: Call,
    first: u64,
    next: u64,
}

impl<'a> Feed<'a> {
    fn new(logger: &'a dyn Logger, call: Call, thread: u64) -> Self {
        Self { logger, call, first: first_number(thread), next: first_number(thread) }
    }

    #[inline]
    fn log(&mut self, events: u64) {
        self.logger.log(self.call, self.next..self.next + events);
        self.next += events;
    }

    fn logged(&self) -> u64 {
        self.next - self.first
    }
}

/// How long the timed phase is to take.
const PHASE: Duration = Duration::from_millis(400);
const REST: Duration = Duration::from_millis(4);
