//! The line that says how many records a sink has refused, behind and in front of other handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::handler::{self, Dedup, Fallback, Filtered, Handler, Overflow, Retry, Route};
use tracing_handlers::sink::{Framed, Memory, Sink};
use tracing_handlers::{Error, ErrorKind, Output, Partial, Queue, RecordBuf, Severity, filter, format};

/// Refuses some writes, then takes some lines of the next one, and all of the others.
#[derive(Clone, Default)]
struct Fickle {
    kept: Memory,
    refuse: Arc<AtomicUsize>,
    take: Arc<AtomicUsize>,
}

impl Fickle {
    fn refuse(&self, writes: usize) {
        self.refuse.store(writes, Ordering::SeqCst);
    }
}

impl Sink for Fickle {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        let no_room = || Error::new(ErrorKind::Full, "no room");
        if self.refuse.load(Ordering::SeqCst) > 0 {
            self.refuse.fetch_sub(1, Ordering::SeqCst);
            return Err(no_room().into());
        }
        let take = self.take.swap(0, Ordering::SeqCst);
        if take == 0 || take >= framed.ends().len() {
            return self.kept.write(framed);
        }
        let lines = &framed.ends()[..take];
        self.kept.write(Framed::new(&framed.bytes()[..lines[take - 1].end], lines))?;
        Err(Partial::new(take, no_room()))
    }

    fn describe(&self) -> String {
        "fickle".into()
    }
}

type Plain = Output<super::Plain, Fickle>;

fn output() -> (Plain, Fickle) {
    let sink = Fickle::default();
    (Output::new(super::Plain, sink.clone()), sink)
}

fn send(to: &impl Handler, messages: &[&str]) -> usize {
    let send = |message: &&&str| to.handle(&RecordBuf::new(Severity::INFO, "test", message).as_record()).is_ok();
    messages.iter().filter(send).count()
}

#[track_caller]
fn expect(handler: &impl Handler, delivered: u64, failed: u64) {
    let stats = handler.stats().pop().unwrap().stats;
    assert!(stats.balances(), "{stats:?}");
    assert_eq!((stats.delivered, stats.failed, stats.pending), (delivered, failed, 0));
}

#[test]
fn a_notice_that_is_refused_too_stays_to_be_told_and_is_no_record() {
    let (output, sink) = output();
    sink.refuse(4);
    assert_eq!(send(&output, &["a", "b", "c", "d", "e", "f"]), 2);
    assert_eq!(sink.kept.lines(), ["4 records missing here: no room", "e", "f"]);
    expect(&output, 2, 4);
}

#[test]
fn a_notice_that_alone_has_room_is_told_and_its_line_is_missing_next() {
    let (output, sink) = output();
    sink.refuse(1);
    send(&output, &["a"]);
    sink.take.store(1, Ordering::SeqCst);
    assert_eq!(send(&output, &["b", "c"]), 1);
    assert_eq!(sink.kept.lines(), ["1 record missing here: no room", "1 record missing here: no room", "c"]);
    expect(&output, 1, 2);
}

#[test]
fn it_passes_a_level_that_is_above_it_and_can_be_switched_off() {
    let (output, sink) = output();
    let output = output.level(tracing::Level::ERROR);
    let error = |message| output.handle(&RecordBuf::new(Severity::ERROR, "test", message).as_record()).is_ok();
    sink.refuse(1);
    assert!(!error("a") && error("b"));
    assert_eq!(sink.kept.lines(), ["1 record missing here: no room", "b"]);

    let (output, sink) = self::output();
    let output = output.tell_missing(false);
    sink.refuse(1);
    assert_eq!(send(&output, &["a", "b"]), 1);
    assert_eq!(sink.kept.lines(), ["b"]);
}

#[test]
fn it_counts_what_its_own_sink_refused_and_not_what_a_fallback_withheld() {
    let (primary, sink) = output();
    let (other, kept) = output();
    let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
    let fallback = Fallback::new(primary).or(other).clock(clock.clone());
    sink.refuse(2);
    assert_eq!(send(&fallback, &["a", "b", "c"]), 3);
    clock.advance(Duration::from_secs(60));
    // The probe is refused.
    assert_eq!(send(&fallback, &["d", "e"]), 2);
    clock.advance(Duration::from_secs(60));
    assert_eq!(send(&fallback, &["f", "g"]), 2);
    assert_eq!(sink.kept.lines(), ["2 records missing here: no room", "f", "g"]);
    assert_eq!(kept.kept.lines(), ["a", "b", "c", "d", "e"]);
}

/// The number does not depend on what the handlers around it hand on.
#[test]
fn it_counts_the_same_inside_other_handlers() {
    fn check<H: Handler>(wrap: impl FnOnce(Plain, Arc<Manual>) -> H) {
        let (primary, sink) = output();
        let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
        let fallback = Fallback::new(wrap(primary, clock.clone())).or(output().0).clock(clock.clone());
        sink.refuse(1);
        assert_eq!(send(&fallback, &["a", "b", "c"]), 3);
        clock.advance(Duration::from_secs(60));
        assert_eq!(send(&fallback, &["d"]), 1);
        assert_eq!(sink.kept.lines(), ["1 record missing here: no room", "d"]);
    }
    check(|output, _| output);
    check(|output, _| Filtered::new(filter::one_in(1), output));
    check(|output, _| Dedup::new(output));
    check(|output, _| Route::by_target().otherwise(output));
    check(|output, clock| {
        let full = handler::from_fn(|_| Err(Error::new(ErrorKind::Full, "full too")));
        Fallback::new(output).or(full).clock(clock)
    });
}

#[test]
fn it_counts_each_attempt_of_a_retry() {
    let (output, sink) = output();
    let retry = Retry::new(output).wait_by(|_| ()).times(2);
    sink.refuse(2);
    assert_eq!(send(&retry, &["a", "b"]), 2);
    assert_eq!(sink.kept.lines(), ["2 records missing here: no room", "a", "b"]);
    sink.refuse(3);
    assert_eq!(send(&retry, &["c", "d"]), 1);
    assert_eq!(sink.kept.lines()[3..], ["3 records missing here: no room", "d"]);
}

#[test]
fn a_queue_s_notice_that_is_refused_is_told_in_this_one() {
    let sink = Fickle::default();
    let gate = Arc::new(std::sync::Barrier::new(2));
    let wait = gate.clone();
    // The worker is held up with the first record, so that the queue of two overflows.
    let first = std::sync::atomic::AtomicBool::new(true);
    let format = format::from_fn(move |record, out| {
        if record.message() == "first" && first.swap(false, Ordering::SeqCst) {
            wait.wait();
            wait.wait();
        }
        out.push_str(record.message());
        Ok(())
    });
    let output = Output::new(format, sink.clone());
    let queue = Queue::new(output).capacity(3).overflow(Overflow::DropNewest);
    send(&queue, &["first"]);
    gate.wait();
    sink.refuse(2);
    send(&queue, &["a", "b", "lost", "lost", "lost"]);
    gate.wait();
    queue.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    send(&queue, &["last"]);
    queue.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    // "first" in the first write; "a", "b" and the queue's notice of three in the second.
    assert_eq!(sink.kept.lines(), ["6 records missing here: no room", "last"]);
}

#[test]
fn a_notice_that_lies_in_a_buffer_is_not_counted_as_pending() {
    /// Takes everything, and delivers when it is flushed.
    struct Later(Fickle, Vec<String>);
    impl Sink for Later {
        fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
            if self.0.refuse.load(Ordering::SeqCst) > 0 {
                return self.0.write(framed);
            }
            self.1.extend(framed.iter().map(|(line, _)| String::from_utf8_lossy(line).into_owned()));
            Ok(())
        }
        fn flush(&mut self, _: Instant) -> Result<(), Error> {
            self.1.clear();
            Ok(())
        }
        fn pending(&self) -> usize {
            self.1.len()
        }
        fn describe(&self) -> String {
            "later".into()
        }
    }
    let sink = Fickle::default();
    let output = Output::new(super::Plain, Later(sink.clone(), Vec::new()));
    let stats = || {
        let stats = output.stats().pop().unwrap().stats;
        assert!(stats.balances(), "{stats:?}");
        (stats.delivered, stats.failed, stats.pending)
    };
    for round in 0..3 {
        sink.refuse(1);
        assert_eq!(send(&output, &["refused", "b", "c"]), 2);
        assert_eq!(stats(), (0, round + 1, 2 * round + 2));
    }
    output.flush(Instant::now()).unwrap();
    assert_eq!(stats(), (6, 3, 0));
    sink.refuse(1);
    send(&output, &["refused", "d"]);
    assert_eq!(stats(), (6, 4, 1));
}
