//! Details that come out only where something went wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracing::{Instrument, dispatcher::with_default};
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::handler::{DropReason, Handler, Report, ScopedBuffer};
use tracing_handlers::record::{Records, SpanEvents};
use tracing_handlers::{Error, Output, Partial, Queue, Record, Severity, format::Text, format::Time, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::collect::{Seen, dispatch, pin};

fn numbers(report: &Report) -> (u64, u64, u64, u64, u64) {
    let stats = report.stats;
    assert!(stats.balances(), "{report}");
    (stats.accepted, stats.delivered, stats.dropped.total(), stats.failed, stats.pending)
}

#[test]
fn what_is_kept_comes_out_in_order_before_the_error_and_the_rest_follows() {
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(seen.clone())));
    with_default(&dispatch(buffer), || {
        tracing::info_span!("request").in_scope(|| {
            tracing::debug!("1");
            tracing::trace!("2");
            tracing::info!("now");
            tracing::info_span!("inner").in_scope(|| tracing::debug!("3"));
            tracing::error!("4");
            tracing::debug!("5");
        });
        tracing::info_span!("request").in_scope(|| tracing::debug!("gone"));
        tracing::debug!("outside");
        tracing::info!("outside too");
    });
    assert_eq!(seen.messages(), ["now", "1", "2", "3", "4", "5", "outside too"]);
    let report = &buffer.stats()[0];
    assert_eq!(numbers(report), (9, 7, 2, 0, 0));
    assert_eq!(report.stats.dropped.by(DropReason::NotNeeded), 2);
}

#[test]
fn where_all_is_held_it_comes_in_the_order_of_time_or_only_what_always_comes() {
    let seen = Seen::default();
    with_default(&dispatch(ScopedBuffer::new(seen.clone()).hold_all(true)), || {
        for failing in [false, true] {
            tracing::info_span!("request").in_scope(|| {
                tracing::debug!("a {failing}");
                tracing::info!("b {failing}");
                assert_eq!(seen.count(), if failing { 2 } else { 0 });
                if failing {
                    tracing::error!("c");
                }
                tracing::warn!("d {failing}");
            });
        }
    });
    assert_eq!(seen.messages(), ["b false", "d false", "a true", "b true", "c", "d true"]);
}

#[test]
fn a_slow_span_lets_out_what_it_kept_when_it_closes() {
    pin();
    let clock = Arc::new(Manual::new(Timestamp::new(100, 0)));
    let memory = Memory::new();
    let output =
        Output::new(Text::new().time(Time::none()).target(false), memory.clone()).span_events(SpanEvents::CLOSE);
    let buffer = ScopedBuffer::new(output).slow(Duration::from_secs(1));
    let layer = tracing_handlers::layer(buffer).clock(clock.clone());
    with_default(&tracing::Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        for seconds in [1, 2] {
            tracing::info_span!("request", seconds).in_scope(|| {
                tracing::debug!("detail");
                clock.advance(Duration::from_secs(seconds));
            });
        }
    });
    assert_eq!(
        memory.lines(),
        [
            " INFO request{seconds=1}: close time.busy=1.00s time.idle=0.00ns",
            "DEBUG request{seconds=2}: detail",
            " INFO request{seconds=2}: close time.busy=2.00s time.idle=0.00ns",
        ]
    );
}

#[test]
fn requests_may_lie_in_a_span_of_the_whole_program() {
    let seen = Seen::default();
    with_default(&dispatch(ScopedBuffer::new(seen.clone()).span("request")), || {
        let _program = tracing::info_span!("program").entered();
        for id in 1..=2 {
            let _request = tracing::info_span!("request", id).entered();
            tracing::debug!("detail {id}");
            if id == 2 {
                tracing::error!("failed {id}");
            }
        }
        tracing::error!("of the program");
    });
    assert_eq!(seen.messages(), ["detail 2", "failed 2", "of the program"]);
}

#[test]
fn what_had_to_go_is_counted_and_told_in_its_place() {
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(seen.clone()).max_bytes_per_span(2_000)));
    with_default(&dispatch(buffer), || {
        let _request = tracing::info_span!("request").entered();
        for index in 0..100 {
            tracing::debug!("{index}");
        }
        tracing::debug!("{}", "x".repeat(3_000));
        tracing::error!("{}", "y".repeat(3_000));
    });
    let messages = seen.messages();
    let lost: u64 = messages[0].split(' ').next().unwrap().parse().unwrap();
    assert!(messages[0].ends_with("records lost here"), "{messages:?}");
    assert_eq!(messages.len() as u64 - 1 + lost, 102);
    assert!(messages.last().unwrap().starts_with("yyy"));
    let (accepted, delivered, dropped, failed, pending) = numbers(&buffer.stats()[0]);
    assert_eq!((accepted, delivered, dropped, failed, pending), (102, 102 - lost, lost, 0, 0));
}

#[test]
fn all_requests_together_stay_below_the_bound_and_the_oldest_gives_way() {
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(seen.clone()).max_bytes(64 << 10)));
    with_default(&dispatch(buffer), || {
        let spans: Vec<_> = (0..1_000).map(|id| tracing::info_span!("request", id)).collect();
        for span in &spans {
            for _ in 0..3 {
                span.in_scope(|| tracing::debug!("some words about it"));
                assert!(buffer.held_bytes() <= 64 << 10);
            }
        }
        spans[0].in_scope(|| tracing::error!("early"));
        spans[999].in_scope(|| tracing::error!("late"));
    });
    let messages = seen.messages();
    assert_eq!(messages[..2], ["3 records lost here", "early"]);
    assert_eq!(messages.len(), 2 + 4);
    assert_eq!(numbers(&buffer.stats()[0]).4, 0);
}

#[test]
fn a_handler_that_fails_is_counted_for_what_was_let_out() {
    struct Fails;
    impl Handler for Fails {
        fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
            match record.message() {
                "2" => Err(Error::new(tracing_handlers::ErrorKind::Full, "on purpose")),
                _ => Ok(()),
            }
        }
    }
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(Fails).trigger(Severity::WARN)));
    with_default(&dispatch(buffer), || {
        let _request = tracing::info_span!("request").entered();
        (1..=3).for_each(|index| tracing::debug!("{index}"));
        tracing::warn!("now");
    });
    assert_eq!(numbers(&buffer.stats()[0]), (4, 3, 0, 1, 0));
}

#[test]
fn threads_in_one_span_share_its_fate_and_every_snapshot_balances() {
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(seen.clone())));
    let dispatch = dispatch(buffer);
    for round in 0..50 {
        with_default(&dispatch, || {
            let request = tracing::info_span!("request", round);
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let (request, dispatch) = (&request, &dispatch);
                    scope.spawn(move || {
                        with_default(dispatch, || {
                            for index in 0..50 {
                                request.in_scope(|| tracing::debug!(thread, index, "detail"));
                                if (thread, index) == (1, 25) {
                                    request.in_scope(|| tracing::error!(thread, index, "failed"));
                                }
                                assert!(buffer.stats()[0].stats.balances());
                            }
                        });
                    });
                }
            });
        });
    }
    assert_eq!(seen.count(), 50 * 201);
    assert_eq!(numbers(&buffer.stats()[0]), (50 * 201, 50 * 201, 0, 0, 0));
}

/// 10,000 requests at a time, one of a hundred fails.
#[test]
fn of_ten_thousand_requests_exactly_those_that_fail_show_their_details_complete_and_in_order() {
    const REQUESTS: u64 = 10_000;
    const DETAILS: u64 = 8;
    const BOUND: usize = 32 << 20;
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(Queue::new(seen.clone())).max_bytes(BOUND)));
    let dispatch = dispatch(buffer);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let _global = tracing::dispatcher::set_default(&dispatch);
    let peak = runtime.block_on(async {
        let barrier = Arc::new(tokio::sync::Barrier::new(REQUESTS as usize));
        let tasks: Vec<_> = (0..REQUESTS)
            .map(|id| {
                let barrier = barrier.clone();
                let request = async move {
                    for step in 0..DETAILS {
                        tracing::debug!(id, step, "detail of some length, as details are");
                        tokio::task::yield_now().await;
                    }
                    let peak = buffer.held_bytes();
                    barrier.wait().await;
                    if id % 100 == 0 {
                        tracing::error!(id, step = DETAILS, "failed");
                        tracing::debug!(id, step = DETAILS + 1, "afterwards");
                    }
                    peak
                };
                let span = tracing::info_span!("request", id);
                tokio::spawn(tracing::instrument::WithSubscriber::with_subscriber(
                    request.instrument(span),
                    dispatch.clone(),
                ))
            })
            .collect();
        let mut peak = 0;
        for task in tasks {
            peak = peak.max(task.await.unwrap());
        }
        peak
    });
    buffer.flush(std::time::Instant::now() + Duration::from_secs(60)).unwrap();
    let mut steps: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for record in seen.all() {
        let number = |name| {
            record.as_record().field(name).unwrap_or_else(|| panic!("{record:?}")).to_string().parse::<u64>().unwrap()
        };
        steps.entry(number("id")).or_default().push(number("step"));
    }
    assert_eq!(steps.len() as u64, REQUESTS / 100);
    let complete: Vec<_> = (0..DETAILS + 2).collect();
    assert!(steps.iter().all(|(id, steps)| id % 100 == 0 && *steps == complete), "{steps:?}");
    assert!(peak > BOUND / 4 && peak <= BOUND, "{peak}");
    println!("{peak} bytes held at the peak, {} allowed", BOUND);
    let stats = buffer.stats()[0].stats;
    assert_eq!(stats.dropped.by(DropReason::NotNeeded), (REQUESTS - REQUESTS / 100) * DETAILS);
    assert_eq!((stats.dropped.by(DropReason::Oldest), stats.pending), (0, 0));
}

#[test]
fn a_handler_that_panics_costs_its_own_records_and_the_span_goes_on() {
    struct Panics(Seen, AtomicUsize);
    impl Handler for Panics {
        fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
            assert!(self.1.fetch_add(1, Ordering::Relaxed) > 1, "on purpose");
            self.0.handle(record)
        }

        fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
            for record in records {
                self.handle(&record)?;
            }
            Ok(())
        }
    }
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(Panics(seen.clone(), AtomicUsize::new(0)))));
    with_default(&dispatch(buffer), || {
        tracing::info_span!("request").in_scope(|| {
            tracing::info!("panics");
            tracing::debug!("panics too");
            tracing::error!("is in the same batch");
            tracing::debug!("goes on");
        });
        tracing::info_span!("request").in_scope(|| {
            tracing::debug!("detail");
            tracing::error!("another");
        });
    });
    assert_eq!(seen.messages(), ["goes on", "detail", "another"]);
    assert_eq!(numbers(&buffer.stats()[0]), (6, 3, 0, 3, 0));
}

#[test]
fn a_record_that_never_fits_costs_no_other_its_place() {
    for (per_span, all) in [(1_000, 100_000), (100_000, 1_000)] {
        let seen = Seen::default();
        let buffer = ScopedBuffer::new(seen.clone()).max_bytes_per_span(per_span).max_bytes(all);
        let buffer: &'static _ = Box::leak(Box::new(buffer));
        with_default(&dispatch(buffer), || {
            tracing::info_span!("request").in_scope(|| {
                tracing::debug!("detail");
                tracing::debug!("{}", "x".repeat(2_000));
                tracing::error!("failed");
            });
        });
        assert_eq!(seen.messages(), ["1 record lost here", "detail", "failed"]);
        let stats = buffer.stats()[0].stats;
        assert_eq!((stats.delivered, stats.dropped.by(DropReason::TooLarge)), (2, 1));
        assert!(buffer.held_bytes() <= all);
    }
}

#[test]
fn all_the_memory_there_is_can_be_used() {
    let seen = Seen::default();
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(seen.clone()).max_bytes(1_000)));
    with_default(&dispatch(buffer), || {
        tracing::info_span!("request").in_scope(|| {
            tracing::debug!("{}", "x".repeat(640));
            tracing::debug!("y");
            tracing::error!("failed");
        });
    });
    assert!(buffer.held_bytes() <= 1_000);
    assert_eq!(numbers(&buffer.stats()[0]), (3, 3, 0, 0, 0));
}

#[test]
fn the_record_that_a_span_is_over_passes_only_as_others_do() {
    let memory = Memory::new();
    let output =
        Output::new(Text::new().time(Time::none()).target(false), memory.clone()).span_events(SpanEvents::CLOSE);
    let buffer: &'static _ = Box::leak(Box::new(ScopedBuffer::new(output).always(Severity::WARN)));
    with_default(&dispatch(buffer), || {
        tracing::info_span!("well").in_scope(|| tracing::debug!("gone"));
        tracing::info_span!("badly").in_scope(|| tracing::error!("failed"));
    });
    let lines = memory.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("failed") && lines[1].contains("badly"), "{lines:?}");
    assert_eq!(numbers(&buffer.stats()[0]), (4, 2, 2, 0, 0));
}
