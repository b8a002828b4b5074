//! A field called `severity`: somebody's own, or the name of a severity.

use std::error::Error;
use std::fmt;

use proptest::prelude::*;
use tracing::field::{self, Value as Logged};
use tracing::{Level, dispatcher, info_span};
use tracing_handlers::format::{Preset, Text, Time};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::{Memory, Writer};
use tracing_handlers::{
    Handler, Output, Record, RecordBuf, Severity, Value, alert, critical, emergency, fatal, notice, verbose,
};
use tracing_subscriber::prelude::*;

use super::site::Site;
use crate::collect::{Seen, dispatch, pin, seen};

const LEVELS: [Level; 5] = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

/// What an event of this level becomes that has this field `severity` and another one.
fn logged(level: Level, severity: &dyn Logged) -> RecordBuf {
    let names = ["message", "severity", "code"].map(str::to_owned);
    seen(|| Site::event(level, &names).log(&[(0, &"m"), (1, severity), (2, &7_u64)])).last()
}

/// Asserts that the event has its level's severity, and all of its fields.
#[track_caller]
fn assert_ordinary(level: Level, severity: &dyn Logged, value: &str) {
    let record = logged(level, severity);
    let record = record.as_record();
    assert_eq!(record.severity(), Severity::from(level), "{value} at {level}");
    let fields: Vec<_> = record.fields().map(|field| format!("{}={}", field.name, field.value)).collect();
    assert_eq!(fields, [format!("severity={value}"), "code=7".to_owned()], "{value} at {level}");
}

#[test]
fn a_number_neither_lowers_an_error_nor_vanishes() {
    let memory = Memory::new();
    let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone()).level(Level::WARN);
    dispatcher::with_default(&dispatch(output), || {
        tracing::error!(severity = 2, code = 7, "disk array failed");
        tracing::warn!(severity = 24, "running out");
    });
    assert_eq!(memory.lines(), ["ERROR disk array failed severity=2 code=7", " WARN running out severity=24"]);
}

#[test]
fn numbers_of_every_type_and_other_values_that_are_not_texts_set_nothing() {
    for level in LEVELS {
        for number in 0..=30_u8 {
            let text = number.to_string();
            assert_ordinary(level, &u64::from(number), &text);
            assert_ordinary(level, &i64::from(number), &text);
            assert_ordinary(level, &u128::from(number), &text);
            assert_ordinary(level, &i128::from(number), &text);
            assert_ordinary(level, &field::display(number), &text);
            assert_ordinary(level, &field::debug(number), &text);
            assert_ordinary(level, &text, &text);
        }
        assert_ordinary(level, &-1_i64, "-1");
        assert_ordinary(level, &true, "true");
        assert_ordinary(level, &18.0, "18.0");
        assert_ordinary(level, &&b"\x12"[..], "12");
    }
}

/// An error whose message is the name of a severity.
#[derive(Debug)]
struct Fatal(std::fmt::Error);

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fatal")
    }
}

impl Error for Fatal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_a_field_with_its_causes_whatever_its_message() {
    let error: &(dyn Error + 'static) = &Fatal(fmt::Error);
    assert_ordinary(Level::INFO, &error, &format!("fatal: {}", fmt::Error));
    let record = logged(Level::WARN, &error);
    assert!(matches!(record.as_record().field("severity"), Some(Value::Error(_))));
    let boxed: Box<dyn Error + 'static> = Box::new(Fatal(fmt::Error));
    assert_ordinary(Level::ERROR, &boxed, &format!("fatal: {}", fmt::Error));
}

#[cfg(feature = "serde")]
#[test]
fn a_nested_value_is_a_field() {
    for level in LEVELS {
        assert_ordinary(level, &field::debug(tracing_handlers::nested(&18)), "18");
        assert_ordinary(level, &field::display(tracing_handlers::nested("fatal")), "\"fatal\"");
    }
}

/// A type of a user's own that is written like a severity.
#[derive(Debug)]
enum Grade {
    Critical,
}

#[test]
fn a_name_raises_the_severity_and_the_field_remains() {
    for value in [&"critical" as &dyn Logged, &"critical".to_owned(), &field::display("critical")] {
        let record = logged(Level::WARN, value);
        assert_eq!(record.as_record().severity(), Severity::CRITICAL);
        assert_eq!(record.as_record().field("severity").and_then(|value| value.as_str()), Some("critical"));
    }
    let record = logged(Level::INFO, &field::debug(Grade::Critical));
    assert_eq!(record.as_record().severity(), Severity::CRITICAL);
    assert_eq!(record.as_record().field("severity"), Some(Value::Text("Critical")));
}

#[test]
fn no_name_lowers_an_event_below_its_level() {
    for level in LEVELS {
        for name in
            ["trace", "TRACE4", "verbose", "debug", "info", "INFO2", "notice", "warn", "Error", "alert", "panic"]
        {
            let named: Severity = name.parse().unwrap();
            let own = Severity::from(level);
            let expected = if named.is_at_least(own) { named } else { own };
            for value in [&name as &dyn Logged, &field::display(name)] {
                let record = logged(level, value);
                assert_eq!(record.as_record().severity(), expected, "{name} at {level}");
                assert_eq!(record.as_record().field("severity").and_then(|value| value.as_str()), Some(name));
            }
        }
    }
}

#[test]
fn a_name_that_is_defined_sets_the_severity_from_its_number_on() {
    Severity::define("captured_test", 14).unwrap();
    let of = |level| logged(level, &"captured_test").as_record().severity().name();
    assert_eq!(LEVELS.map(of), ["CAPTURED_TEST", "CAPTURED_TEST", "CAPTURED_TEST", "CAPTURED_TEST", "ERROR"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_remains_a_field_and_lowers_nothing(text in "\\PC{0,12}|(?i)(trace|debug|info|warn|err|fatal)[0-9]?", at in 0..5_usize) {
        let record = logged(LEVELS[at], &text);
        let record = record.as_record();
        prop_assert!(record.severity().is_at_least(LEVELS[at].into()));
        prop_assert_eq!(record.field("severity").and_then(|value| value.as_str()), Some(&*text));
        if text.parse::<Severity>().is_err() {
            prop_assert_eq!(record.severity(), LEVELS[at].into());
        }
    }
}

#[test]
fn the_field_that_a_macro_adds_is_the_severity_and_nothing_else() {
    let seen = seen(|| {
        verbose!(a = 1, "m");
        notice!(a = 1, "m");
        critical!(target: "t", a = 1, "m");
        alert!(name: "n", a = 1, "m");
        fatal!(parent: None, a = 1, "m");
        emergency!(name: "n", target: "t", parent: None, a = 1, "m");
    });
    let shown = |record: &RecordBuf| format!("{:?} {:?}", record.as_record().severity(), record.as_record().fields());
    let names = ["VERBOSE", "NOTICE", "CRITICAL", "ALERT", "FATAL", "EMERGENCY"];
    assert_eq!(seen.all().iter().map(shown).collect::<Vec<_>>(), names.map(|name| format!("{name} {{a=1}}")));
}

#[test]
fn a_field_severity_given_to_a_macro_is_a_field() {
    let seen = seen(|| {
        notice!(severity = 21, "a number");
        notice!(severity = "emergency", "a name");
        alert!(severity = %"notice", "a lower name");
    });
    let shown = |record: &RecordBuf| format!("{:?} {:?}", record.as_record().severity(), record.as_record().fields());
    let expected = ["NOTICE {severity=21}", "NOTICE {severity=\"emergency\"}", "ALERT {severity=notice}"];
    assert_eq!(seen.all().iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn another_layer_sees_the_field_that_a_macro_adds_as_a_text() {
    pin();
    let lines = Memory::new();
    let stock = tracing_subscriber::fmt::layer().json().with_writer(Writer::new(lines.clone()));
    let registry = tracing_subscriber::registry().with(stock).with(tracing_handlers::layer(Seen::default()));
    tracing::subscriber::with_default(registry, || notice!(a = 1, "m"));
    let line: serde_json::Value = serde_json::from_str(&lines.text()).unwrap();
    assert_eq!(line["fields"], serde_json::json!({"message": "m", "severity": "notice", "a": 1}));
}

/// Keeps span events too.
struct Lives(Seen);

impl Handler for Lives {
    fn handle(&self, record: &Record<'_>) -> Result<(), tracing_handlers::Error> {
        self.0.handle(record)
    }

    fn span_events(&self) -> SpanEvents {
        SpanEvents::NEW | SpanEvents::CLOSE
    }
}

#[test]
fn a_span_s_field_severity_is_a_field_and_does_not_change_its_events() {
    let seen = Seen::default();
    dispatcher::with_default(&dispatch(Lives(seen.clone())), || {
        let span = info_span!("s", severity = "fatal", later = field::Empty);
        span.record("later", 1);
        span.in_scope(|| tracing::error!("m"));
        info_span!("t", severity = 1).in_scope(|| tracing::warn!("m"));
    });
    let severities: Vec<_> = seen.all().iter().map(|record| record.as_record().severity().name()).collect();
    assert_eq!(severities, ["INFO", "ERROR", "INFO", "WARN", "INFO", "INFO"]);
    assert_eq!(seen.spans()[1], ["s{severity=\"fatal\", later=1}"]);
    assert_eq!(seen.spans()[3], ["t{severity=1}"]);
}

#[test]
fn a_preset_writes_both_its_severity_and_the_field() {
    let lines = |preset: Preset| {
        let memory = Memory::new();
        dispatcher::with_default(&dispatch(Output::new(preset, memory.clone())), || {
            tracing::error!(severity = 2, "failed");
            tracing::warn!(severity = "critical", "failing");
            critical!("failed");
        });
        memory.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let of = |lines: &[serde_json::Value], name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    let google = lines(Preset::google_cloud("p"));
    assert_eq!(of(&google, "severity"), ["ERROR", "CRITICAL", "CRITICAL"]);
    assert_eq!(of(&google, "severity_2"), [2.into(), "critical".into(), serde_json::Value::Null]);
    let logstash = lines(Preset::logstash());
    assert_eq!(of(&logstash, "level"), ["ERROR", "CRITICAL", "CRITICAL"]);
    assert_eq!(of(&logstash, "severity"), [2.into(), "critical".into(), serde_json::Value::Null]);
}
