//! Outputs over sinks and formats that fail in every way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Instant;

use tracing_handlers::handler::{DropReason, Handler, Stats};
use tracing_handlers::sink::{Framed, Sink};
use tracing_handlers::{Error, ErrorKind, Output, Partial, Queue, Record, RecordBuf, Severity, format};

use crate::queue::record;
use crate::until::soon;

/// A sink that keeps its lines, and fails where it is told to.
#[derive(Clone, Default)]
pub struct Collected {
    lines: Arc<Mutex<Vec<String>>>,
    fail_every: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
    take_at_most: Arc<AtomicUsize>,
    panics: Arc<AtomicBool>,
}

impl Collected {
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Every `nth` write fails, from the `nth` on.
    pub fn fail_every(&self, nth: usize) {
        self.fail_every.store(nth, Ordering::SeqCst);
    }
}

impl Sink for Collected {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        assert!(!self.panics.load(Ordering::SeqCst), "a panic on purpose");
        let write = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let nth = self.fail_every.load(Ordering::SeqCst);
        if nth > 0 && write.is_multiple_of(nth) {
            return Err(Error::new(ErrorKind::Io, "an error on purpose").into());
        }
        let most = self.take_at_most.load(Ordering::SeqCst);
        let take = if most == 0 { framed.ends().len() } else { most };
        for (line, _) in framed.iter().take(take) {
            self.lines.lock().unwrap().push(String::from_utf8_lossy(line).trim_end().to_owned());
        }
        match take < framed.ends().len() {
            true => Err(Partial::new(take, Error::new(ErrorKind::Io, "an error on purpose"))),
            false => Ok(()),
        }
    }

    fn describe(&self) -> String {
        "collected".to_owned()
    }
}

/// A sink that delivers only when it is flushed, or dropped without any right to be.
pub struct Buffered {
    sink: Collected,
    waiting: Vec<String>,
}

impl Buffered {
    pub fn new(sink: Collected) -> Self {
        Self { sink, waiting: Vec::new() }
    }
}

impl Sink for Buffered {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.waiting.extend(framed.iter().map(|(line, _)| String::from_utf8_lossy(line).trim_end().to_owned()));
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.sink.lines.lock().unwrap().append(&mut self.waiting);
        Ok(())
    }

    fn pending(&self) -> usize {
        self.waiting.len()
    }

    fn describe(&self) -> String {
        "buffered".to_owned()
    }
}

fn message(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    out.push_str(record.message());
    Ok(())
}

fn handle(handler: &impl Handler, message: impl ToString) -> Result<(), Error> {
    handler.handle(&record(Severity::INFO, &message.to_string()).as_record())
}

#[track_caller]
fn stats(handler: &impl Handler) -> Stats {
    let stats = handler.stats().pop().unwrap().stats;
    assert!(stats.balances(), "{stats:?}");
    stats
}

#[test]
fn a_sink_that_fails_every_other_write_costs_every_other_record() {
    let sink = Collected::default();
    sink.fail_every(2);
    let output = Output::new(format::from_fn(message), sink.clone()).tell_missing(false);
    let failed = (0..100).filter(|number| handle(&output, number).is_err()).count();
    assert_eq!((failed, sink.lines().len()), (50, 50));
    assert_eq!((stats(&output).delivered, stats(&output).failed), (50, 50));
}

#[test]
fn of_a_batch_that_is_taken_in_part_the_rest_is_counted_as_failed_here_and_in_the_queue() {
    let sink = Collected::default();
    sink.take_at_most.store(1, Ordering::SeqCst);
    let queue = Queue::new(Output::new(format::from_fn(message), sink.clone()).tell_missing(false));
    for round in 0..50 {
        (0..5).for_each(|number| handle(&queue, round * 5 + number).unwrap());
        queue.flush(soon()).unwrap();
    }
    let arrived = sink.lines().len() as u64;
    assert!((50..=250).contains(&arrived));
    for report in queue.stats() {
        assert!(report.stats.balances());
        assert_eq!((report.stats.delivered, report.stats.failed), (arrived, 250 - arrived), "{report}");
    }
}

#[test]
fn a_sink_that_panics_costs_its_records_and_works_again_after() {
    let sink = Collected::default();
    let output = Output::new(format::from_fn(message), sink.clone());
    handle(&output, "before").unwrap();
    sink.panics.store(true, Ordering::SeqCst);
    assert_eq!(handle(&output, "lost").unwrap_err().kind(), ErrorKind::Panic);
    sink.panics.store(false, Ordering::SeqCst);
    handle(&output, "after").unwrap();
    assert_eq!(sink.lines(), ["before", "1 record missing here: the sink panicked", "after"]);
    assert_eq!((stats(&output).delivered, stats(&output).failed), (2, 1));
}

#[test]
fn a_format_that_fails_or_panics_half_way_leaves_nothing_of_its_record() {
    let fickle = |record: &Record<'_>, out: &mut format::Out<'_>| {
        out.push_str(record.message());
        match record.message() {
            "fails" => Err(Error::new(ErrorKind::Format, "an error on purpose")),
            "panics" => panic!("a panic on purpose"),
            _ => Ok(()),
        }
    };
    let sent = ["a", "fails", "b", "panics", "c", "fails"];
    let sink = Collected::default();
    let output = Output::new(format::from_fn(fickle), sink.clone());
    let failed = sent.iter().filter(|message| handle(&output, message).is_err()).count();
    assert_eq!((failed, sink.lines()), (3, vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    assert_eq!((stats(&output).delivered, stats(&output).failed), (3, 3));
    // In batches it is the same.
    let sink = Collected::default();
    let queue = Queue::new(Output::new(format::from_fn(fickle), sink.clone()));
    sent.iter().for_each(|message| handle(&queue, message).unwrap());
    queue.flush(soon()).unwrap();
    assert_eq!(sink.lines(), ["a", "b", "c"]);
    for report in queue.stats() {
        assert!(report.stats.balances());
        assert_eq!((report.stats.delivered, report.stats.failed), (3, 3), "{report}");
    }
}

#[test]
fn a_buffered_record_is_pending_until_it_is_flushed() {
    let sink = Collected::default();
    let output = Output::new(format::from_fn(message), Buffered::new(sink.clone()));
    (0..10).for_each(|number| handle(&output, number).unwrap());
    assert_eq!((stats(&output).pending, stats(&output).delivered, sink.lines().len()), (10, 0, 0));
    output.flush(soon()).unwrap();
    assert_eq!((stats(&output).pending, stats(&output).delivered, sink.lines().len()), (0, 10, 10));
}

#[test]
fn snapshots_balance_while_threads_write_and_flush() {
    let sink = Collected::default();
    let output = Output::new(format::from_fn(message), Buffered::new(sink.clone()));
    let busy = AtomicBool::new(true);
    thread::scope(|scope| {
        let snapshots = scope.spawn(|| {
            while busy.load(Ordering::SeqCst) {
                stats(&output);
                output.flush(soon()).unwrap();
            }
        });
        let writers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..1_000).for_each(|number| handle(&output, number).unwrap()))).collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        busy.store(false, Ordering::SeqCst);
        snapshots.join().unwrap();
    });
    output.flush(soon()).unwrap();
    assert_eq!((stats(&output).delivered, sink.lines().len()), (4_000, 4_000));
}

/// A sink that hands a record to its own output while it writes.
struct Echo {
    own: Arc<OnceLock<Weak<dyn Handler>>>,
    in_flush: bool,
}

impl Echo {
    fn log(&self) {
        let own = self.own.get().and_then(Weak::upgrade).expect("the test keeps it");
        own.handle(&RecordBuf::new(Severity::ERROR, "test", "echo").as_record()).unwrap();
        // A flush and a look at the counts from there must come back too.
        own.flush(soon()).unwrap_err();
        own.report(&mut Vec::new());
    }
}

impl Sink for Echo {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        self.log();
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        if self.in_flush {
            self.log();
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "echo".to_owned()
    }
}

#[test]
fn what_a_sink_logs_into_itself_is_counted_and_dropped() {
    let own = Arc::new(OnceLock::new());
    let output = Arc::new(Output::new(format::from_fn(message), Echo { own: own.clone(), in_flush: true }));
    let weak: Weak<dyn Handler> = Arc::downgrade(&(output.clone() as Arc<dyn Handler>));
    own.set(weak).ok().unwrap();
    (0..10).for_each(|number| handle(&output, number).unwrap());
    output.flush(soon()).unwrap();
    assert_eq!(stats(&output).delivered, 10);
    assert_eq!(stats(&output).dropped.by(DropReason::Reentrant), 11);
}
