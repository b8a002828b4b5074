//! slog, with slog-json, slog-term and slog-async; nested loggers stand in for spans.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::sync::Mutex;

use slog::{Drain, Never, OwnedKVList, Record, o};
use slog_async::OverflowStrategy;

use super::buffer::create;
use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::event::{Call, Logger, SECRET, Values};
use crate::scenario::{Sink, Task};

pub fn contender() -> Contender {
    Contender {
        name: "slog",
        kind: Kind::Rival,
        note: "no target; nested loggers for spans, their keys not grouped by span",
        check: Check::Spans,
        serves: |scenario| scenario.is_plain() && scenario.sink != Sink::Unbuffered && scenario.task != Task::Off,
        start,
    }
}

fn start(job: &Job) -> Running {
    let writer = Unflushed(BufWriter::with_capacity(BUFFER, create(&job.file())));
    match job.scenario.text {
        false => run(job, slog_json::Json::default(writer).fuse()),
        true => run(
            job,
            slog_term::FullFormat::new(slog_term::PlainDecorator::new(writer)).use_utc_timestamp().build().fuse(),
        ),
    }
}

fn run(job: &Job, drain: impl Drain<Ok = (), Err = Never> + Send + 'static) -> Running {
    // A drain that is not shared between threads: a lock, or a queue.
    let drain = Unwinding(Mutex::new(drain));
    let (chan_size, overflow) = match job.scenario.sink {
        // As many as ours has room for.
        Sink::Lossless => (8192, OverflowStrategy::Block),
        Sink::Default => (128, OverflowStrategy::DropAndReport),
        _ => return Running { logger: Box::new(Through(slog::Logger::root(drain, o!()))), drain: Box::new(|| {}) },
    };
    let queue = slog_async::Async::new(drain).chan_size(chan_size).overflow_strategy(overflow);
    let (queue, guard) = queue.build_with_guard();
    Running { logger: Box::new(Through(slog::Logger::root(queue.fuse(), o!()))), drain: Box::new(|| drop(guard)) }
}

struct Unwinding<D>(Mutex<D>);

impl<D> std::panic::RefUnwindSafe for Unwinding<D> {}
impl<D> std::panic::UnwindSafe for Unwinding<D> {}

impl<D: Drain<Ok = (), Err = Never>> Drain for Unwinding<D> {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        self.0.lock().expect("nobody panics with it").log(record, values)
    }
}

/// slog-term flushes after each line; what is compared has a buffer, which is written at the end.
struct Unflushed(BufWriter<File>);

impl Write for Unflushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Through(slog::Logger);

impl Logger for Through {
    fn log(&self, call: Call, numbers: Range<u64>) {
        NESTED.with_borrow(|nested| {
            let logger = nested.as_ref().unwrap_or(&self.0);
            match call {
                Call::Span => {
                    numbers.for_each(|number| event(&logger.new(o!("method" => "GET", "id" => number)), number))
                }
                _ => numbers.for_each(|number| event(logger, number)),
            }
        });
    }

    fn in_spans(&self, id: u64, work: &mut dyn FnMut()) {
        let request = self.0.new(o!("method" => "GET", "id" => id));
        let order = request.new(o!("customer" => SECRET, "items" => 3_u64));
        NESTED.set(Some(order.new(o!("table" => "articles", "rows" => 42_u64))));
        work();
        NESTED.set(None);
    }
}

#[inline(never)]
fn event(logger: &slog::Logger, number: u64) {
    let Values { number, bytes, price, article, paid } = Values::of(number);
    slog::info!(
        logger, "the customer took article number {} from the second shelf", number;
        "bytes" => bytes, "price" => price, "article" => article, "paid" => paid
    );
}

thread_local! {
    static NESTED: RefCell<Option<slog::Logger>> = const { RefCell::new(None) };
}
