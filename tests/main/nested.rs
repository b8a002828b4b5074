//! Nested values from serde.

use std::sync::Arc;

use serde::ser::{Error as _, Serialize, Serializer};
use tracing::dispatcher::with_default;
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Output, Queue, Severity, Value, nested};

use crate::collect::{dispatch, seen};
use crate::until::soon;

#[derive(serde::Serialize)]
struct Order {
    id: u32,
    lines: Vec<(&'static str, f64)>,
}

struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no way"))
    }
}

fn order() -> Order {
    Order { id: 7, lines: vec![("a\u{7}\u{202e}\"b", 1.5)] }
}

#[test]
fn a_nested_value_keeps_its_kind_in_events_and_spans_and_through_a_queue() {
    let (json, text) = (Memory::new(), Memory::new());
    let queue = Arc::new(Queue::new((
        Output::new(Json::new().time(Time::none()), json.clone()),
        Output::new(Text::new().time(Time::none()), text.clone()),
    )));
    with_default(&dispatch(queue.clone()), || {
        let _span = tracing::info_span!("s", order = %nested(&order())).entered();
        tracing::info!(target: "t", order = ?nested(&order()), list = ?nested(&[1, 2]), "m");
    });
    // Another thread that registers a callsite may keep the dispatcher, and the queue in it, for a moment.
    queue.flush(soon()).unwrap();
    let line = json.text();
    let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(parsed["order"]["lines"][0][0], "a\u{7}\u{202e}\"b");
    assert_eq!(parsed["spans"][0]["order"], parsed["order"]);
    assert_eq!(parsed["list"][1], 2);
    assert!(!line.contains(['\u{7}', '\u{202e}']) && !text.text().contains(['\u{7}', '\u{202e}']));
}

#[test]
fn only_what_is_nothing_but_a_nested_value_is_one() {
    /// Writes something else of the same length.
    struct Masked;

    impl std::fmt::Debug for Masked {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&nested(&[1, 2]).to_string().replace('1', "x"))
        }
    }

    let seen = seen(|| {
        tracing::info!(some = ?Some(nested(&order())), pair = ?(nested(&1), nested(&2)), "{}", nested(&[1, 2]));
        // As long as the message was.
        tracing::info!(text = ?format_args!("{}", "[1,2]"), after = %"[1,2]", "{}", nested(&[1, 2]));
        tracing::info!(masked = ?Masked, "m");
        tracing::info!(broken = ?nested(&Broken), word = ?nested("word"), "m");
    });
    let values: Vec<_> =
        seen.all().iter().map(|record| format!("{:?}", record.as_record().fields().collect::<Vec<_>>())).collect();
    for record in &seen.all()[..3] {
        assert!(record.as_record().fields().all(|field| matches!(field.value, Value::Text(_))), "{values:?}");
    }
    let last = seen.last();
    assert_eq!(last.as_record().field("broken"), Some(Value::Text("<cannot be serialized: no way>")));
    assert_eq!(last.as_record().field("word"), Some(Value::Json("\"word\"")));
}

#[test]
fn a_field_severity_that_is_none_is_the_value_that_it_is() {
    #[derive(Debug)]
    struct Outer(std::fmt::Error);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let seen = seen(|| {
        tracing::info!(severity = ?nested(&order()), "nested");
        tracing::info!(severity = &Outer(std::fmt::Error) as &(dyn std::error::Error + 'static), "error");
        tracing::info!(severity = %Severity::from_number(11).unwrap(), "a step");
        tracing::info!(severity = u128::MAX, "too much");
    });
    let all = seen.all();
    let (nested, error) = (all[0].as_record(), all[1].as_record());
    assert!(matches!(nested.field("severity"), Some(Value::Json(_))), "{:?}", nested.field("severity"));
    let chain = error.field("severity").map(|value| value.to_string());
    assert!(matches!(error.field("severity"), Some(Value::Error(_))), "{chain:?}");
    assert!(chain.is_some_and(|chain| chain.starts_with("outer: ")));
    let numbers: Vec<_> = all[2..].iter().map(|record| record.as_record().severity().number()).collect();
    assert_eq!(numbers, [11, 9]);
    assert_eq!(all[3].as_record().field("severity"), Some(Value::U128(u128::MAX)));
}
