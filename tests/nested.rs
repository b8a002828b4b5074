//! Nested values from serde.

use serde::ser::{Error as _, Serialize, Serializer};
use tracing::dispatcher::with_default;
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Queue, Value, nested};

use crate::collect::{dispatch, seen};

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
    let handler = Queue::new((
        Output::new(Json::new().time(Time::none()), json.clone()),
        Output::new(Text::new().time(Time::none()), text.clone()),
    ));
    with_default(&dispatch(handler), || {
        let _span = tracing::info_span!("s", order = %nested(&order())).entered();
        tracing::info!(target: "t", order = ?nested(&order()), list = ?nested(&[1, 2]), "m");
    });
    let line = json.text();
    let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(parsed["order"]["lines"][0][0], "a\u{7}\u{202e}\"b");
    assert_eq!(parsed["spans"][0]["order"], parsed["order"]);
    assert_eq!(parsed["list"][1], 2);
    assert!(!line.contains(['\u{7}', '\u{202e}']) && !text.text().contains(['\u{7}', '\u{202e}']));
}

#[test]
fn only_what_is_nothing_but_a_nested_value_is_one() {
    let seen = seen(|| {
        tracing::info!(some = ?Some(nested(&order())), pair = ?(nested(&1), nested(&2)), "{}", nested(&[1, 2]));
        // As long as the message was.
        tracing::info!(text = ?format_args!("{}", "[1,2]"), after = %"[1,2]", "{}", nested(&[1, 2]));
        tracing::info!(broken = ?nested(&Broken), word = ?nested("word"), "m");
    });
    let values: Vec<_> =
        seen.all().iter().map(|record| format!("{:?}", record.as_record().fields().collect::<Vec<_>>())).collect();
    for record in &seen.all()[..2] {
        assert!(record.as_record().fields().all(|field| matches!(field.value, Value::Text(_))), "{values:?}");
    }
    let last = seen.last();
    assert_eq!(last.as_record().field("broken"), Some(Value::Text("<cannot be serialized: no way>")));
    assert_eq!(last.as_record().field("word"), Some(Value::Json("\"word\"")));
}
