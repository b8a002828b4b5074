//! Filters on spans, asked before an event is captured: the answers are those of the whole record.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use tracing::{Span, info, info_span};
use tracing_handlers::filter::{self, Chain, Filter, FilterExt};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Dedup, Filtered, OrStop, Queue, Rewriting};
use tracing_handlers::sink::{Memory, Null};
use tracing_handlers::{Handler, Output, RecordBuf};
use tracing_subscriber::prelude::*;

thread_local! {
    static SHOWN: Cell<usize> = const { Cell::new(0) };
}

/// Counts how often an event with it is captured.
struct Shown;

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SHOWN.set(SHOWN.get() + 1);
        f.write_str("shown")
    }
}

/// Returns how many of a hundred events, the first hundred in a new span, are captured.
fn captured(handler: impl Handler, user: u64) -> usize {
    let _guard = tracing_subscriber::registry().with(tracing_handlers::layer(handler)).set_default();
    let _span = info_span!("request", user).entered();
    SHOWN.set(0);
    (0..100).for_each(|_| info!(shown = ?Shown, user = 3_u64, "sold"));
    SHOWN.get()
}

fn output(filter: impl Filter) -> Output<Text, Null> {
    Output::new(Text::new(), Null).filter(filter)
}

fn of(user: u64) -> impl Filter {
    filter::span("request").field("user").eq(user)
}

#[test]
fn an_event_that_a_filter_on_spans_refuses_is_not_captured() {
    assert_eq!((captured(output(of(7)), 8), captured(output(of(7)), 7)), (0, 100));
    assert_eq!(captured(output(of(8).not()), 8), 0);
    assert_eq!(captured(output(of(7).or(of(9))), 8), 0);
    assert_eq!(captured(output(of(8).and(of(7))), 8), 0);
    assert_eq!(captured(output(tracing::Level::INFO.and(of(7))), 8), 0);
    assert_eq!(captured(output(Chain::new().deny(of(8)).accept(tracing::Level::INFO)), 8), 0);
    assert_eq!(captured(output(filter::any_span_field("user").exists().not()), 8), 0);
    assert_eq!(captured((output(of(7)), vec![output(of(9))]), 8), 0);
    assert_eq!(captured(Box::new(output(of(7))) as Box<dyn Handler>, 8), 0);
    assert_eq!(captured(Arc::new(output(of(7))), 8), 0);
    assert_eq!(captured((Some(output(of(7))), None::<Output<Text, Null>>), 8), 0);
    assert_eq!(captured(OrStop::new(output(of(7))), 8), 0);
}

#[test]
fn a_filter_that_logs_while_it_decides_by_spans_does_not_recurse_endlessly() {
    struct Logs;
    impl Filter for Logs {
        fn accepts(&self, _: &tracing_handlers::Record<'_>) -> bool {
            true
        }
        fn looks_at_spans(&self) -> bool {
            true
        }
        fn passes_in(&self, _: &tracing_handlers::Record<'_>) -> Option<bool> {
            info!("asked");
            None
        }
    }
    assert_eq!(captured(output(Logs), 7), 100);
}

#[test]
fn a_handler_added_for_a_thread_refuses_by_its_spans() {
    let layer = tracing_handlers::layer(output(of(9)));
    let handle = layer.handle();
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let _span = info_span!("request", user = 8_u64).entered();
    let log = || (0..100).for_each(|_| info!(shown = ?Shown, "sold"));
    SHOWN.set(0);
    let refuses = handle.add_here(output(of(7)));
    log();
    assert_eq!(SHOWN.get(), 0);
    drop(refuses);
    let _passes = handle.add_here(output(of(8)));
    log();
    assert_eq!(SHOWN.get(), 100);
}

#[test]
fn an_event_that_may_pass_by_something_else_is_captured() {
    // Only one of the handlers refuses it.
    assert_eq!(captured((output(of(7)), output(of(8))), 8), 100);
    assert_eq!(captured((output(of(7)), Output::new(Text::new(), Null)), 8), 100);
    // The event itself has a field of that name.
    assert_eq!(captured(output(filter::any_field("user").eq(3)), 8), 100);
    assert_eq!(captured(output(of(7).or(filter::field("user").eq(3))), 8), 100);
    // What counts records must see them.
    assert_eq!(captured(output(filter::one_in(2).and(of(7))), 8), 100);
    assert_eq!(captured(output(filter::on_record(|_| false).and(of(7))), 8), 100);
    assert_eq!(captured(Filtered::new(of(7), Output::new(Text::new(), Null)), 8), 100);
    assert_eq!(captured(Queue::new(output(of(7))), 8), 100);
    assert_eq!(captured(Dedup::new(output(of(7))), 8), 100);
    // What changes records may change their spans.
    assert_eq!(captured(Rewriting::new(|_: &mut RecordBuf| {}, output(of(7))), 8), 100);
}

/// Does what the filter does, and is never asked early.
fn late(filter: impl Filter) -> impl Filter {
    filter::on_record(move |record| filter.passes(record))
}

#[test]
fn asking_early_changes_no_line() {
    let filters: [fn() -> Box<dyn Filter>; 8] = [
        || Box::new(of(2)),
        || Box::new(of(2).not()),
        || Box::new(filter::any_span_field("user").gt(1)),
        || Box::new(filter::any_field("user").le(1)),
        || Box::new(filter::any_field("user").le(1).not()),
        || Box::new(of(1).or(filter::message().contains("3"))),
        || Box::new(Chain::new().deny(of(0)).accept(filter::one_in(2)).deny(of(1))),
        || Box::new(filter::Place::from(tracing_handlers::Part::SpanName).eq("inner").and(of(3).not())),
    ];
    let (early_lines, late_lines) = (filters.map(|_| Memory::new()), filters.map(|_| Memory::new()));
    let text = || Text::new().time(Time::none());
    for (index, filter) in filters.iter().enumerate() {
        let log = |handler: Box<dyn Handler>| {
            let _guard = tracing_subscriber::registry().with(tracing_handlers::layer(handler)).set_default();
            let outer = info_span!("request", user = 0_u64);
            let event = |n: u64| info!("event {n}");
            let user = |n: u64| info!(user = n, "event of {n}");
            for round in 0..40_u64 {
                event(round);
                let _outer = outer.enter();
                // Several, since a thread keeps the path from the second on.
                (0..round % 4).for_each(event);
                outer.record("user", round % 5);
                let inner = info_span!("inner", user = round % 3);
                let _inner = inner.enter();
                (0..round % 5).for_each(event);
                // On an ancestor of the span that the thread is in.
                outer.record("user", round % 7);
                (0..4).for_each(event);
                user(round % 4);
                Span::current().record("user", round % 2);
                user(round % 3);
                info!(parent: &outer, "with a parent of its own");
            }
        };
        log(Box::new(Output::new(text(), early_lines[index].clone()).filter(filter())));
        log(Box::new(Output::new(text(), late_lines[index].clone()).filter(late(filter()))));
        assert_eq!(early_lines[index].lines(), late_lines[index].lines(), "filter {index}");
        let lines = early_lines[index].lines().len();
        assert!(lines > 20 && lines < 500, "filter {index} passes {lines}");
    }
}

#[test]
fn new_handlers_are_asked_again() {
    let layer = tracing_handlers::layer(output(of(7)));
    let handle = layer.handle();
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let _span = info_span!("request", user = 8_u64).entered();
    let event = || info!("sold");
    (0..3).for_each(|_| event());
    let memory = Memory::new();
    handle.swap(Output::new(Text::new(), memory.clone()).filter(of(8)));
    (0..3).for_each(|_| event());
    handle.swap(output(of(7)));
    (0..3).for_each(|_| event());
    assert_eq!(memory.lines().len(), 3);
}
