//! Durable records per second: threads × levels, on the disk of the target directory.
//!
//! `cargo bench --bench durability` prints the number of records per second that are as durable as the level promises: the median
//! of several rounds, the worst and the best. For comparison, *flushed* promises nothing about the disk, and *a sync for each* calls
//! `fdatasync` after each line under one lock. In *audit* the file is grouped and the logging thread flushes each record, so that the
//! time includes the wait for the disk; in the other rows of *grouped*, threads wait only at the end.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tracing_handlers::format::{Json, Time};
use tracing_handlers::handler::{Audit, Handler};
use tracing_handlers::sink::{Durability, File};
use tracing_handlers::{Output, RecordBuf, Severity};

const ROUNDS: usize = 5;
/// The approximate duration of a round.
const ROUND: Duration = Duration::from_millis(400);
const THREADS: [usize; 3] = [1, 4, 16];

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    println!("durable records/s: median (worst..best) of {ROUNDS} rounds");
    row("flushed", |threads| outputs(dir.path(), Durability::Flushed, threads));
    row("a sync for each", |threads| one_by_one(dir.path(), threads));
    row("synced", |threads| outputs(dir.path(), Durability::Synced, threads));
    for millis in [1, 5, 20] {
        let level = Durability::Grouped(Duration::from_millis(millis));
        row(&format!("grouped {millis} ms"), |threads| outputs(dir.path(), level, threads));
        row(&format!("grouped {millis} ms, audit"), |threads| audits(dir.path(), level, threads));
    }
}

fn row(name: &str, round: impl Fn(usize) -> f64) {
    print!("{name:<24}");
    for threads in THREADS {
        let mut rates: Vec<_> = (0..ROUNDS).map(|_| round(threads)).collect();
        rates.sort_by(f64::total_cmp);
        print!("  {threads:>2} threads {:>9.0} ({:.0}..{:.0})", rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
    }
    println!();
}

fn outputs(dir: &Path, level: Durability, threads: usize) -> f64 {
    rate(threads, &output(dir, level))
}

/// Each thread continues when its record is on the disk.
fn audits(dir: &Path, level: Durability, threads: usize) -> f64 {
    rate(threads, &Audit::new(output(dir, level)))
}

fn output(dir: &Path, level: Durability) -> impl Handler + use<> {
    let path = dir.join("app.jsonl");
    let _ = fs::remove_file(&path);
    let file = File::options().durability(level).open(path).expect("it can be made");
    Output::new(Json::new().time(Time::none()), file)
}

/// Returns the records per second that `handler` accepts in a round and has delivered at its end.
fn rate(threads: usize, handler: &impl Handler) -> f64 {
    let record = record();
    let (records, time) = on_threads(threads, || handler.handle(&record.as_record()).expect("the disk works"));
    let flushing = Instant::now();
    handler.flush(Instant::now() + Duration::from_secs(60)).expect("in time");
    let stats = handler.stats()[0].stats;
    assert_eq!((stats.delivered, stats.pending), (records, 0));
    records as f64 / (time + flushing.elapsed()).as_secs_f64()
}

/// Returns the records per second without this crate.
fn one_by_one(dir: &Path, threads: usize) -> f64 {
    let file = Mutex::new(fs::File::create(dir.join("plain.jsonl")).expect("it can be made"));
    let line = [b'x'; 180];
    let (records, time) = on_threads(threads, || {
        let mut file = file.lock().expect("no thread panics");
        file.write_all(&line).and_then(|()| file.sync_data()).expect("the disk works");
    });
    records as f64 / time.as_secs_f64()
}

fn on_threads(threads: usize, one: impl Fn() + Sync) -> (u64, Duration) {
    let start = Instant::now();
    let until = || {
        let mut records = 0;
        while start.elapsed() < ROUND {
            one();
            records += 1;
        }
        records
    };
    let records = thread::scope(|scope| {
        let logging: Vec<_> = (0..threads).map(|_| scope.spawn(until)).collect();
        logging.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    });
    (records, start.elapsed())
}

fn record() -> RecordBuf {
    RecordBuf::new(Severity::NOTICE, "shop::ledger", "the customer paid for article number 123456")
        .with_field("cents", 1275_u64)
        .with_field("account", "DE02 1203 0000 0000 2020 51")
        .with_span("request", [("method", "POST".into()), ("id", 7_u64.into())])
}
