//! Directives that change while the program runs.

use std::thread;
use std::time::Duration;

use tracing::{debug, info, info_span, trace};
use tracing_handlers::filter::{DirectiveSwitch, EnvFilter, Filter, LevelFilter, Targets};
use tracing_handlers::handler::Filtered;
use tracing_handlers::{Handler, Output, Queue, format, sink::Memory};
use tracing_subscriber::prelude::*;

use crate::{alone, until};

/// Returns what logs under a handler, and the messages that pass.
fn under(
    switch: &DirectiveSwitch,
    handler: impl FnOnce(Output<format::Text, Memory>) -> Box<dyn Handler>,
) -> (Memory, tracing::Dispatch) {
    let memory = Memory::new();
    let text = format::Text::new().time(format::Time::none()).target(false).level(false);
    let output = Output::new(text, memory.clone()).spans(LevelFilter::OFF).filter(switch.clone());
    let layer = tracing_handlers::layer(handler(output));
    (memory, tracing::Dispatch::new(tracing_subscriber::registry().with(layer)))
}

#[test]
fn directives_change_what_passes_from_then_on() {
    let _alone = alone();
    let switch = DirectiveSwitch::new("info").unwrap();
    let (memory, dispatch) = under(&switch, |output| Box::new(output));
    // A single subscriber is asked again only on a thread where it is the current one.
    let _guard = tracing::dispatcher::set_default(&dispatch);
    let log = |what: &str| {
        debug!(target: "shop", "debug {what}");
        info!(target: "hyper", "info {what}");
        info_span!("request", id = 7).in_scope(|| trace!("trace {what}"));
        let lines = memory.lines().join(", ");
        memory.clear();
        lines
    };
    assert_eq!(log("1"), "info 1");
    switch.set("shop=debug").unwrap();
    assert_eq!(log("2"), "debug 2");
    switch.set("[request{id=7}]").unwrap();
    assert_eq!(log("3"), "trace 3");
    let scoped = switch.scoped("off").unwrap();
    assert_eq!((log("4"), switch.get()), (String::new(), "off".to_owned()));
    switch.set("info").unwrap();
    let inner = switch.scoped("shop=debug").unwrap();
    drop(scoped);
    assert_eq!(log("5"), "debug 5");
    drop(inner);
    assert_eq!((log("6"), switch.to_string()), ("info 6".to_owned(), "info".to_owned()));
}

#[test]
fn an_error_changes_nothing() {
    let _alone = alone();
    let switch = DirectiveSwitch::from(EnvFilter::new("info,shop=debug"));
    for wrong in ["", " , ", "shop=loud", "info,[", "20"] {
        assert!(switch.set(wrong).is_err() && switch.scoped(wrong).is_err(), "{wrong}");
        assert!(switch.set_for(wrong, Duration::ZERO).is_err() && DirectiveSwitch::new(wrong).is_err());
        assert_eq!(switch.get(), "shop=debug,info");
    }
    let error = switch.set(" ").unwrap_err().to_string();
    assert_eq!(error, "expected directives, found none; `off` passes nothing");
}

#[test]
fn directives_for_a_period_end_by_themselves_and_replace_each_other() {
    let _alone = alone();
    let switch = DirectiveSwitch::from("info".parse::<Targets>().unwrap());
    switch.set_for("debug", Duration::from_secs(3_600)).unwrap();
    assert_eq!(switch.get(), "debug");
    switch.set_for("trace", Duration::from_millis(20)).unwrap();
    until::until("the former directives apply", || switch.get() == "info");
    // The second call has canceled the first.
    assert_eq!(Filter::max_level(&switch), LevelFilter::INFO);
}

#[test]
fn a_switch_in_front_of_a_queue_judges_when_an_event_happens() {
    let _alone = alone();
    let (switch, all) = (DirectiveSwitch::new("info").unwrap(), DirectiveSwitch::new("trace").unwrap());
    let front = switch.clone();
    let (memory, dispatch) = under(&all, |output| Box::new(Filtered::new(front, Queue::new(output))));
    tracing::dispatcher::with_default(&dispatch, || {
        let logs = |level: &str| {
            switch.set(level).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| tracing::dispatcher::with_default(&dispatch, || debug!("{level}")));
            });
        };
        ["info", "debug", "warn", "main=trace", "directives=trace"].into_iter().for_each(logs);
    });
    drop(dispatch);
    assert_eq!(memory.lines(), ["debug", "directives=trace"]);
}
