//! The queue alone, without capture and formats: the cost of a call, and of a record until it is delivered.
//!
//! `cargo bench --bench queue` prints medians of several rounds, in nanoseconds. *Full*: the queue blocks all the time, since its
//! handler is slower than the logging threads. *Bursts*: 1,000 records, which fit into the queue and are delivered before the next
//! burst. *Paced*: a call every 20 µs, each timed. *Overload*: a queue of 16 MiB that drops the oldest records, each call timed.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use tracing_handlers::handler::{Handler, Overflow, from_fn};
use tracing_handlers::{Queue, RecordBuf, Severity};

const ROUNDS: usize = 9;

fn main() {
    for threads in [1, 4] {
        let full = || {
            let queue = queue(100);
            let (calls, all) = on_threads(threads, || log(&queue, 400_000 / threads), || flush(&queue));
            vec![("a call", nanos(calls) / 400_000.0), ("until it is through", nanos(all) / 400_000.0)]
        };
        row(&format!("full, threads: {threads}"), full);
    }
    for threads in [1, 4] {
        let bursts = || {
            let queue = queue(0);
            let (calls, _) = on_threads(threads, || (0..50).map(|_| burst(&queue)).sum(), || flush(&queue));
            vec![("a call", nanos(calls) / (50_000 * threads) as f64)]
        };
        row(&format!("bursts, threads: {threads}"), bursts);
    }
    let paced = || quantiles(&queue(0), 20_000, Duration::from_micros(20), [("p50", 0.5), ("p99.9", 0.999)]);
    row("paced", paced);
    let overload = || {
        let queue = queue(5_000).capacity(usize::MAX).overflow(Overflow::DropOldest);
        quantiles(&queue, 200_000, Duration::ZERO, [("p50", 0.5), ("p99.9", 0.999)])
    };
    row("overload, oldest dropped", overload);
}

/// The measurements of a round, by name.
type Round = Vec<(&'static str, f64)>;

fn row(name: &str, round: impl FnMut() -> Round) {
    let rounds: Vec<Round> = std::iter::repeat_with(round).take(ROUNDS).collect();
    print!("{name:<26}");
    for (column, (what, _)) in rounds[0].iter().enumerate() {
        let mut values: Vec<_> = rounds.iter().map(|round| round[column].1).collect();
        values.sort_by(f64::total_cmp);
        print!("  {what} {:>7.0} ns", values[ROUNDS / 2]);
    }
    println!();
}

/// Creates a queue in front of a handler that takes a few nanoseconds per record, and `work` additional steps.
fn queue(work: u64) -> Queue<impl Handler> {
    let handler = from_fn(move |record| {
        black_box((0..work).fold(record.message().len() as u64, |sum, step| black_box(sum ^ step)));
        Ok(())
    });
    Queue::new(handler).overflow(Overflow::Block)
}

fn record() -> RecordBuf {
    let text = "the customer took article number 123456 from the second shelf";
    RecordBuf::new(Severity::INFO, "shop::stock", text)
        .with_field("pieces", 17_u64)
        .with_field("price", 12.75)
        .with_field("article", "red umbrella")
        .with_field("paid", true)
        .with_span("request", [("method", "GET".into()), ("id", 7_u64.into())])
}

/// Logs `records` records, and returns the time that takes.
fn log(queue: &impl Handler, records: usize) -> Duration {
    let record = record();
    let start = Instant::now();
    (0..records).for_each(|_| queue.handle(&record.as_record()).expect("a queue takes all"));
    start.elapsed()
}

fn burst(queue: &impl Handler) -> Duration {
    thread::sleep(Duration::from_millis(3));
    log(queue, 1_000)
}

fn flush(queue: &impl Handler) {
    queue.flush(Instant::now() + Duration::from_secs(60)).expect("in time");
}

/// Returns the sum of the threads' times, and the time until everything is delivered.
fn on_threads(threads: usize, log: impl Fn() -> Duration + Sync, finish: impl Fn()) -> (Duration, Duration) {
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let log = || {
            barrier.wait();
            log()
        };
        let logging: Vec<_> = (0..threads).map(|_| scope.spawn(log)).collect();
        barrier.wait();
        let start = Instant::now();
        let sum = logging.into_iter().map(|thread| thread.join().expect("it does not panic")).sum();
        finish();
        (sum, start.elapsed())
    })
}

fn quantiles(queue: &impl Handler, calls: usize, pace: Duration, wanted: [(&'static str, f64); 2]) -> Round {
    let record = record();
    let mut next = Instant::now();
    let mut times: Vec<_> = (0..calls)
        .map(|_| {
            next += pace;
            while Instant::now() < next {
                std::hint::spin_loop();
            }
            let start = Instant::now();
            queue.handle(&record.as_record()).expect("a queue takes all");
            start.elapsed()
        })
        .collect();
    times.sort();
    wanted.map(|(what, quantile)| (what, nanos(times[((calls - 1) as f64 * quantile) as usize]))).to_vec()
}

fn nanos(time: Duration) -> f64 {
    time.as_nanos() as f64
}
