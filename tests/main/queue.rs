//! The queue: what it holds, what it gives up, and that it says so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tracing_handlers::handler::{DropReason, Handler, Overflow, Queue, Report, Stats, from_fn};
use tracing_handlers::record::{Kind, Meta};
use tracing_handlers::{
    Error, ErrorClass, ErrorKind, Output, Record, RecordBuf, Records, Severity, Value, filter, format,
};
use tracing_subscriber::prelude::*;

use crate::collect::seen;
use crate::output::{Buffered, Collected};
#[cfg(target_os = "linux")]
use crate::threads;
use crate::until::{soon, until};

pub fn record(severity: Severity, message: &str) -> RecordBuf {
    RecordBuf::new(severity, "test", message)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// What came out behind the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Message(String),
    Lost(u64),
}

/// A handler that keeps what it is handed, and lets nothing through while it is shut.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
    seen: Mutex<Vec<Seen>>,
    entered: AtomicUsize,
}

impl Gate {
    fn open() -> Arc<Self> {
        Arc::default()
    }

    fn shut() -> Arc<Self> {
        let gate = Self::open();
        *lock(&gate.shut) = true;
        gate
    }

    fn unlock(&self) {
        *lock(&self.shut) = false;
        self.opened.notify_all();
    }

    fn lock(&self) {
        *lock(&self.shut) = true;
    }

    fn entered(&self) -> usize {
        self.entered.load(Ordering::SeqCst)
    }

    fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    fn messages(&self) -> Vec<String> {
        let seen = self.seen();
        seen.into_iter().filter_map(|seen| if let Seen::Message(text) = seen { Some(text) } else { None }).collect()
    }

    fn lost(&self) -> u64 {
        self.seen().iter().map(|seen| if let Seen::Lost(lost) = seen { *lost } else { 0 }).sum()
    }
}

impl Handler for Gate {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        let mut shut = lock(&self.shut);
        while *shut {
            shut = self.opened.wait(shut).unwrap();
        }
        drop(shut);
        lock(&self.seen).push(match record.kind() {
            Kind::Loss => Seen::Lost(told(record)),
            _ => Seen::Message(record.message().to_owned()),
        });
        Ok(())
    }
}

/// How many records a notice tells of; checks that its message says the same.
fn told(record: &Record<'_>) -> u64 {
    let Some(Value::U64(lost)) = record.field("lost") else { panic!("a notice without its number: {record:?}") };
    let noun = if lost == 1 { "record" } else { "records" };
    assert_eq!(record.message(), format!("{lost} {noun} lost here"));
    assert_eq!(record.severity(), Severity::WARN);
    lost
}

fn send(queue: &Queue<impl Handler>, message: impl ToString) {
    queue.handle(&record(Severity::INFO, &message.to_string()).as_record()).unwrap();
}

#[track_caller]
fn stats(queue: &Queue<impl Handler>) -> Stats {
    let stats = queue.stats()[0].stats;
    assert!(stats.balances(), "{stats:?}");
    stats
}

/// A queue whose worker stands before the shut gate with the record `first`.
fn stuck(set: impl FnOnce(Queue<Arc<Gate>>) -> Queue<Arc<Gate>>) -> (Queue<Arc<Gate>>, Arc<Gate>) {
    let gate = Gate::shut();
    let queue = set(Queue::new(gate.clone()));
    send(&queue, "first");
    until("the worker takes the first record", || gate.entered() == 1);
    (queue, gate)
}

fn messages(of: impl IntoIterator<Item = u32>) -> Vec<Seen> {
    of.into_iter().map(|number| Seen::Message(number.to_string())).collect()
}

fn sequence(parts: impl IntoIterator<Item = Vec<Seen>>) -> Vec<Seen> {
    [Seen::Message("first".to_owned())].into_iter().chain(parts.into_iter().flatten()).collect()
}

#[test]
fn a_full_queue_that_drops_the_newest_keeps_the_oldest_and_tells_at_the_end() {
    let (queue, gate) = stuck(|queue| queue.capacity(10).overflow(Overflow::DropNewest));
    (0..100).for_each(|number| send(&queue, number));
    let full = stats(&queue);
    assert_eq!((full.accepted, full.pending, full.delivered), (101, 10, 0));
    assert_eq!(full.dropped.by(DropReason::QueueFull), 91);
    assert_eq!(full.dropped.total(), 91);
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([messages(0..9), vec![Seen::Lost(91)]]));
    assert_eq!(stats(&queue).delivered, 10);
}

#[test]
fn what_comes_after_a_gap_stands_behind_the_notice() {
    let (queue, gate) = stuck(|queue| queue.capacity(3).overflow(Overflow::DropNewest));
    (0..5).for_each(|number| send(&queue, number));
    gate.unlock();
    until("room", || stats(&queue).pending == 0);
    (5..7).for_each(|number| send(&queue, number));
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([messages(0..2), vec![Seen::Lost(3)], messages(5..7)]));
}

#[test]
fn a_full_queue_that_drops_the_oldest_keeps_the_newest_and_tells_before_them() {
    let (queue, gate) = stuck(|queue| queue.capacity(10).overflow(Overflow::DropOldest));
    (0..100).for_each(|number| send(&queue, number));
    let full = stats(&queue);
    assert_eq!((full.accepted, full.pending), (101, 10));
    assert_eq!(full.dropped.by(DropReason::Oldest), 91);
    assert_eq!(full.dropped.total(), 91);
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([vec![Seen::Lost(91)], messages(91..100)]));
}

#[test]
fn a_queue_that_drops_the_unimportant_waits_with_the_others() {
    let (queue, gate) = stuck(|queue| queue.capacity(4).overflow(Overflow::DropBelow(Severity::WARN)));
    (0..3).for_each(|number| send(&queue, number));
    let start = Instant::now();
    send(&queue, "unimportant");
    let at_once = start.elapsed();
    queue.handle(&record(Severity::WARN, "important").as_record()).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1) && at_once < Duration::from_secs(1));
    let full = stats(&queue);
    assert_eq!(full.dropped.by(DropReason::Unimportant), 1);
    assert_eq!(full.dropped.by(DropReason::Timeout), 1);
    assert_eq!((full.accepted, full.pending), (6, 4));
    gate.unlock();
    // Nothing was delivered meanwhile, so important ones wait again only from here on.
    queue.flush(soon()).unwrap();
    gate.lock();
    send(&queue, "second");
    until("the worker takes it", || gate.entered() == 6);
    (0..3).for_each(|number| send(&queue, number));
    thread::scope(|scope| {
        let waits = scope.spawn(|| queue.handle(&record(Severity::WARN, "waits").as_record()));
        // It may have to wait or not: what counts is that it is not lost.
        gate.unlock();
        waits.join().unwrap().unwrap();
    });
    queue.flush(soon()).unwrap();
    let message = |text: &str| vec![Seen::Message(text.to_owned())];
    let parts = [messages(0..3), vec![Seen::Lost(2)], message("second"), messages(0..3), message("waits")];
    assert_eq!(gate.seen(), sequence(parts));
}

#[test]
fn a_queue_that_blocks_for_a_time_gives_up_after_it() {
    let patience = Duration::from_millis(50);
    let (queue, gate) = stuck(|queue| queue.capacity(1).overflow(Overflow::BlockFor(patience)));
    let start = Instant::now();
    send(&queue, "late");
    assert!(start.elapsed() >= patience);
    assert_eq!(stats(&queue).dropped.by(DropReason::Timeout), 1);
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([vec![Seen::Lost(1)]]));
}

#[test]
fn a_sink_that_hangs_costs_one_patience_and_not_one_per_record_and_thread() {
    let patience = Duration::from_millis(500);
    for overflow in [Overflow::BlockFor(patience), Overflow::DropBelow(Severity::INFO)] {
        let (queue, gate) = stuck(|queue| queue.capacity(1).overflow(overflow));
        let start = Instant::now();
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| (0..50).for_each(|number| send(&queue, number)))));
        });
        // The threads wait at the same time. 200 records would wait for 25 s if each had a patience of its own.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let full = stats(&queue);
        assert_eq!((full.accepted, full.pending, full.dropped.by(DropReason::Timeout)), (201, 1, 200));
        gate.unlock();
        queue.flush(soon()).unwrap();
        assert_eq!(gate.seen(), sequence([vec![Seen::Lost(200)]]));
    }
}

#[test]
fn a_sink_that_hangs_costs_one_patience_too_if_the_memory_is_used_up() {
    let patience = Duration::from_millis(200);
    let (queue, gate) = stuck(|queue| queue.capacity_bytes(10_000).overflow(Overflow::BlockFor(patience)));
    let large = "x".repeat(6_000);
    let start = Instant::now();
    (0..50).for_each(|_| send(&queue, &large));
    assert!(start.elapsed() < 10 * patience, "{:?}", start.elapsed());
    let full = stats(&queue);
    // One that is being written, and one behind it.
    assert_eq!((full.pending, full.dropped.by(DropReason::Timeout)), (2, 49));
    gate.unlock();
    queue.flush(soon()).unwrap();
}

#[test]
fn each_stall_costs_one_patience() {
    let patience = Duration::from_millis(200);
    let (queue, gate) = stuck(|queue| queue.capacity(1).overflow(Overflow::BlockFor(patience)));
    for stall in 1..4 {
        let start = Instant::now();
        (0..20).for_each(|number| send(&queue, number));
        let took = start.elapsed();
        assert!((patience..10 * patience).contains(&took), "stall {stall}: {took:?}");
        gate.unlock();
        queue.flush(soon()).unwrap();
        gate.lock();
        let entered = gate.entered();
        send(&queue, "next");
        until("the worker takes it", || gate.entered() > entered);
    }
    gate.unlock();
    queue.flush(soon()).unwrap();
}

#[test]
fn after_a_stall_threads_wait_for_room_again() {
    let (queue, gate) = stuck(|queue| queue.capacity(8).overflow(Overflow::BlockFor(Duration::from_millis(300))));
    (0..20).for_each(|number| send(&queue, number));
    assert_eq!(stats(&queue).dropped.total(), 13);
    gate.unlock();
    queue.flush(soon()).unwrap();
    gate.lock();
    send(&queue, "second");
    until("the worker takes it", || gate.entered() == 10);
    (0..7).for_each(|number| send(&queue, number));
    let start = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            send(&queue, "waits");
            start.elapsed()
        });
        assert!(waiting.join().unwrap() >= Duration::from_millis(300));
    });
    gate.unlock();
    queue.flush(soon()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_queue_that_blocks_loses_nothing() {
    let (queue, gate) = stuck(|queue| queue.capacity(2).overflow(Overflow::Block));
    send(&queue, 0);
    thread::scope(|scope| {
        let blocked = send_until_blocked(scope, &queue, 1);
        assert!(!blocked.is_finished());
        gate.unlock();
    });
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([messages(0..2)]));
    assert_eq!(stats(&queue).lost(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_record_that_waits_for_room_is_counted_as_pending_or_not_at_all() {
    let (queue, gate) = stuck(|queue| queue.capacity(1).overflow(Overflow::Block));
    thread::scope(|scope| {
        let blocked = send_until_blocked(scope, &queue, 0);
        let waiting = stats(&queue);
        assert_eq!((waiting.accepted, waiting.pending), (1, 1), "{waiting:?}");
        gate.unlock();
        blocked.join().unwrap();
    });
    queue.flush(soon()).unwrap();
    assert_eq!((stats(&queue).accepted, stats(&queue).delivered), (2, 2));
}

/// Sends a record on a thread of its own, and returns when that is blocked or has ended.
#[cfg(target_os = "linux")]
fn send_until_blocked<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    queue: &'scope Queue<impl Handler>,
    message: u32,
) -> thread::ScopedJoinHandle<'scope, ()> {
    let (sender, id) = mpsc::channel();
    let sending = scope.spawn(move || {
        sender.send(threads::thread_id()).unwrap();
        send(queue, message);
    });
    let id = id.recv().unwrap();
    until("the thread waits for room", || sending.is_finished() || threads::is_blocked(id));
    sending
}

#[test]
fn the_bound_in_bytes_holds() {
    let large = "x".repeat(10_000);
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let (queue, gate) = stuck(|queue| queue.capacity_bytes(100_000).overflow(overflow));
        (0..50).for_each(|_| send(&queue, &large));
        // 9 of them and the small one fit; a tenth would be 100,000 bytes of message alone.
        assert_eq!(stats(&queue).pending, 10);
        assert_eq!(stats(&queue).dropped.total(), 41);
        gate.unlock();
        queue.flush(soon()).unwrap();
        assert_eq!(gate.messages().len(), 10);
        assert_eq!(gate.lost(), 41);
    }
}

#[test]
fn the_oldest_are_not_dropped_for_one_that_does_not_fit_anyway() {
    // The one that the worker has takes so much that the next large one has no room, whatever else goes.
    let gate = Gate::shut();
    let queue = Queue::new(gate.clone()).capacity_bytes(100_000).overflow(Overflow::DropOldest);
    send(&queue, "x".repeat(60_000));
    until("the worker takes it", || gate.entered() == 1);
    (0..5).for_each(|number| send(&queue, number));
    send(&queue, "y".repeat(60_000));
    assert_eq!(stats(&queue).dropped.total(), 1);
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.messages()[1..], ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_record_larger_than_the_queue_costs_only_itself() {
    for overflow in [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest] {
        let (queue, gate) = stuck(|queue| queue.capacity_bytes(10_000).overflow(overflow));
        send(&queue, 0);
        send(&queue, "x".repeat(20_000));
        send(&queue, 1);
        assert_eq!(stats(&queue).dropped.by(DropReason::TooLarge), 1);
        assert_eq!((stats(&queue).dropped.total(), stats(&queue).pending), (1, 3));
        gate.unlock();
        queue.flush(soon()).unwrap();
        assert_eq!(gate.seen(), sequence([messages(0..1), vec![Seen::Lost(1)], messages(1..2)]));
    }
}

#[test]
fn a_queue_of_one_record_works_with_every_policy() {
    for overflow in POLICIES {
        let gate = Gate::open();
        let queue = Queue::new(gate.clone()).capacity(1).overflow(overflow);
        (0..500).for_each(|number| send(&queue, number));
        queue.flush(soon()).unwrap();
        let stats = stats(&queue);
        assert_eq!(stats.accepted, 500);
        assert_eq!(stats.delivered, gate.messages().len() as u64, "{overflow:?}");
        assert_eq!(stats.dropped.total(), gate.lost(), "{overflow:?}");
        assert_gaps_are_exact(&gate.seen(), 500);
    }
}

/// From a single thread that counts from 0 each notice stands exactly where the numbers jump, and tells by how much.
#[track_caller]
fn assert_gaps_are_exact(seen: &[Seen], sent: u64) {
    let end = seen.iter().fold(0, |next, seen| match seen {
        Seen::Lost(lost) => next + lost,
        Seen::Message(number) => {
            assert_eq!(number.parse(), Ok(next), "in {seen:?}");
            next + 1
        }
    });
    assert_eq!(end, sent);
}

const POLICIES: [Overflow; 5] = [
    Overflow::Block,
    Overflow::BlockFor(Duration::from_millis(1)),
    Overflow::DropNewest,
    Overflow::DropOldest,
    Overflow::DropBelow(Severity::WARN),
];

#[test]
fn each_gap_is_told_where_it_is() {
    const CAPACITY: usize = 16;
    for overflow in POLICIES {
        let gate = Gate::open();
        let sent = Arc::new(AtomicUsize::new(0));
        let (slow, ahead) = (gate.clone(), sent.clone());
        let queue = Queue::new(from_fn(move |record| {
            // Long enough for the queue to run full, unless the sender waits for room.
            if overflow != Overflow::Block && record.kind() == Kind::Event && record.message().ends_with("00") {
                let number: usize = record.message().parse().unwrap();
                until("the queue is full", || ahead.load(Ordering::SeqCst) > number + 2 * CAPACITY);
            }
            slow.handle(record)
        }));
        let queue = queue.capacity(CAPACITY).overflow(overflow);
        (0..3_000).for_each(|number| {
            send(&queue, number);
            sent.fetch_add(1, Ordering::SeqCst);
        });
        queue.flush(soon()).unwrap();
        assert_gaps_are_exact(&gate.seen(), 3_000);
        assert_eq!(stats(&queue).dropped.total(), gate.lost());
        assert_eq!(gate.lost() > 0, overflow != Overflow::Block);
    }
}

#[test]
fn every_record_is_accounted_for_in_every_snapshot_under_load() {
    const THREADS: u64 = 8;
    const EACH: u64 = 2_000;
    const CAPACITY: usize = 32;
    for overflow in POLICIES {
        let gate = Gate::open();
        let slow = gate.clone();
        let handler = from_fn(move |record| {
            thread::yield_now();
            slow.handle(record)
        });
        let queue = Queue::new(handler).capacity(CAPACITY).overflow(overflow);
        let busy = AtomicBool::new(true);
        thread::scope(|scope| {
            let snapshots = scope.spawn(|| {
                let mut before = Stats::default();
                let mut count = 0;
                while busy.load(Ordering::SeqCst) {
                    let now = stats(&queue);
                    assert!(now.pending <= CAPACITY as u64, "{now:?}");
                    assert!(now.accepted >= before.accepted && now.delivered >= before.delivered, "{before:?} {now:?}");
                    before = now;
                    count += 1;
                    // A thread that takes a lock again at once starves all others.
                    thread::yield_now();
                }
                count
            });
            let writers: Vec<_> = (0..THREADS)
                .map(|writer| {
                    let queue = &queue;
                    scope.spawn(move || {
                        for number in 0..EACH {
                            let severity = if number % 10 == 0 { Severity::WARN } else { Severity::INFO };
                            let record = record(severity, &format!("{writer} {number}"));
                            queue.handle(&record.as_record()).unwrap();
                        }
                    })
                })
                .collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            busy.store(false, Ordering::SeqCst);
            assert!(snapshots.join().unwrap() > 0);
        });
        queue.flush(soon()).unwrap();
        let end = stats(&queue);
        assert_eq!((end.accepted, end.pending, end.failed), (THREADS * EACH, 0, 0), "{overflow:?}");
        assert_eq!(end.delivered, gate.messages().len() as u64, "{overflow:?}");
        assert_eq!(end.dropped.total(), gate.lost(), "{overflow:?}");
        assert!(overflow != Overflow::Block || end.dropped.total() == 0);
        assert_each_thread_is_in_order(&gate.messages());
    }
}

#[track_caller]
fn assert_each_thread_is_in_order(messages: &[String]) {
    let mut last = HashMap::new();
    for message in messages {
        let (writer, number) = message.split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let before = last.insert(writer.to_owned(), number);
        assert!(before.is_none_or(|before| before < number), "{writer}: {before:?} before {number}");
    }
}

#[test]
fn after_a_flush_all_that_was_accepted_before_is_behind_the_queue() {
    const THREADS: usize = 4;
    let sink = Collected::default();
    let output = Output::new(format::from_fn(message), Buffered::new(sink.clone()));
    let queue = Queue::new(output).capacity(64).overflow(Overflow::Block);
    let sent: [AtomicUsize; THREADS] = Default::default();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for (writer, sent) in sent.iter().enumerate() {
            let (queue, stop) = (&queue, &stop);
            scope.spawn(move || {
                // The test looks through all lines after each flush: there must not be too many.
                for number in 0..2_500 {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    send(queue, format!("{writer} {number}"));
                    sent.store(number + 1, Ordering::SeqCst);
                }
            });
        }
        let flushers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..30 {
                        let before: Vec<_> = sent.iter().map(|sent| sent.load(Ordering::SeqCst)).collect();
                        queue.flush(soon()).unwrap();
                        let mut arrived = [0; THREADS];
                        for line in sink.lines() {
                            let (writer, _) = line.split_once(' ').unwrap();
                            arrived[writer.parse::<usize>().unwrap()] += 1;
                        }
                        for (arrived, before) in arrived.iter().zip(&before) {
                            assert!(arrived >= before, "flushed, and only {arrived} of {before} are there");
                        }
                    }
                })
            })
            .collect();
        let flushed: Vec<_> = flushers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::SeqCst);
        flushed.into_iter().for_each(|flushed| flushed.unwrap());
    });
}

fn message(record: &Record<'_>, out: &mut format::Out<'_>) -> Result<(), Error> {
    out.push_str(record.message());
    Ok(())
}

#[test]
fn a_flush_of_a_stuck_queue_times_out_and_a_later_one_works() {
    let (queue, gate) = stuck(|queue| queue);
    send(&queue, 0);
    for _ in 0..3 {
        let error = queue.flush(Instant::now() + Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert_eq!(stats(&queue).pending, 2);
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), sequence([messages(0..1)]));
}

#[test]
fn a_long_deadline_of_one_flush_does_not_stretch_the_next() {
    let (sender, deadlines) = mpsc::channel();
    let queue = Queue::new(Deadlines(sender));
    send(&queue, 0);
    queue.flush(Instant::now() + Duration::from_secs(3_600)).unwrap();
    deadlines.recv().unwrap();
    let near = soon();
    queue.flush(near).unwrap();
    assert!(deadlines.recv().unwrap() <= near);
}

struct Deadlines(Sender<Instant>);

impl Handler for Deadlines {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        let _ = self.0.send(deadline);
        Ok(())
    }
}

#[test]
fn a_flush_hands_on_the_error_of_the_handler_and_the_next_one_may_work() {
    let fails = Arc::new(AtomicBool::new(true));
    let queue = Queue::new(FailingFlush(fails.clone()));
    send(&queue, 0);
    let error = queue.flush(soon()).unwrap_err();
    assert_eq!((error.kind(), error.class(), error.handler()), (ErrorKind::Io, ErrorClass::Full, Some("disk")));
    fails.store(false, Ordering::SeqCst);
    queue.flush(soon()).unwrap();
}

struct FailingFlush(Arc<AtomicBool>);

impl Handler for FailingFlush {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn flush(&self, _: Instant) -> Result<(), Error> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Io, "no").with_class(ErrorClass::Full).with_handler("disk")),
            false => Ok(()),
        }
    }
}

/// A handler that is told later which queue it stands behind.
type Own = Arc<OnceLock<Weak<Queue<Box<dyn Handler>>>>>;

fn queue_that_knows_itself(
    handler: impl FnOnce(Own) -> Box<dyn Handler>,
    set: impl FnOnce(Queue<Box<dyn Handler>>) -> Queue<Box<dyn Handler>>,
) -> Arc<Queue<Box<dyn Handler>>> {
    let own = Own::default();
    let queue = Arc::new(set(Queue::new(handler(own.clone()))));
    own.set(Arc::downgrade(&queue)).unwrap();
    queue
}

#[test]
fn a_flush_from_the_own_thread_is_refused_at_once() {
    let (sender, results) = mpsc::channel();
    let queue = queue_that_knows_itself(
        |own| {
            Box::new(from_fn(move |_| {
                let queue = own.get().and_then(Weak::upgrade).expect("the test keeps it");
                let _ = sender.send(queue.flush(soon()).map_err(|error| error.kind()));
                Ok(())
            }))
        },
        |queue| queue,
    );
    send(&queue, 0);
    assert_eq!(results.recv_timeout(Duration::from_secs(20)).unwrap(), Err(ErrorKind::Closed));
}

#[test]
fn a_handler_that_hands_a_record_to_its_own_full_queue_does_not_wait_for_itself() {
    let queue = queue_that_knows_itself(
        |own| {
            Box::new(from_fn(move |record| match record.message() {
                "again" => Ok(()),
                _ => own
                    .get()
                    .and_then(Weak::upgrade)
                    .expect("the test keeps it")
                    .handle(&RecordBuf::new(Severity::INFO, "test", "again").as_record()),
            }))
        },
        |queue| queue.capacity(1).overflow(Overflow::Block),
    );
    send(&queue, 0);
    queue.flush(soon()).unwrap();
    assert!(queue.stats()[0].stats.balances());
    assert_eq!(queue.stats()[0].stats.accepted, 2);
}

#[test]
fn dropping_a_queue_delivers_what_is_in_it() {
    let gate = Gate::open();
    let queue = Queue::new(gate.clone());
    (0..1_000).for_each(|number| send(&queue, number));
    drop(queue);
    assert_eq!(gate.messages().len(), 1_000);
}

#[test]
fn dropping_a_queue_empties_the_buffers_behind_it() {
    for _ in 0..20 {
        let sink = Collected::default();
        let queue = Queue::new(Output::new(format::from_fn(message), Buffered::new(sink.clone())));
        (0..10).for_each(|number| send(&queue, number));
        drop(queue);
        assert_eq!(sink.lines().len(), 10);
    }
}

#[test]
fn when_a_dropped_queue_is_gone_so_is_its_handler() {
    for _ in 0..100 {
        let gate = Gate::open();
        let queue = Queue::new(gate.clone());
        send(&queue, 0);
        drop(queue);
        assert_eq!(Arc::strong_count(&gate), 1);
    }
}

#[test]
fn dropping_a_stuck_queue_comes_back_after_the_close_timeout() {
    let timeout = Duration::from_millis(100);
    let (queue, gate) = stuck(|queue| queue.close_timeout(timeout));
    send(&queue, 0);
    let start = Instant::now();
    drop(queue);
    assert!(start.elapsed() >= timeout);
    assert!(start.elapsed() < timeout + Duration::from_secs(20));
    assert_eq!(gate.messages(), [] as [&str; 0]);
    gate.unlock();
    // The thread is let go too, when the handler comes back.
    until("the thread ends", || Arc::strong_count(&gate) == 1);
    assert_eq!(gate.messages(), ["first"]);
}

#[test]
fn the_longest_of_all_timeouts_is_no_trouble() {
    let memory = tracing_handlers::sink::Memory::new();
    let output = tracing_handlers::Output::new(tracing_handlers::format::Text::new(), memory.clone());
    let queue = Queue::new(output).close_timeout(Duration::MAX);
    let layer = tracing_handlers::layer::<tracing_subscriber::Registry>(queue);
    layer.handle().flush(Duration::MAX).unwrap();
    drop(layer);
    tracing_handlers::process::flush(Duration::MAX).unwrap();
}

#[test]
fn a_queue_dropped_on_its_own_thread_still_delivers() {
    type Slot = Arc<Mutex<Option<Queue<Box<dyn Handler>>>>>;
    let slot = Slot::default();
    let (gate, own) = (Gate::open(), slot.clone());
    let (seen, (go, waits)) = (gate.clone(), mpsc::channel::<()>());
    let waits = Mutex::new(waits);
    let handler: Box<dyn Handler> = Box::new(from_fn(move |record| {
        if record.message() == "drop it" {
            let _ = lock(&waits).recv();
            drop(lock(&own).take());
        }
        seen.handle(record)
    }));
    *lock(&slot) = Some(Queue::new(handler));
    {
        let queue = lock(&slot);
        let queue = queue.as_ref().unwrap();
        send(queue, "drop it");
        until("the worker has it", || queue.stats()[0].stats.pending == 1);
        (0..10).for_each(|number| send(queue, number));
    }
    go.send(()).unwrap();
    until("all is delivered", || gate.messages().len() == 11);
}

#[test]
fn what_a_handler_logs_on_the_queues_thread_never_enters_the_queue() {
    static PINNED: OnceLock<tracing::Dispatch> = OnceLock::new();
    PINNED.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
    let (gate, beside) = (Gate::open(), Gate::open());
    let dispatch = Arc::new(OnceLock::<tracing::Dispatch>::new());
    let (seen, own) = (gate.clone(), dispatch.clone());
    let logs = from_fn(move |record| {
        tracing::dispatcher::with_default(own.get().unwrap(), || tracing::error!("from the worker"));
        seen.handle(record)
    });
    let queue = Arc::new(Queue::new(logs).capacity(2).overflow(Overflow::Block));
    let layer = tracing_handlers::layer((queue.clone(), beside.clone()));
    dispatch.set(tracing::Dispatch::new(tracing_subscriber::registry().with(layer))).unwrap();
    tracing::dispatcher::with_default(dispatch.get().unwrap(), || {
        (0..100).for_each(|number| tracing::info!("{number}"));
    });
    queue.flush(soon()).unwrap();
    assert_eq!(gate.messages(), (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    let stats = queue.stats()[0].stats;
    assert!(stats.balances());
    assert_eq!(stats.dropped.by(DropReason::Reentrant), 100);
    assert_eq!((stats.accepted, stats.delivered), (200, 100));
    // Handlers beside the queue get them.
    let from_worker = beside.messages().iter().filter(|message| *message == "from the worker").count();
    assert_eq!((beside.messages().len(), from_worker), (200, 100));
}

#[test]
fn records_that_a_handler_fails_or_panics_on_are_counted_and_the_others_arrive() {
    for panics in [false, true] {
        let gate = Gate::open();
        let seen = gate.clone();
        let queue = Queue::new(from_fn(move |record| {
            let number: u32 = record.message().parse().unwrap();
            match number % 2 {
                0 => seen.handle(record),
                _ if panics => panic!("a panic on purpose"),
                _ => Err(Error::new(ErrorKind::Io, "an error on purpose")),
            }
        }));
        (0..200).for_each(|number| send(&queue, number));
        queue.flush(soon()).unwrap();
        let stats = stats(&queue);
        assert_eq!(gate.messages().len(), 100, "panics: {panics}");
        assert_eq!((stats.delivered, stats.failed), (100, 100), "panics: {panics}");
    }
}

#[test]
fn of_several_handlers_behind_one_queue_one_that_panics_costs_the_others_nothing() {
    let (first, last) = (Gate::open(), Gate::open());
    let panics = from_fn(|_| panic!("a panic on purpose"));
    let fails = from_fn(|_| Err(Error::new(ErrorKind::Io, "an error on purpose")));
    let queue = Queue::new((first.clone(), panics, fails, last.clone()));
    (0..100).for_each(|number| send(&queue, number));
    queue.flush(soon()).unwrap();
    assert_eq!((first.messages().len(), last.messages().len()), (100, 100));
    assert_eq!(stats(&queue).failed, 100);
}

#[test]
fn a_queue_counts_what_the_worst_of_its_handlers_failed_on() {
    let fails_all = from_fn(|_| Err(Error::new(ErrorKind::Io, "an error on purpose")));
    let fails_one = from_fn(|record| match record.message() {
        "0" => Err(Error::new(ErrorKind::Io, "an error on purpose")),
        _ => Ok(()),
    });
    let queue = Queue::new((fails_all, fails_one));
    (0..100).for_each(|number| send(&queue, number));
    queue.flush(soon()).unwrap();
    assert_eq!(stats(&queue).failed, 100);
}

#[test]
fn queues_behind_queues_deliver_in_order() {
    let gate = Gate::open();
    let inner = Queue::new(gate.clone()).capacity(3).overflow(Overflow::Block).name("inner");
    let queue = Queue::new(inner).capacity(5).overflow(Overflow::Block);
    (0..2_000).for_each(|number| send(&queue, number));
    queue.flush(soon()).unwrap();
    assert_eq!(gate.seen(), messages(0..2_000));
    let reports = queue.stats();
    assert_eq!(reports.iter().map(|report| report.name.as_str()).collect::<Vec<_>>(), ["queue", "inner"]);
    assert!(reports.iter().all(|Report { stats, .. }| stats.balances() && stats.delivered == 2_000));
}

#[test]
fn a_notice_of_loss_passes_through_a_queue_behind() {
    let gate = Gate::shut();
    let inner = Queue::new(gate.clone());
    let queue = Queue::new((inner, gate.clone())).capacity(2).overflow(Overflow::DropNewest);
    send(&queue, "first");
    until("both workers stand before the gate", || gate.entered() == 2);
    (0..5).for_each(|number| send(&queue, number));
    gate.unlock();
    queue.flush(soon()).unwrap();
    assert_eq!(gate.lost(), 8, "each of the two ways tells of 4");
    assert!(queue.stats().iter().all(|report| report.stats.balances()));
}

/// To be told from the record alone, on the worker's thread.
fn is_severe(record: &Record<'_>) -> bool {
    record.severity().is_at_least(Severity::WARN)
}

#[test]
fn what_the_handler_says_it_does_not_want_is_not_queued() {
    let sink = Collected::default();
    let queue = Queue::new(Output::new(format::from_fn(message), sink.clone()).level(tracing::Level::WARN));
    for severity in [Severity::DEBUG, Severity::WARN, Severity::INFO] {
        queue.handle(&record(severity, severity.name()).as_record()).unwrap();
    }
    queue.flush(soon()).unwrap();
    assert_eq!((stats(&queue).accepted, stats(&queue).delivered), (1, 1));
    assert_eq!(sink.lines(), ["WARN"]);
}

/// Wants WARN and more of everything but the target `noise`, and counts how often it is asked.
#[derive(Default)]
struct Choosy {
    asked: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

impl Handler for Choosy {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        meta.severity.is_at_least(Severity::WARN) && meta.target != "noise"
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        lock(&self.seen).push(record.message().to_owned());
        Ok(())
    }
}

#[test]
fn the_handler_is_asked_once_for_each_callsite_and_severity() {
    let choosy = Arc::new(Choosy::default());
    let queue = Queue::new(choosy.clone());
    let info = seen(|| tracing::info!("info")).last();
    let mut error = info.clone();
    error.set_severity(Severity::ERROR);
    error.set_message("error");
    // These carry their targets themselves, and are judged each time.
    let (noise, heard) = (RecordBuf::new(Severity::ERROR, "noise", "noise"), record(Severity::WARN, "heard"));
    for record in [&info, &noise, &error, &heard] {
        (0..100).for_each(|_| queue.handle(&record.as_record()).unwrap());
    }
    queue.flush(soon()).unwrap();
    assert_eq!(choosy.asked.load(Ordering::SeqCst), 1 + 100 + 1 + 100);
    assert_eq!(*lock(&choosy.seen), [["error"; 100], ["heard"; 100]].concat());
    assert_eq!(stats(&queue).accepted, 200);
}

#[test]
fn callsites_whose_answers_share_a_place_do_not_get_each_others() {
    macro_rules! callsites {
        ($($number:literal)*) => { $(
            tracing::info!(target: concat!("t", $number), "info");
            tracing::warn!(target: concat!("t", $number), "warn");
        )* };
    }
    let seen = seen(|| {
        // More than a queue remembers.
        callsites!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
            37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72);
    });
    let choosy = Arc::new(Choosy::default());
    let queue = Queue::new(choosy.clone());
    for _ in 0..3 {
        seen.all().iter().for_each(|record| queue.handle(&record.as_record()).unwrap());
    }
    queue.flush(soon()).unwrap();
    assert_eq!(*lock(&choosy.seen), vec!["warn"; 3 * 73]);
}

#[test]
fn records_of_all_sizes_keep_their_places_when_the_oldest_are_dropped() {
    // What a queue keeps together is 64 KiB: these are far smaller, nearly as large, and larger.
    let sizes = [10, 65_000, 3_000, 200_000, 66_000, 1, 30_000, 30_000];
    for capacity in [400_000, 1_000_000] {
        let gate = Gate::open();
        let queue = Queue::new(gate.clone()).capacity_bytes(capacity).overflow(Overflow::DropOldest);
        for round in 0..20 {
            gate.lock();
            for number in 0..30_u32 {
                let zeros = "0".repeat(sizes[number as usize % sizes.len()]);
                send(&queue, format!("{zeros}{}", round * 30 + number));
                stats(&queue);
            }
            gate.unlock();
            if round % 4 == 3 {
                queue.flush(soon()).unwrap();
            }
        }
        queue.flush(soon()).unwrap();
        assert_eq!((stats(&queue).accepted, stats(&queue).pending), (600, 0));
        assert_eq!(stats(&queue).delivered, gate.messages().len() as u64);
        assert_gaps_are_exact(&gate.seen(), 600);
    }
}

#[test]
fn what_an_outputs_filter_leaves_out_is_not_a_failure_of_the_queue() {
    let sink = Collected::default();
    let output = Output::new(format::from_fn(message), sink.clone()).filter(filter::on_record(is_severe));
    let queue = Queue::new(output);
    for number in 0..100 {
        let severity = if number % 4 == 0 { Severity::WARN } else { Severity::DEBUG };
        queue.handle(&record(severity, &number.to_string()).as_record()).unwrap();
    }
    queue.flush(soon()).unwrap();
    assert_eq!(sink.lines().len(), 25);
    let reports = queue.stats();
    assert_eq!((reports[0].stats.delivered, reports[0].stats.failed), (100, 0));
    assert_eq!((reports[1].stats.accepted, reports[1].stats.delivered), (25, 25));
}

#[test]
fn filtered_records_beside_failed_ones_are_counted_apart() {
    let sink = Collected::default();
    sink.fail_every(1);
    let output = Output::new(format::from_fn(message), sink).filter(filter::on_record(is_severe));
    let queue = Queue::new(output);
    for severity in [Severity::DEBUG, Severity::WARN, Severity::DEBUG] {
        queue.handle(&record(severity, "x").as_record()).unwrap();
    }
    queue.flush(soon()).unwrap();
    assert_eq!((stats(&queue).delivered, stats(&queue).failed), (2, 1));
}

#[test]
fn records_reach_a_worker_that_dozes_without_a_flush() {
    let (sender, arrived) = mpsc::channel();
    let queue = Queue::new(from_fn(move |_| {
        let _ = sender.send(());
        Ok(())
    }));
    let mut quickest = Duration::MAX;
    for _ in 0..50 {
        let start = Instant::now();
        send(&queue, "x");
        arrived.recv_timeout(Duration::from_secs(20)).unwrap();
        quickest = quickest.min(start.elapsed());
    }
    // Of fifty one is quick, however busy the machine.
    assert!(quickest < Duration::from_millis(10), "{quickest:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn records_reach_a_worker_that_sleeps_without_a_flush() {
    let (queue, arrived) = watched_queue();
    for severity in [Severity::INFO, Severity::INFO, Severity::ERROR, Severity::INFO] {
        queue.handle(&record(severity, "x").as_record()).unwrap();
        let worker = arrived.recv_timeout(Duration::from_secs(20)).unwrap();
        until("the worker sleeps", || threads::sleeps_until_woken(worker));
    }
}

/// Sends the id of the handling thread for each record.
#[cfg(target_os = "linux")]
fn watched_queue() -> (Queue<impl Handler>, mpsc::Receiver<libc::pid_t>) {
    let (sender, receiver) = mpsc::channel();
    let handler = from_fn(move |_| {
        let _ = sender.send(threads::thread_id());
        Ok(())
    });
    (Queue::new(handler), receiver)
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_worker_sleeps_until_it_is_woken() {
    let (queue, arrived) = watched_queue();
    send(&queue, "x");
    let worker = arrived.recv_timeout(Duration::from_secs(20)).unwrap();
    until("the worker sleeps after a record", || threads::sleeps_until_woken(worker));
    queue.flush(soon()).unwrap();
    until("the worker sleeps after a flush", || threads::sleeps_until_woken(worker));
}

#[test]
fn a_gate_that_shuts_and_opens_loses_no_wake_up() {
    let gate = Gate::open();
    let queue = Queue::new(gate.clone()).capacity(4).overflow(Overflow::Block);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let queue = &queue;
                scope.spawn(move || (0..300).for_each(|number| send(queue, format!("{writer} {number}"))))
            })
            .collect();
        while !writers.iter().all(|writer| writer.is_finished()) {
            let before = gate.entered();
            gate.lock();
            thread::yield_now();
            gate.unlock();
            until("a record passes", || gate.entered() > before || writers.iter().all(|writer| writer.is_finished()));
        }
    });
    queue.flush(soon()).unwrap();
    assert_eq!(gate.messages().len(), 1_200);
    assert_each_thread_is_in_order(&gate.messages());
}

#[test]
fn a_batch_handler_that_says_it_delivered_more_than_there_was_does_not_upset_the_counts() {
    struct Boasts;
    impl Handler for Boasts {
        fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
            Ok(())
        }
        fn handle_batch(&self, _: Records<'_>) -> Result<(), tracing_handlers::Partial> {
            Err(tracing_handlers::Partial::new(1_000, Error::new(ErrorKind::Io, "an error on purpose")))
        }
    }
    let queue = Queue::new(Boasts);
    (0..10).for_each(|number| send(&queue, number));
    queue.flush(soon()).unwrap();
    assert_eq!((stats(&queue).delivered, stats(&queue).failed), (10, 0));
}

#[test]
fn settings_of_a_queue_in_use_are_not_taken_and_harm_nothing() {
    let queue = Queue::new(from_fn(|_| Ok(())));
    send(&queue, 1);
    let queue = queue.capacity(1).overflow(Overflow::DropNewest);
    (0..100).for_each(|number| send(&queue, number));
    queue.flush(Instant::now() + Duration::from_secs(10)).unwrap();
    assert_eq!(stats(&queue).delivered, 101);
}
