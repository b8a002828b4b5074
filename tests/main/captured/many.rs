//! Events and spans with any number of fields.

use std::fmt;

use proptest::prelude::*;
use tracing::field::{self, Value};
use tracing::{Level, Span, dispatcher, error, info};
use tracing_handlers::filter::{self, Filter};
use tracing_handlers::format::json::SpanLayout;
use tracing_handlers::format::{Csv, Json, Logfmt, Pattern, Text, Time};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::record::Fields;
use tracing_handlers::rewrite::Redact;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Format, Output, Queue, Severity};

use super::site::{MOST, Site};
use crate::collect::{Seen, dispatch, seen};
use crate::wire::assert_same;

/// `f0`, `f1` and so on.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("f{index}")).collect()
}

/// A value of one of the usual types, by the index of its field.
fn value(index: usize) -> Box<dyn Value> {
    match index % 6 {
        0 => Box::new(index as u64),
        1 => Box::new(-(index as i64)),
        2 => Box::new(index.is_multiple_of(4)),
        3 => Box::new(format!("v{index}")),
        4 => Box::new(field::display(index)),
        _ => Box::new(index as f64 + 0.5),
    }
}

/// The same value, as a record shows it.
fn shown(index: usize) -> String {
    match index % 6 {
        0 | 4 => index.to_string(),
        1 => format!("{}", -(index as i64)),
        2 => (index.is_multiple_of(4)).to_string(),
        3 => format!("v{index}"),
        _ => format!("{index}.5"),
    }
}

fn pairs(fields: Fields<'_>) -> Vec<(String, String)> {
    fields.map(|field| (field.name.to_owned(), field.value.to_string())).collect()
}

fn pair(index: usize) -> (String, String) {
    (format!("f{index}"), shown(index))
}

/// Logs an event with `count` fields, those of which at these indices are the message and `severity`.
fn log(level: Level, count: usize, message: Option<usize>, severity: Option<(usize, &str)>) {
    let mut names = names(count);
    let mut values: Vec<Box<dyn Value>> = (0..count).map(value).collect();
    let said: [(Option<usize>, &str, Box<dyn Value>); 2] = [
        (severity.map(|(at, _)| at), "severity", Box::new(severity.map_or("", |(_, text)| text).to_owned())),
        (message, "message", Box::new("the message")),
    ];
    for (at, name, value) in said {
        if let Some(at) = at {
            names[at] = name.to_owned();
            values[at] = value;
        }
    }
    let values: Vec<_> = values.iter().enumerate().map(|(at, value)| (at, &**value)).collect();
    Site::event(level, &names).log(&values);
}

#[test]
fn an_error_with_more_than_32_fields_stays_an_error() {
    let errors = Seen::default();
    let output = Output::new(Text::new().time(Time::none()), Memory::new());
    let memory = Memory::new();
    let warnings = Output::new(Text::new().time(Time::none()).target(false), memory.clone()).level(Level::WARN);
    dispatcher::with_default(&dispatch((errors.clone(), output, warnings)), || {
        error!(
            f1 = 1,
            f2 = 2,
            f3 = 3,
            f4 = 4,
            f5 = 5,
            f6 = 6,
            f7 = 7,
            f8 = 8,
            f9 = 9,
            f10 = 10,
            f11 = 11,
            f12 = 12,
            f13 = 13,
            f14 = 14,
            f15 = 15,
            f16 = 16,
            f17 = 17,
            f18 = 18,
            f19 = 19,
            f20 = 20,
            f21 = 21,
            f22 = 22,
            f23 = 23,
            f24 = 24,
            f25 = 25,
            f26 = 26,
            f27 = 27,
            f28 = 28,
            f29 = 29,
            f30 = 30,
            f31 = 31,
            f32 = 1,
            f33 = 2,
            f34 = 3,
            "no disk"
        );
    });
    let record = errors.last();
    let record = record.as_record();
    assert_eq!((record.severity(), record.message(), record.fields().count()), (Severity::ERROR, "no disk", 34));
    assert_eq!(pairs(record.fields())[31..], [("f32", "1"), ("f33", "2"), ("f34", "3")].map(owned));
    assert!(memory.text().starts_with("ERROR no disk f1=1 "), "{}", memory.text());
    assert!(memory.text().ends_with(" f34=3\n"), "{}", memory.text());
}

#[test]
fn the_33rd_field_is_not_taken_for_the_first() {
    let seen = seen(|| {
        info!(
            f1 = 1,
            f2 = 2,
            f3 = 3,
            f4 = 4,
            f5 = 5,
            f6 = 6,
            f7 = 7,
            f8 = 8,
            f9 = 9,
            f10 = 10,
            f11 = 11,
            f12 = 12,
            f13 = 13,
            f14 = 14,
            f15 = 15,
            f16 = 16,
            f17 = 17,
            f18 = 18,
            f19 = 19,
            f20 = 20,
            f21 = 21,
            f22 = 22,
            f23 = 23,
            f24 = 24,
            f25 = 25,
            f26 = 26,
            f27 = 27,
            f28 = 28,
            f29 = 29,
            f30 = 30,
            f31 = 31,
            status = "error",
            "done"
        );
    });
    let record = seen.last();
    let record = record.as_record();
    assert_eq!((record.severity(), record.message()), (Severity::INFO, "done"));
    assert_eq!(record.field("status").map(|value| value.to_string()).as_deref(), Some("error"));
}

#[test]
fn the_message_is_that_of_its_own_field_whatever_the_number_of_fields() {
    for count in [31, 32, 33, 63, 64, 65, 127, 128, 129, 254, 255, 256, 257, 260, 288, 512, 513, 999, MOST] {
        for at in [0, count / 2, count - 1] {
            let seen = seen(|| log(Level::INFO, count, Some(at), None));
            let record = seen.last();
            let record = record.as_record();
            assert_eq!((record.message(), record.severity()), ("the message", Severity::INFO), "{at} of {count}");
            let expected: Vec<_> = (0..count).filter(|index| *index != at).map(pair).collect();
            assert_eq!(pairs(record.fields()), expected, "{at} of {count}");
        }
    }
}

#[test]
fn filters_and_rewrites_find_fields_beyond_the_256th() {
    let (all, redacted) = (Seen::default(), Seen::default());
    let hide = Rewriting::new(Redact::fields(["f257", "f700"]).mask("***"), redacted.clone());
    dispatcher::with_default(&dispatch((all.clone(), hide)), || log(Level::INFO, 800, Some(700 - 1), None));
    let record = all.last();
    assert!(filter::field("f700").exists().accepts(&record.as_record()));
    assert!(filter::field("f798").eq(798).accepts(&record.as_record()));
    assert!(!filter::field("f800").exists().accepts(&record.as_record()));
    let hidden = redacted.last();
    let hidden = pairs(hidden.as_record().fields());
    let expected = (0..800).filter(|index| *index != 699).map(|index| match index {
        257 | 700 => (format!("f{index}"), "***".to_owned()),
        _ => pair(index),
    });
    assert_eq!(hidden, expected.collect::<Vec<_>>());
}

#[test]
fn a_queue_hands_on_all_fields() {
    let (direct, queued) = (Memory::new(), Memory::new());
    let queue = std::sync::Arc::new(Queue::new(Output::new(Json::new(), queued.clone())));
    let handlers = (Output::new(Json::new(), direct.clone()), queue.clone());
    dispatcher::with_default(&dispatch(handlers), || {
        let span = open(300);
        let _in_span = span.enter();
        (1..=600).step_by(37).for_each(|count| log(Level::INFO, count, None, None));
    });
    tracing_handlers::Handler::flush(&*queue, std::time::Instant::now() + std::time::Duration::from_secs(30)).unwrap();
    assert_eq!(queued.lines(), direct.lines());
    assert!(queued.text().contains("\"f592\":\"592\""));
}

/// A span with `count` fields, each with its value.
fn open(count: usize) -> Span {
    let values: Vec<_> = (0..count).map(value).collect();
    let values: Vec<_> = values.iter().enumerate().map(|(at, value)| (at, &**value)).collect();
    Site::span(&names(count)).open(&values)
}

#[test]
fn every_format_writes_every_field() {
    let formats: [Box<dyn Format>; 6] = [
        Box::new(Json::new().spans(SpanLayout::Flat)),
        Box::new(Text::new()),
        Box::new(Text::pretty()),
        Box::new(Logfmt::new()),
        Box::new(Csv::new()),
        Box::new(Pattern::new("{fields}").unwrap()),
    ];
    let (memories, outputs): (Vec<_>, Vec<_>) = formats
        .into_iter()
        .map(|format| {
            let memory = Memory::new();
            (memory.clone(), Output::new(format, memory))
        })
        .unzip();
    dispatcher::with_default(&dispatch(outputs), || log(Level::INFO, MOST, Some(500), None));
    for memory in memories {
        let text = memory.text();
        let of = |index| text.matches(&format!("f{index}")).count();
        // The names that others begin with occur as often as those.
        assert!((0..MOST).filter(|index| *index != 500).all(|index| of(index) > 0));
        assert_eq!((of(500), of(499), of(999), of(256)), (0, 1, 1, 1));
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// An event and a span with up to [`MOST`] fields each.
#[derive(Clone)]
struct Fuzzed {
    of_event: usize,
    message: Option<usize>,
    severity: Option<(usize, &'static str, Severity)>,
    of_span: usize,
    /// Which of the span's fields are recorded, and in which order.
    recorded: Vec<usize>,
}

impl fmt::Debug for Fuzzed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of_event, message, severity, of_span, recorded } = self;
        write!(f, "event of {of_event}, message {message:?}, severity {severity:?}, span of {of_span}, {recorded:?}")
    }
}

fn count() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 1..40_usize, 1 => 250..260_usize, 2 => 1..=MOST]
}

fn fuzzed() -> impl Strategy<Value = Fuzzed> {
    let severities = prop_oneof![
        Just(("error", Severity::ERROR)),
        Just(("notice", Severity::NOTICE)),
        Just(("debug", Severity::INFO)),
        Just(("17", Severity::INFO)),
    ];
    let places = (proptest::option::of(any::<prop::sample::Index>()), any::<prop::sample::Index>());
    let recorded = proptest::collection::vec(any::<prop::sample::Index>(), 0..20);
    let severity = proptest::option::of(severities);
    (count(), count(), places, severity, recorded).prop_map(|(of_event, of_span, places, severity, recorded)| {
        let message = places.0.map(|at| at.index(of_event));
        let at = places.1.index(of_event);
        Fuzzed {
            of_event,
            message,
            severity: severity.filter(|_| message != Some(at)).map(|(text, severity)| (at, text, severity)),
            of_span,
            recorded: recorded.into_iter().map(|at| at.index(of_span)).collect(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_fields_is_captured_copied_and_written(fuzzed in fuzzed()) {
        let seen = seen(|| {
            let span = open(fuzzed.of_span);
            for (times, at) in fuzzed.recorded.iter().enumerate() {
                span.record(&*format!("f{at}"), times);
            }
            let _in_span = span.enter();
            let severity = fuzzed.severity.map(|(at, text, _)| (at, text));
            log(Level::INFO, fuzzed.of_event, fuzzed.message, severity);
        });
        let record = seen.last();
        let view = record.as_record();
        prop_assert_eq!(view.message(), if fuzzed.message.is_some() { "the message" } else { "" });
        prop_assert_eq!(view.severity(), fuzzed.severity.map_or(Severity::INFO, |(_, _, severity)| severity));
        let mut expected: Vec<_> = (0..fuzzed.of_event).map(pair).collect();
        if let Some((at, text, _)) = fuzzed.severity {
            expected[at] = owned(("severity", text));
        }
        if let Some(at) = fuzzed.message {
            expected.remove(at);
        }
        prop_assert_eq!(pairs(view.fields()), expected);
        let mut expected: Vec<_> = (0..fuzzed.of_span).map(pair).collect();
        for (times, at) in fuzzed.recorded.iter().enumerate() {
            expected[*at].1 = times.to_string();
        }
        prop_assert_eq!(pairs(view.spans().next().unwrap().fields()), expected);
        assert_same(&record);
    }
}
