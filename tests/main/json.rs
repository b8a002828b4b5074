//! JSON of events that tracing captured: their names come from callsites, not from the record.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::json;
use tracing_handlers::format::Json;
use tracing_handlers::format::json::{Duplicates, FieldLayout, SpanLayout};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::sink::Memory;
use tracing_handlers::{FieldChange, Output, Part, RecordBuf};
use tracing_subscriber::prelude::*;

/// A value in which no object has a key twice, or an error.
#[derive(Debug)]
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unrepeated {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without a key twice")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut seen = Vec::new();
        while let Some((key, _)) = members.next_entry::<String, Self>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("{key} twice")));
            }
            seen.push(key);
        }
        Ok(self)
    }
}

fn lines(format: Json, log: impl Fn()) -> Vec<String> {
    let memory = Memory::new();
    let layer = tracing_handlers::layer(Output::new(format, memory.clone()));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    memory.lines()
}

/// Names that collide with built-in ones, with each other, and with what a suffix makes of them.
fn log_collisions() {
    let outer = tracing::info_span!("request", name = "n", level = 1, spans = 2, a = "outer", r#type = "t");
    let inner = tracing::info_span!(parent: &outer, "request", a = "inner", a_2 = 0, timestamp = true);
    let _entered = inner.enter();
    tracing::info!(level = "mine", target_2 = 0, a = 1, timestamp = 2, spans = "s", fields = 3, "first");
    tracing::info!(message = "second", a = 1, a_2 = 2, r#type = 1, name = "x", span = "y");
    tracing::info!(quoted = 1, "third");
    tracing::info!(parent: None, { a = 1, b = 2 }, "fourth");
}

#[test]
fn no_key_stands_twice_whatever_callsites_call_their_fields() {
    for layout in [FieldLayout::Flat, FieldLayout::Nested] {
        for spans in [SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off] {
            for duplicates in [Duplicates::Suffix, Duplicates::First, Duplicates::Last] {
                let all = [Part::Time, Part::Level, Part::Target, Part::Message, Part::Span, Part::Fields, Part::Spans];
                let format = Json::new().keys(all).fields(layout).spans(spans).duplicates(duplicates);
                // Twice: what is known of a callsite after its first event must be true.
                let lines = lines(format, || (0..2).for_each(|_| log_collisions()));
                assert_eq!(lines.len(), 8);
                for line in &lines {
                    if let Err(error) = serde_json::from_str::<Unrepeated>(line) {
                        panic!("{error}: {line} ({layout:?}, {spans:?}, {duplicates:?})");
                    }
                }
                let shapes: Vec<_> = lines.iter().map(|line| line.split_once(',').map(|(_, rest)| rest)).collect();
                assert_eq!(shapes[..4], shapes[4..], "{layout:?}, {spans:?}, {duplicates:?}");
            }
        }
    }
}

#[test]
fn a_callsite_without_collisions_is_written_as_it_stands() {
    let lines = lines(Json::new().keys([Part::Message, Part::Fields, Part::Spans]), || {
        let _span = tracing::info_span!("request", id = 7, status = tracing::field::Empty).entered();
        tracing::info!(pieces = 3, price = 0.5, "sold");
        tracing::Span::current().record("status", 200);
        tracing::info!(pieces = 4, price = 1.0, "sold");
    });
    assert_eq!(
        lines,
        [
            r#"{"message":"sold","pieces":3,"price":0.5,"spans":[{"name":"request","id":7}]}"#,
            r#"{"message":"sold","pieces":4,"price":1.0,"spans":[{"name":"request","id":7,"status":200}]}"#,
        ]
    );
}

#[test]
fn a_rewrite_that_makes_names_collide_is_watched_although_the_callsite_is_not() {
    let memory = Memory::new();
    let rename = |record: &mut RecordBuf| {
        record.change_fields(|_, field| if field.name == "b" { FieldChange::Rename("a") } else { FieldChange::Keep });
    };
    let output = || Output::new(Json::new().keys([Part::Fields, Part::Spans]), memory.clone());
    let layer = tracing_handlers::layer((output(), Rewriting::new(rename, output())));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let _span = tracing::info_span!("s", a = 1, b = 2).entered();
        tracing::info!(a = 3, b = 4);
    });
    let values: Vec<serde_json::Value> =
        memory.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values[0], json!({"a": 3, "b": 4, "spans": [{"name": "s", "a": 1, "b": 2}]}));
    assert_eq!(values[1], json!({"a": 3, "a_2": 4, "spans": [{"name": "s", "a": 1, "a_2": 2}]}));
}

#[test]
fn a_field_with_a_key_of_its_own_is_not_among_those_of_its_callsite() {
    for (part, flat, nested) in [
        (
            Part::field("pieces"),
            r#"{"renamed":3,"message":"sold","left":1,"pieces":7}"#,
            r#"{"renamed":3,"message":"sold","fields":{"left":1},"span_fields":{"pieces":7}}"#,
        ),
        (
            Part::any_field("pieces"),
            r#"{"renamed":3,"message":"sold","left":1,"pieces":7}"#,
            r#"{"renamed":3,"message":"sold","fields":{"left":1},"span_fields":{"pieces":7}}"#,
        ),
        (
            Part::span_field("pieces"),
            r#"{"renamed":7,"message":"sold","pieces":3,"left":1}"#,
            r#"{"renamed":7,"message":"sold","fields":{"pieces":3,"left":1}}"#,
        ),
        (
            Part::field("other"),
            r#"{"message":"sold","pieces":3,"left":1,"pieces_2":7}"#,
            r#"{"message":"sold","fields":{"pieces":3,"left":1},"span_fields":{"pieces":7}}"#,
        ),
    ] {
        let json = Json::new().keys([part.clone(), Part::Message, Part::Fields, Part::SpanFields]);
        let json = json.rename(part, "renamed");
        let log_twice = || {
            for _ in 0..2 {
                let _span = tracing::info_span!("request", pieces = 7).entered();
                tracing::info!(pieces = 3, left = 1, "sold");
            }
        };
        assert_eq!(lines(json.clone(), log_twice), [flat, flat]);
        assert_eq!(lines(json.fields(FieldLayout::Nested), log_twice), [nested, nested]);
    }
}
