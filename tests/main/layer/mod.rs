//! The layer beside other layers, its spans, log calls inside log calls, and the exchange of handlers.

mod beside;
mod deep;
mod orders;
mod reentry;
mod reference;
mod side_by_side;
mod spans;
mod swap;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tracing::{Level, debug, error, info, info_span, trace_span};
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::{Handler, Queue, Rewriting, from_fn};
use tracing_handlers::rewrite::Redact;
use tracing_handlers::sink::{Framed, Sink};
use tracing_handlers::{Error, ErrorKind, Output, Partial, RecordBuf, Severity, format};

use crate::collect::{Seen, dispatch, seen};
use crate::until::soon;

/// Keeps the bytes it is handed.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Sink for Bytes {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.0.lock().unwrap().extend_from_slice(framed.bytes());
        Ok(())
    }

    fn describe(&self) -> String {
        "bytes".to_owned()
    }
}

/// The message behind the names of the spans.
fn outline() -> impl tracing_handlers::Format {
    format::from_fn(|record, out| {
        for span in record.spans() {
            out.push_str(&format!("{span:?} "));
        }
        out.push_str(record.message());
        Ok(())
    })
}

#[test]
fn a_level_of_events_does_not_cost_an_error_its_info_spans() {
    let bytes = Bytes::default();
    let output = Output::new(outline(), bytes.clone()).level(Level::WARN);
    tracing::dispatcher::with_default(&dispatch(output), || {
        let _request = info_span!("request", id = 7).entered();
        let _detail = trace_span!("detail").entered();
        info!("no");
        error!("yes");
    });
    assert_eq!(bytes.lines(), ["request{id=7} yes"]);
}

#[test]
fn each_output_shows_the_spans_of_its_own_level() {
    let (few, many, none) = (Bytes::default(), Bytes::default(), Bytes::default());
    let handlers = (
        Output::new(outline(), few.clone()).spans(Level::ERROR),
        Output::new(outline(), many.clone()).spans(Level::TRACE),
        Output::new(outline(), none.clone()).spans(LevelFilter::OFF),
    );
    tracing::dispatcher::with_default(&dispatch(handlers), || {
        let _a = tracing::error_span!("a").entered();
        let _b = trace_span!("b").entered();
        let _c = info_span!("c").entered();
        info!("x");
    });
    assert_eq!(few.lines(), ["a{} x"]);
    assert_eq!(many.lines(), ["a{} b{} c{} x"]);
    assert_eq!(none.lines(), ["x"]);
}

#[test]
fn handlers_go_into_tuples_of_every_size_vecs_options_boxes_and_arcs() {
    let n: [Seen; 8] = Default::default();
    let h = |index: usize| n[index].clone();
    let record = RecordBuf::new(Severity::INFO, "t", "m");
    let record = record.as_record();
    let all: Vec<Box<dyn Handler>> = vec![
        Box::new((h(0),)),
        Box::new((h(0), h(1))),
        Box::new((h(0), h(1), h(2))),
        Box::new((h(0), h(1), h(2), h(3))),
        Box::new((h(0), h(1), h(2), h(3), h(4))),
        Box::new((h(0), h(1), h(2), h(3), h(4), h(5))),
        Box::new((h(0), h(1), h(2), h(3), h(4), h(5), h(6))),
        Box::new((h(0), h(1), h(2), h(3), h(4), h(5), h(6), h(7))),
        Box::new(Arc::new(Some(h(7)))),
        Box::new(Some(Arc::new(h(7)))),
        Box::new(None::<Seen>),
        Box::new(Vec::<Seen>::new()),
    ];
    assert!(all.enabled(&record.meta()));
    all.handle(&record).unwrap();
    assert_eq!(n.each_ref().map(Seen::count), [8, 7, 6, 5, 4, 3, 2, 3]);
    all.handle_batch(record.into()).unwrap();
    assert_eq!(n.each_ref().map(Seen::count), [16, 14, 12, 10, 8, 6, 4, 6]);
    assert!(!None::<Seen>.enabled(&record.meta()) && !Vec::<Seen>::new().enabled(&record.meta()));
    assert_eq!((None::<Seen>.max_level(), Vec::<Seen>::new().max_level()), (LevelFilter::OFF, LevelFilter::OFF));
}

#[test]
fn several_handlers_want_what_any_of_them_wants() {
    let output = |level: Level| Output::new(outline(), Bytes::default()).level(level).spans(Level::ERROR);
    let meta = |severity| RecordBuf::new(severity, "t", "");
    let debug = meta(Severity::DEBUG);
    let debug = debug.as_record().meta();
    assert!((output(Level::ERROR), output(Level::DEBUG)).enabled(&debug));
    assert!(!(output(Level::ERROR), output(Level::INFO)).enabled(&debug));
    assert!(vec![output(Level::ERROR), output(Level::DEBUG)].enabled(&debug));
    assert_eq!((output(Level::ERROR), output(Level::DEBUG)).max_level(), LevelFilter::DEBUG);
    assert_eq!(vec![output(Level::INFO), output(Level::ERROR)].max_level(), LevelFilter::INFO);
}

fn failing() -> impl Handler {
    from_fn(|_| Err(Error::new(ErrorKind::Closed, "on purpose")))
}

fn panicking() -> impl Handler {
    from_fn(|_| panic!("on purpose"))
}

#[test]
fn a_handler_that_fails_or_panics_does_not_keep_others_from_the_record() {
    let (a, b, c, d) = (Seen::default(), Seen::default(), Seen::default(), Seen::default());
    let boxed: Vec<Box<dyn Handler>> =
        vec![Box::new(b.clone()), Box::new(panicking()), Box::new(failing()), Box::new(c.clone())];
    let group = (a.clone(), failing(), panicking(), boxed, panicking(), d.clone());
    let dispatch = dispatch(group);
    tracing::dispatcher::with_default(&dispatch, || {
        info!("one");
        info!("two");
    });
    for (index, seen) in [a, b, c, d].iter().enumerate() {
        assert_eq!(seen.messages(), ["one", "two"], "{index}");
    }
}

#[test]
fn a_handler_that_panics_behind_a_queue_does_not_keep_others_from_the_record() {
    let (a, b) = (Seen::default(), Seen::default());
    let queue = Arc::new(Queue::new((a.clone(), panicking(), b.clone())));
    tracing::dispatcher::with_default(&dispatch(queue.clone()), || {
        info!("one");
        info!("two");
    });
    let _ = queue.flush(soon());
    assert_eq!((a.messages(), b.messages()), (vec!["one".into(), "two".into()], vec!["one".into(), "two".into()]));
    assert!(queue.stats().iter().all(|report| report.stats.balances()));
}

#[test]
fn a_handler_whose_enabled_panics_harms_nobody() {
    struct Bad(Seen);
    impl Handler for Bad {
        fn enabled(&self, _: &tracing_handlers::Meta<'_>) -> bool {
            panic!("on purpose")
        }
        fn handle(&self, record: &tracing_handlers::Record<'_>) -> Result<(), Error> {
            self.0.handle(record)
        }
    }
    let seen = Seen::default();
    let survived = std::thread::spawn({
        let seen = seen.clone();
        move || {
            tracing::dispatcher::with_default(&dispatch(Bad(seen)), || info!("kept"));
        }
    });
    assert!(survived.join().is_ok());
    assert_eq!(seen.messages(), ["kept"], "when in doubt, it is delivered");
}

#[test]
fn what_is_redacted_never_comes_behind_the_rewrite() {
    let direct = Seen::default();
    let (behind, before) = (Seen::default(), Seen::default());
    let redact = || Redact::fields(["Secret", "type"]);
    let in_front = Arc::new(Queue::new(Rewriting::new(redact(), behind.clone())));
    let inside = Arc::new(Rewriting::new(redact(), Queue::new(before.clone())));
    let plain = Seen::default();
    let handlers = (Rewriting::new(redact(), direct.clone()), in_front.clone(), inside.clone(), plain.clone());
    tracing::dispatcher::with_default(&dispatch(handlers), || {
        let span = info_span!("a", secret = "s3cret", n = 1, late = 0, secret2 = "open").entered();
        let _inner = info_span!("b", SECRET = ?"s3cret", r#type = "s3cret").entered();
        info!(secret = 12345_u64, other = "open", "one");
        span.record("secret", "s3cret again");
        info!(sEcReT = "s3cret", "two {}", "open");
    });
    in_front.flush(soon()).unwrap();
    inside.flush(soon()).unwrap();
    for seen in [&direct, &behind, &before] {
        assert_eq!(seen.messages(), ["one", "two open"]);
        let text = format!("{:?}", seen.all());
        assert!(!text.contains("s3cret") && !text.contains("12345"), "{text}");
        assert!(text.contains("secret2=\"open\"") && text.contains("other=\"open\""), "{text}");
        let last = seen.last();
        let a = last.as_record().spans().next().unwrap();
        assert_eq!(a.field("secret").unwrap().as_str(), Some("***"));
        assert_eq!(a.field("n").unwrap().to_string(), "1");
    }
    assert!(format!("{:?}", plain.all()).contains("s3cret again"), "others see the record as it is");
}

#[test]
fn a_rewrite_that_panics_stops_its_record_and_no_other() {
    let bad = |record: &mut RecordBuf| {
        record.push_field("touched", true.into());
        assert!(record.as_record().message() != "bad", "on purpose");
    };
    let (direct, behind, beside) = (Seen::default(), Seen::default(), Seen::default());
    let rewriting = Arc::new(Rewriting::new(bad, direct.clone()));
    let queue = Arc::new(Queue::new(Rewriting::new(bad, behind.clone())));
    tracing::dispatcher::with_default(&dispatch((rewriting.clone(), queue.clone(), beside.clone())), || {
        for message in ["one", "bad", "two", "bad", "three"] {
            info!("{message}");
        }
    });
    let _ = queue.flush(soon());
    assert_eq!(direct.messages(), ["one", "two", "three"]);
    assert_eq!(behind.messages(), ["one", "two", "three"]);
    assert_eq!(beside.messages(), ["one", "bad", "two", "bad", "three"]);
    assert_eq!(rewriting.stats()[0].stats.failed, 2);
    let stats = queue.stats();
    assert_eq!((stats[0].stats.accepted, stats[0].stats.delivered, stats[0].stats.failed), (5, 3, 2), "{stats:?}");
}

/// Makes so many callsites that differ in their field's name and target.
macro_rules! callsites {
    ($($a:ident)*) => { callsites!(@ [$($a)*] [$($a)*]) };
    (@ [$($a:ident)*] $all:tt) => { $( callsites!(@@ $a $all); )* };
    (@@ $a:ident [$($b:ident)*]) => { $( info!(target: concat!(stringify!($a), "::", stringify!($b)), $b = stringify!($a)); )* };
}

/// 18 × 18 callsites; each tells in its field what its target must be.
fn log_from_324_callsites() {
    callsites!(a b c d e f g h i j k l m n o p q r);
}

fn assert_unmixed(records: &[RecordBuf]) {
    for record in records {
        let record = record.as_record();
        let field = record.fields().next().unwrap();
        assert_eq!(record.target(), format!("{}::{}", field.value, field.name));
        assert_eq!(record.fields().count(), 1);
    }
}

#[test]
fn more_callsites_than_a_thread_remembers_are_kept_apart() {
    let seen = seen(|| {
        log_from_324_callsites();
        log_from_324_callsites();
    });
    assert_eq!(seen.count(), 648);
    assert_unmixed(&seen.all());
}

#[test]
fn more_callsites_than_a_thread_remembers_are_kept_apart_in_many_threads() {
    struct Some(Seen, AtomicUsize);
    impl Handler for Some {
        fn enabled(&self, meta: &tracing_handlers::Meta<'_>) -> bool {
            !meta.target.ends_with("::c")
        }
        fn handle(&self, record: &tracing_handlers::Record<'_>) -> Result<(), Error> {
            self.1.fetch_add(usize::from(record.target().ends_with("::c")), Ordering::Relaxed);
            self.0.handle(record)
        }
    }
    let kept = Seen::default();
    let handler = Arc::new(Some(kept.clone(), AtomicUsize::new(0)));
    let dispatch = dispatch(handler.clone());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || (0..5).for_each(|_| log_from_324_callsites()));
            });
        }
    });
    assert_eq!(kept.count(), 6 * 5 * 18 * 17);
    assert_eq!(handler.1.load(Ordering::Relaxed), 0, "what enabled() refuses is not handed over");
    assert_unmixed(&kept.all());
}

#[test]
fn a_clock_set_after_the_handle_was_taken_serves_and_the_handle_still_reaches_the_layer() {
    use tracing_handlers::clock::{Manual, Timestamp};
    use tracing_subscriber::prelude::*;
    crate::collect::pin();
    let (before, after) = (Seen::default(), Seen::default());
    let layer = tracing_handlers::layer(before.clone());
    let handle = layer.handle();
    let layer = layer.clock(Manual::new(Timestamp::new(5, 6)));
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        info!("one");
        handle.swap(after.clone());
        info!("two");
        debug!("three");
    });
    assert_eq!((before.messages(), after.count()), (vec!["one".into()], 2));
    assert_eq!(before.last().as_record().time(), Timestamp::new(5, 6));
}
