//! Handlers and levels for a while; records of the lives of spans; severities at callsites.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Level, dispatcher::with_default};
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::filter::{LevelFilter, LevelSwitch};
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::handler::Handler;
use tracing_handlers::record::{Kind, SpanEvents};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Output, Queue, Record, RecordBuf, Severity, Value, alert, notice, verbose};
use tracing_subscriber::prelude::*;

use crate::collect::{Seen, dispatch, pin};
use crate::until::until;

/// Keeps records of spans too.
struct Lives(Seen, SpanEvents);

impl Handler for Lives {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.handle(record)
    }

    fn span_events(&self) -> SpanEvents {
        self.1
    }
}

fn text(memory: &Memory) -> Output<Text, Memory> {
    Output::new(Text::new().time(Time::none()).target(false), memory.clone())
}

#[test]
fn the_life_of_a_span_is_told_with_its_busy_and_idle_time() {
    pin();
    let clock = Arc::new(Manual::new(Timestamp::new(100, 0)));
    let seen = Seen::default();
    let layer = tracing_handlers::layer(Lives(seen.clone(), SpanEvents::ALL)).clock(clock.clone());
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let span = tracing::info_span!(target: "shop", "request", id = 7);
        clock.advance(Duration::from_millis(1));
        let entered = span.enter();
        clock.advance(Duration::from_millis(2));
        tracing::info!("inside");
        drop(entered);
        clock.advance(Duration::from_millis(4));
    });
    assert_eq!(seen.messages(), ["new", "enter", "inside", "exit", "close"]);
    let kinds: Vec<_> = seen.all().iter().map(|record| record.as_record().kind()).collect();
    assert_eq!(kinds, [Kind::SpanNew, Kind::SpanEnter, Kind::Event, Kind::SpanExit, Kind::SpanClose]);
    let close = seen.last();
    let close = close.as_record();
    assert_eq!((close.target(), close.name(), close.severity()), ("shop", "request", Severity::INFO));
    assert_eq!(close.field("busy_ns"), Some(Value::U64(2_000_000)));
    assert_eq!(close.field("idle_ns"), Some(Value::U64(5_000_000)));
    assert_eq!(seen.spans().last().unwrap(), &["request{id=7}"]);
}

#[test]
fn records_of_spans_come_to_those_who_ask_and_to_nobody_else() {
    let (asks, does_not) = (Seen::default(), Seen::default());
    let queued = Memory::new();
    let queue = Arc::new(Queue::new((text(&queued).span_events(SpanEvents::NEW), Seen::default())));
    let handlers = (Lives(asks.clone(), SpanEvents::CLOSE), does_not.clone(), queue.clone());
    with_default(&dispatch(handlers), || {
        tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
        drop(tracing::debug_span!("detail"));
    });
    // Another thread that rebuilds tracing's interest cache may keep the dispatcher for a moment longer.
    queue.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    assert_eq!(asks.messages(), ["inside", "close", "close"]);
    assert_eq!(does_not.messages(), ["inside"]);
    assert_eq!(queued.lines(), [" INFO request: new", " INFO request: inside", "DEBUG detail: new"]);
}

#[test]
fn a_span_that_is_in_several_threads_is_busy_once() {
    pin();
    let clock = Arc::new(Manual::new(Timestamp::new(100, 0)));
    let seen = Seen::default();
    let layer = tracing_handlers::layer(Lives(seen.clone(), SpanEvents::CLOSE)).clock(clock.clone());
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    with_default(&dispatch, || {
        let span = tracing::info_span!("shared");
        let here = span.enter();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                with_default(&dispatch, || {
                    let _there = span.enter();
                    clock.advance(Duration::from_nanos(3));
                });
            });
        });
        drop(here);
    });
    assert_eq!(seen.last().as_record().field("busy_ns"), Some(Value::U64(3)));
}

#[test]
fn a_swap_to_handlers_that_ask_begins_with_spans_made_after_it() {
    pin();
    let seen = Seen::default();
    let layer = tracing_handlers::layer(Seen::default());
    let handle = layer.handle();
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let before = tracing::info_span!("before");
        handle.swap(Lives(seen.clone(), SpanEvents::CLOSE));
        drop(before);
        drop(tracing::info_span!("after"));
    });
    let all = seen.all();
    let names: Vec<_> =
        all.iter().map(|record| (record.as_record().name(), record.as_record().fields().count())).collect();
    assert_eq!(names, [("before", 0), ("after", 2)]);
}

#[test]
fn json_of_a_close_has_its_times_and_its_span() {
    pin();
    let memory = Memory::new();
    let clock = Manual::new(Timestamp::new(100, 0));
    let output = Output::new(Json::new().time(Time::none()), memory.clone()).span_events(SpanEvents::CLOSE);
    let layer = tracing_handlers::layer(output).clock(clock);
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        drop(tracing::info_span!(target: "shop", "request", id = 7));
    });
    assert_eq!(
        memory.lines(),
        [concat!(
            r#"{"level":"INFO","target":"shop","message":"close","busy_ns":0,"idle_ns":0,"#,
            r#""spans":[{"name":"request","id":7}]}"#
        )]
    );
}

#[test]
fn a_severity_at_the_callsite_is_what_levels_and_formats_go_by() {
    Severity::define("audit_test", 11).unwrap();
    let (all, notices) = (Memory::new(), Memory::new());
    with_default(&dispatch((text(&all), text(&notices).level(Severity::NOTICE))), || {
        tracing::info!("plain");
        notice!(left = 0, "out of {}", "stock");
        notice!(target: "shop", "targeted");
        verbose!("least");
        alert!("most");
        tracing::info!(severity = "audit_test", "own");
        tracing::info!(severity = 24, "number");
        tracing::info!(severity = %"WARNING", "written");
        tracing::info!(severity = "no such", "not one");
        tracing::info!(severity = 99, "no number");
    });
    assert_eq!(
        all.lines(),
        [
            " INFO plain",
            "NOTICE out of stock left=0",
            "NOTICE targeted",
            "VERBOSE least",
            "ALERT most",
            "AUDIT_TEST own severity=audit_test",
            " INFO number severity=24",
            " WARN written severity=WARNING",
            " INFO not one severity=\"no such\"",
            " INFO no number severity=99",
        ]
    );
    let messages: Vec<_> = notices.lines().iter().map(|line| line.trim().to_owned()).collect();
    assert_eq!(
        messages,
        [
            "NOTICE out of stock left=0",
            "NOTICE targeted",
            "ALERT most",
            "AUDIT_TEST own severity=audit_test",
            "WARN written severity=WARNING"
        ]
    );
}

#[test]
fn a_severity_goes_through_a_queue_with_its_name() {
    let memory = Memory::new();
    let queue = Arc::new(Queue::new(Output::new(Json::new().time(Time::none()), memory.clone())));
    with_default(&dispatch(queue.clone()), || {
        notice!(target: "t", "through");
        tracing::info!(target: "t", "plain");
    });
    queue.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    assert_eq!(
        memory.lines(),
        [
            r#"{"level":"NOTICE","target":"t","message":"through"}"#,
            r#"{"level":"INFO","target":"t","message":"plain"}"#
        ]
    );
}

#[test]
fn a_handler_for_a_thread_sees_nothing_of_others() {
    pin();
    let layer = tracing_handlers::layer(Seen::default());
    let handle = layer.handle();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let (here, everywhere) = (Seen::default(), Seen::default());
    with_default(&dispatch, || {
        let _added = handle.add(everywhere.clone());
        handle.with(here.clone(), || {
            tracing::info!("mine");
            std::thread::scope(|scope| {
                scope.spawn(|| with_default(&dispatch, || tracing::info!("another's")));
            });
        });
        tracing::info!("after");
    });
    assert_eq!(here.messages(), ["mine"]);
    assert_eq!(everywhere.messages(), ["mine", "another's", "after"]);
}

#[test]
fn a_handler_that_is_removed_has_delivered_what_it_was_handed() {
    pin();
    let layer = tracing_handlers::layer(Seen::default());
    let handle = layer.handle();
    let memory = Memory::new();
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let added = handle.add(Queue::new(text(&memory)));
        (0..100).for_each(|index| tracing::info!("{index}"));
        handle.swap(Seen::default());
        tracing::info!("after the swap");
        drop(added);
        assert_eq!(memory.lines().len(), 101);
    });
}

#[test]
fn a_switch_sets_levels_for_all_and_for_single_threads() {
    let (level, memory) = (LevelSwitch::new(Level::INFO), Memory::new());
    let dispatch = dispatch(text(&memory).filter(level.clone()));
    with_default(&dispatch, || {
        let debug = |text: &str| tracing::debug!("{text}");
        debug("0");
        level.set(Level::DEBUG);
        debug("1");
        level.set(Level::INFO);
        debug("2");
        level.with(Level::DEBUG, || {
            debug("3");
            std::thread::scope(|scope| {
                scope.spawn(|| with_default(&dispatch, || debug("4")));
            });
        });
        debug("5");
        let outer = level.scoped(Level::ERROR);
        let inner = level.scoped(Level::DEBUG);
        debug("6");
        drop(outer);
        debug("7");
        drop(inner);
        debug("8");
    });
    drop(dispatch);
    assert_eq!(memory.lines(), ["DEBUG 1", "DEBUG 3", "DEBUG 6", "DEBUG 7"]);
}

#[test]
fn a_level_set_for_a_time_is_restored_and_the_latest_one_counts() {
    let level = LevelSwitch::new(Level::INFO);
    level.set_for(Level::DEBUG, Duration::from_secs(3600)).unwrap();
    level.set_for(Level::TRACE, Duration::from_millis(700)).unwrap();
    assert_eq!(level.level(), Level::TRACE.into());
    level.set(Level::WARN);
    assert_eq!(level.level(), Level::TRACE.into());
    until("the level is restored", || level.level() == Level::WARN.into());
}

#[test]
fn a_record_made_by_hand_has_a_severity_of_its_own_name() {
    let record = RecordBuf::new(Severity::CRITICAL, "t", "m");
    let copy = RecordBuf::from(&record.as_record()).with_field("a", 1_u64);
    assert_eq!(copy.as_record().severity().name(), "CRITICAL");
}

/// Cannot be flushed, nor asked.
struct Panics;

impl Handler for Panics {
    fn handle(&self, _: &Record<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn span_events(&self) -> SpanEvents {
        panic!("it cannot say")
    }

    fn flush(&self, _: std::time::Instant) -> Result<(), Error> {
        panic!("it cannot be flushed")
    }
}

#[test]
fn a_handler_that_panics_when_its_scope_is_left_by_a_panic_does_not_end_the_process() {
    let seen = Seen::default();
    let layer = tracing_handlers::layer(seen.clone());
    let handle = layer.handle();
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            handle.with(Panics, || std::panic::resume_unwind(Box::new("out")))
        }));
        assert_eq!(left.unwrap_err().downcast_ref::<&str>(), Some(&"out"));
        tracing::info!("after");
    });
    assert_eq!(seen.messages(), ["after"]);
}

#[test]
fn a_handle_as_a_handler_does_not_panic_where_its_handlers_do() {
    let layer = tracing_handlers::layer::<tracing_subscriber::Registry>(Panics);
    let handle = layer.handle();
    assert!(handle.handle(&RecordBuf::new(Severity::INFO, "", "").as_record()).is_ok());
    assert_eq!(handle.span_events(), SpanEvents::ALL);
}

/// A clock that has gone mad.
struct Leaps(std::sync::atomic::AtomicBool);

impl tracing_handlers::clock::Clock for Leaps {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn monotonic(&self) -> Duration {
        match self.0.fetch_xor(true, std::sync::atomic::Ordering::Relaxed) {
            true => Duration::MAX,
            false => Duration::ZERO,
        }
    }
}

#[test]
fn times_of_spans_do_not_overflow() {
    pin();
    let seen = Seen::default();
    let layer = tracing_handlers::layer(Lives(seen.clone(), SpanEvents::CLOSE)).clock(Leaps(false.into()));
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let span = tracing::info_span!("s");
        (0..10).for_each(|_| span.in_scope(|| ()));
    });
    assert_eq!(seen.count(), 1);
}

#[test]
fn an_output_without_events_may_have_records_of_spans() {
    pin();
    let memory = Memory::new();
    let output = text(&memory).level(LevelFilter::OFF).span_events(SpanEvents::NEW);
    assert_eq!(output.max_level(), LevelFilter::INFO);
    with_default(&dispatch(output), || {
        let _span = tracing::info_span!("request", id = 7).entered();
        let _fine = tracing::debug_span!("fine");
        tracing::error!("an event");
    });
    assert_eq!(memory.lines(), [" INFO request{id=7}: new"]);
    let nothing = text(&memory).filter(LevelFilter::OFF).span_events(SpanEvents::NEW);
    assert_eq!(nothing.max_level(), LevelFilter::OFF);
}
