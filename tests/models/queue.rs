//! The queue: how its worker dozes, sleeps and is woken, and how threads wait for room, for a flush and for its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shuttle::thread;
use tracing_handlers::handler::{DropReason, Overflow, Stats};
use tracing_handlers::models::{Condvar, Mutex, Passing, check, choose, lock, now, sleep, wait};
use tracing_handlers::{Error, Handler, Queue, Record, RecordBuf, Severity};

use super::since;

/// The longest time that a record stays in the queue of an idle worker.
const TICK: Duration = Duration::from_millis(2);
/// After this time without records the worker sleeps.
const LINGER: Duration = Duration::from_millis(100);
/// When the worker falls asleep whose first record was logged at the start: it takes that one at its first tick.
const FALLS_ASLEEP: Duration = Duration::from_millis(102);
const FAR: Duration = Duration::from_secs(3_600);

#[test]
fn a_record_arrives_within_a_tick_whatever_the_worker_is_doing() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()));
        let start = now();
        // One thread logs at once, another just before the worker falls asleep or when it does. A third one
        // would wake it for both.
        let late = if choose(2) == 0 { FALLS_ASLEEP } else { FALLS_ASLEEP - TICK };
        let pauses = [Duration::ZERO, late];
        let threads = pauses.map(|pause| {
            let queue = queue.clone();
            thread::spawn(move || {
                sleep(pause);
                log(&queue, Severity::INFO);
            })
        });
        end.await_records(pauses.len());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        for (arrived, pause) in end.arrived().into_iter().zip(pauses) {
            assert!(
                arrived.duration_since(start) <= pause + TICK,
                "it took {:?}",
                arrived.duration_since(start) - pause
            );
        }
    });
}

#[test]
fn a_record_wakes_the_worker_from_its_sleep() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()));
        log(&queue, Severity::INFO);
        sleep(2 * LINGER);
        let start = now();
        let threads = [(); 2].map(|()| log_in_thread(&queue, 1, Severity::INFO));
        end.await_records(3);
        assert!(since(start) <= TICK, "{:?}", since(start));
        assert_eq!(end.arrived()[1], start, "the first one wakes it at once");
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_record_that_arrives_during_a_slow_one_does_not_wait_for_another_to_wake_the_worker() {
    check(Passing::Late, || {
        const SLOWNESS: Duration = Duration::from_millis(200);
        let end = End::slow(SLOWNESS);
        let queue = Queue::new(end.clone());
        log(&queue, Severity::INFO);
        end.await_begun();
        let start = now();
        log(&queue, Severity::INFO);
        end.await_records(2);
        assert!(since(start) <= 2 * SLOWNESS + TICK, "{:?}", since(start));
    });
}

#[test]
fn an_error_does_not_wait_for_the_next_tick() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()));
        let start = now();
        let threads = [Severity::INFO, Severity::ERROR].map(|severity| log_in_thread(&queue, 1, severity));
        end.await_error();
        assert_eq!(since(start), Duration::ZERO);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn flushes_return_at_once_when_what_was_logged_before_is_delivered() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()));
        let start = now();
        let threads = [(); 2].map(|()| {
            let (queue, end) = (queue.clone(), end.clone());
            thread::spawn(move || {
                for logged in 1..3 {
                    log(&queue, Severity::INFO);
                    queue.flush(now() + FAR).unwrap();
                    assert!(end.arrived().len() >= logged, "its own records at least");
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(since(start) < TICK, "{:?}", since(start));
        assert_eq!(end.arrived().len(), 4);
    });
}

#[test]
fn a_flush_wakes_the_worker_from_its_sleep_while_others_log() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()));
        log(&queue, Severity::INFO);
        sleep(2 * LINGER);
        let start = now();
        let logging = log_in_thread(&queue, 1, Severity::INFO);
        queue.flush(now() + FAR).unwrap();
        assert!(since(start) < TICK, "{:?}", since(start));
        logging.join().unwrap();
    });
}

#[test]
fn dropping_a_queue_delivers_everything_and_ends_its_thread() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()).close_timeout(FAR));
        let start = now();
        let threads = [(); 2].map(|()| log_in_thread(&queue, 2, Severity::INFO));
        drop(queue);
        // The thread that releases the queue last drops it.
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(end.arrived().len(), 4);
        assert!(since(start) < TICK, "{:?}", since(start));
        assert_eq!(end.shared(), 1, "the handler was dropped with the queue");
    });
}

#[test]
fn dropping_a_queue_ends_a_worker_that_sleeps_or_is_about_to() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Queue::new(end.clone()).close_timeout(FAR);
        log(&queue, Severity::INFO);
        sleep([FALLS_ASLEEP - TICK, FALLS_ASLEEP, 2 * LINGER][choose(3)]);
        let start = now();
        drop(queue);
        assert!(since(start) < TICK, "{:?}", since(start));
        assert_eq!((end.arrived().len(), end.shared()), (1, 1));
    });
}

#[test]
fn a_flush_of_the_process_returns_while_the_queue_is_dropped() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Queue::new(end.clone()).close_timeout(FAR);
        log(&queue, Severity::INFO);
        let start = now();
        let flushing = thread::spawn(|| tracing_handlers::process::flush(FAR).unwrap());
        drop(queue);
        flushing.join().unwrap();
        assert!(since(start) < TICK, "{:?}", since(start));
        assert_eq!(end.arrived().len(), 1);
    });
}

#[test]
fn threads_that_wait_for_room_are_woken_when_there_is_some() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()).capacity(1).overflow(Overflow::Block).close_timeout(FAR));
        let start = now();
        let threads = [(); 3].map(|()| log_in_thread(&queue, 2, Severity::INFO));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        queue.flush(now() + FAR).unwrap();
        assert!(since(start) < TICK, "{:?}", since(start));
        let stats = stats(&queue);
        assert_eq!((stats.accepted, stats.delivered, stats.lost()), (6, 6, 0));
    });
}

#[test]
fn a_thread_that_waits_for_room_wakes_a_worker_that_has_too_little_to_be_woken_for() {
    check(Passing::Late, || {
        let end = End::default();
        let queue = Queue::new(end.clone()).capacity_bytes(4_000).overflow(Overflow::Block);
        let start = now();
        for size in [1_000, 3_000] {
            let record = RecordBuf::new(Severity::INFO, "shop", &"x".repeat(size));
            queue.handle(&record.as_record()).unwrap();
        }
        assert_eq!(since(start), Duration::ZERO);
        assert!(!end.arrived().is_empty());
    });
}

#[test]
fn a_thread_waits_for_room_no_longer_than_it_was_told_to() {
    const PATIENCE: Duration = Duration::from_secs(1);
    check(Passing::Late, || {
        let end = End::slow(10 * PATIENCE);
        let queue =
            Arc::new(Queue::new(end.clone()).capacity(1).overflow(Overflow::BlockFor(PATIENCE)).close_timeout(FAR));
        log(&queue, Severity::INFO);
        let start = now();
        log(&queue, Severity::INFO);
        assert_eq!(since(start), PATIENCE);
        let stats = stats(&queue);
        assert_eq!((stats.dropped.by(DropReason::Timeout), stats.accepted), (1, 2));
        assert!(stats.balances(), "{stats:?}");
    });
}

#[test]
fn a_handler_that_is_slower_than_its_callers_is_waited_for() {
    const PATIENCE: Duration = Duration::from_secs(1);
    check(Passing::Late, || {
        let end = End::slow(PATIENCE / 5);
        let overflow = Overflow::BlockFor(PATIENCE);
        let queue = Arc::new(Queue::new(end.clone()).capacity(1).overflow(overflow).close_timeout(FAR));
        // No thread waits for longer than its patience, even if the others are always served first.
        let threads = [(); 2].map(|()| log_in_thread(&queue, 2, Severity::INFO));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        queue.flush(now() + FAR).unwrap();
        assert_eq!((stats(&queue).lost(), end.arrived().len()), (0, 4));
    });
}

#[test]
fn threads_that_wait_for_a_handler_that_hangs_wait_for_one_patience_together() {
    const PATIENCE: Duration = Duration::from_secs(1);
    tracing_handlers::selflog::set(|_| ());
    check(Passing::Late, || {
        let end = End::slow(10 * PATIENCE);
        let queue =
            Arc::new(Queue::new(end.clone()).capacity(1).overflow(Overflow::BlockFor(PATIENCE)).close_timeout(FAR));
        log(&queue, Severity::INFO);
        end.await_begun();
        let start = now();
        let threads = [Duration::ZERO, PATIENCE / 2, 3 * PATIENCE].map(|pause| {
            let queue = queue.clone();
            thread::spawn(move || {
                sleep(pause);
                (0..3).for_each(|_| log(&queue, Severity::INFO));
                assert!(since(start) <= pause.max(PATIENCE), "{pause:?}: {:?}", since(start));
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let stats = stats(&queue);
        assert_eq!((stats.dropped.by(DropReason::Timeout), stats.accepted), (9, 10));
        assert!(stats.balances(), "{stats:?}");
    });
}

#[test]
fn a_closed_queue_that_does_not_empty_gives_up_its_records_in_time() {
    check(Passing::Late, || {
        let end = End::slow(Duration::from_secs(10));
        let queue = Queue::new(end.clone()).close_timeout(Duration::from_secs(1));
        log(&queue, Severity::ERROR);
        end.await_begun();
        log(&queue, Severity::ERROR);
        let start = now();
        drop(queue);
        assert_eq!(since(start), Duration::from_secs(1));
        sleep(Duration::from_secs(20));
        assert_eq!((end.arrived().len(), end.shared()), (1, 1), "the worker has ended by itself");
    });
}

#[test]
fn on_a_busy_machine_nothing_is_lost_and_everything_ends() {
    check(Passing::Anytime, || {
        let end = End::default();
        let queue = Arc::new(Queue::new(end.clone()).capacity(2).overflow(Overflow::Block).close_timeout(FAR));
        let threads = [Severity::INFO, Severity::ERROR].map(|severity| log_in_thread(&queue, 3, severity));
        let flushing = {
            let queue = queue.clone();
            thread::spawn(move || queue.flush(now() + FAR).unwrap())
        };
        drop(queue);
        threads.into_iter().chain([flushing]).for_each(|thread| thread.join().unwrap());
        assert_eq!((end.arrived().len(), end.shared()), (6, 1));
    });
}

#[test]
fn records_are_dropped_by_their_policy_and_all_are_counted() {
    check(Passing::Anytime, || {
        for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
            let end = End::default();
            let queue = Arc::new(Queue::new(end.clone()).capacity(1).overflow(overflow).close_timeout(FAR));
            let threads = [(); 2].map(|()| log_in_thread(&queue, 2, Severity::INFO));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            queue.flush(now() + FAR).unwrap();
            let stats = stats(&queue);
            assert!(stats.balances() && stats.pending == 0 && stats.accepted == 4, "{stats:?}");
            assert_eq!(stats.delivered, end.arrived().len() as u64);
        }
    });
}

/// The handler behind the queue: notes when each record arrives.
#[derive(Clone, Default)]
struct End {
    seen: Arc<Mutex<Seen>>,
    changed: Arc<Condvar>,
    /// How long it takes for a record.
    slowness: Duration,
}

#[derive(Default)]
struct Seen {
    begun: usize,
    arrived: Vec<Instant>,
    errors: usize,
}

impl End {
    fn slow(slowness: Duration) -> Self {
        Self { slowness, ..Self::default() }
    }

    fn arrived(&self) -> Vec<Instant> {
        lock(&*self.seen).arrived.clone()
    }

    fn await_records(&self, count: usize) {
        self.await_that(|seen| seen.arrived.len() >= count);
    }

    fn await_begun(&self) {
        self.await_that(|seen| seen.begun > 0);
    }

    fn await_error(&self) {
        self.await_that(|seen| seen.errors > 0);
    }

    fn await_that(&self, is_so: impl Fn(&Seen) -> bool) {
        let mut seen = lock(&*self.seen);
        while !is_so(&seen) {
            seen = wait(&self.changed, seen);
        }
    }

    /// The number of clones of this handler.
    fn shared(&self) -> usize {
        Arc::strong_count(&self.seen)
    }
}

impl Handler for End {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if record.kind() == tracing_handlers::record::Kind::Loss {
            return Ok(());
        }
        lock(&*self.seen).begun += 1;
        self.changed.notify_all();
        if !self.slowness.is_zero() {
            sleep(self.slowness);
        }
        let mut seen = lock(&*self.seen);
        seen.arrived.push(now());
        seen.errors += usize::from(record.severity().is_at_least(Severity::ERROR));
        drop(seen);
        self.changed.notify_all();
        Ok(())
    }
}

fn log(queue: &Queue<End>, severity: Severity) {
    queue.handle(&RecordBuf::new(severity, "shop", "sold").as_record()).unwrap();
}

fn log_in_thread(queue: &Arc<Queue<End>>, count: usize, severity: Severity) -> thread::JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || (0..count).for_each(|_| log(&queue, severity)))
}

fn stats(queue: &Queue<End>) -> Stats {
    queue.own_report().expect("a queue reports").stats
}
