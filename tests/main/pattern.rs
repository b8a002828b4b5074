//! Patterns for events that tracing captured.

use tracing::{info, info_span, warn};
use tracing_handlers::format::{Pattern, Python};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Format, Handler, Output};

use crate::collect::{dispatch, seen};

fn lines(format: impl Format, log: impl FnOnce()) -> Vec<String> {
    let memory = Memory::new();
    tracing::dispatcher::with_default(&dispatch(Output::new(format, memory.clone())), log);
    memory.text().lines().map(str::to_owned).collect()
}

#[test]
fn events_of_tracing_have_all_that_a_pattern_names() {
    let mut line = 0;
    let pattern =
        Pattern::new("{level} {target} {module} {file}:{line} {span.id}/{span.depth} {spans} {message} {fields}");
    let lines = lines(pattern.unwrap(), || {
        let _outer = info_span!("outer", id = 1, depth = 1).entered();
        let inner = info_span!("inner", id = 2, late = tracing::field::Empty).entered();
        inner.record("late", "yes");
        line = line!() + 1;
        warn!(target: "shop", left = 2, "running out of {}", "tea");
    });
    let place = format!("{}:{line}", file!());
    let spans = "outer{id=1 depth=1}:inner{id=2 late=yes}";
    assert_eq!(lines, [format!("WARN shop main::pattern {place} 2/1 {spans} running out of tea left=2")]);
}

#[test]
fn the_innermost_field_is_python_s_attribute() {
    let format = Python::percent("%(levelname)s %(id)03d %(ratio).2f %(ok)s %(message)s").unwrap();
    let lines = lines(format, || {
        let _outer = info_span!("outer", id = 1, ratio = 0.5, ok = true).entered();
        let _inner = info_span!("inner", id = 2).entered();
        warn!("of a span");
        info!(id = 3, ok = false, "of the event");
    });
    assert_eq!(lines, ["WARNING 002 0.50 True of a span", "INFO 003 0.50 False of the event"]);
}

#[test]
fn a_record_that_lacks_a_field_of_python_s_counts_as_failed() {
    let memory = Memory::new();
    let output = Output::new(Python::brace("{message} {user}").unwrap(), memory.clone());
    let records = seen(|| {
        info!("nobody");
        info!(user = "ada", "somebody");
    });
    let results: Vec<_> = records.all().iter().map(|record| output.handle(&record.as_record()).is_ok()).collect();
    assert_eq!((results, memory.text().as_str()), (vec![false, true], "somebody ada\n"));
    let stats = output.stats().pop().unwrap().stats;
    assert!(stats.balances(), "{stats:?}");
    assert_eq!((stats.accepted, stats.delivered, stats.failed), (2, 1, 1));
}
