//! Levels of handlers that change while the program runs.

use std::sync::{Arc, Mutex};

use tracing::{Level, debug, debug_span, info, info_span, trace, warn};
use tracing_handlers::filter::{LevelFilter, LevelSwitch};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::{Buffer, Counts, Route, ScopedBuffer};
use tracing_handlers::{Handler, Output, Severity, filter, sink::Memory};
use tracing_subscriber::prelude::*;

fn output() -> (Memory, Output<Text, Memory>) {
    let memory = Memory::new();
    (memory.clone(), Output::new(Text::new().time(Time::none()).target(false), memory))
}

fn under(handler: impl Handler, log: impl FnOnce()) {
    crate::collect::pin();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handler)), log);
}

/// Returns and forgets what has been written.
fn take(memory: &Memory) -> Vec<String> {
    let lines = memory.lines();
    memory.clear();
    lines
}

#[test]
fn an_output_follows_the_switch_it_is_set_to_with_its_events_and_its_spans() {
    let (memory, output) = output();
    let level = LevelSwitch::new(Level::INFO);
    let log = || {
        debug_span!("query").in_scope(|| {
            debug!("a detail");
            info!("sold");
        });
    };
    under(output.level(level.clone()), || {
        log();
        assert_eq!(take(&memory), [" INFO sold"]);
        level.set(Level::DEBUG);
        log();
        assert_eq!(take(&memory), ["DEBUG query: a detail", " INFO query: sold"]);
        level.set(LevelFilter::OFF);
        log();
        assert!(take(&memory).is_empty());
        level.set(Severity::NOTICE);
        log();
        assert!(take(&memory).is_empty());
        level.with(Level::INFO, log);
        assert_eq!(take(&memory), [" INFO sold"]);
    });
}

#[test]
fn a_fixed_level_replaces_a_switch_and_a_filter_still_applies() {
    let (memory, output) = output();
    let level = LevelSwitch::new(Level::TRACE);
    let output = output.level(&level).level(Level::WARN).filter(filter::message().contains("out"));
    under(output, || {
        info!("sold out");
        warn!("sold out");
        warn!("sold");
    });
    assert_eq!(memory.lines(), [" WARN sold out"]);
}

#[test]
fn the_spans_of_an_output_follow_a_switch_of_their_own() {
    let (memory, output) = output();
    let spans = LevelSwitch::new(LevelFilter::OFF);
    under(output.level(Level::INFO).spans(&spans), || {
        let _request = info_span!("request").entered();
        let _query = debug_span!("query").entered();
        info!("1");
        spans.set(Level::INFO);
        info!("2");
        spans.set(Level::DEBUG);
        // It is created only now that it is shown.
        let _row = debug_span!("row").entered();
        info!("3");
    });
    let lines = memory.lines();
    assert_eq!(lines[..2], [" INFO 1", " INFO request: 2"]);
    assert!(lines[2].ends_with("row: 3") && lines[2].starts_with(" INFO request:"), "{lines:?}");
}

#[test]
fn a_scoped_buffer_lets_pass_what_a_switch_says() {
    let (memory, output) = output();
    let (always, spans) = (LevelSwitch::new(Level::WARN), LevelSwitch::new(Level::INFO));
    under(ScopedBuffer::new(output).always(always.clone()).spans(spans.clone()), || {
        let request = || {
            let _request = info_span!("request").entered();
            info!("sold");
            debug!("a detail");
        };
        request();
        assert!(take(&memory).is_empty());
        always.set(Level::INFO);
        request();
        assert_eq!(take(&memory), [" INFO request: sold"]);
        always.with(Level::DEBUG, request);
        assert_eq!(take(&memory).len(), 2);
        // Such spans are no requests any more, so that nothing is kept for an error.
        spans.set(Level::WARN);
        request();
        info_span!("request").in_scope(|| tracing::error!("failed"));
        assert_eq!(take(&memory), [" INFO request: sold", "ERROR request: failed"]);
    });
}

#[test]
fn a_scoped_buffer_that_holds_everything_asks_the_switch_when_the_span_closes() {
    let (memory, output) = output();
    let always = LevelSwitch::new(Level::WARN);
    under(ScopedBuffer::new(output).always(&always).hold_all(true), || {
        let request = info_span!("request").entered();
        info!("sold");
        always.set(Level::INFO);
        drop(request);
    });
    assert_eq!(memory.lines(), [" INFO request: sold"]);
}

#[test]
fn a_buffer_is_released_at_the_level_of_a_switch() {
    let (memory, output) = output();
    let level = LevelSwitch::new(LevelFilter::OFF);
    under(Buffer::new(output).flush_at(&level), || {
        warn!("1");
        assert!(memory.lines().is_empty());
        level.set(Level::WARN);
        info!("2");
        assert!(memory.lines().is_empty());
        warn!("3");
        assert_eq!(memory.lines().len(), 3);
    });
}

#[test]
fn routes_and_counts_follow_a_switch() {
    let made = Arc::new(Mutex::new(Vec::new()));
    let (level, memory) = (LevelSwitch::new(Level::INFO), Memory::new());
    let (names, to) = (made.clone(), memory.clone());
    let route = Route::by_value("tenant").level(&level).spans(&level).make(move |name| {
        names.lock().unwrap().push(name.to_owned());
        Ok(Output::new(Text::new(), to.clone()))
    });
    let counts = Counts::new().level(level.clone());
    let counted = counts.clone();
    under((route, counts), || {
        debug!(target: "shop", tenant = "a", "1");
        info!(target: "shop", tenant = "b", "2");
        level.set(Level::TRACE);
        trace!(target: "shop", tenant = "c", "3");
        level.set(LevelFilter::OFF);
        tracing::error!(target: "shop", tenant = "d", "4");
    });
    assert_eq!(*made.lock().unwrap(), ["b", "c"]);
    assert_eq!(memory.lines().len(), 2);
    assert_eq!(
        [Severity::INFO, Severity::TRACE, Severity::ERROR].map(|severity| counted.of("shop", severity)),
        [1, 1, 0]
    );
}
