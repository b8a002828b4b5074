use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Parsed;

use super::*;
use crate::clock::Timestamp;
use crate::format::Caps;
use crate::format::escape::tests::{dangerous, has_dangerous};
use crate::{RecordBuf, Severity, Value};

fn line(json: &Json, record: &RecordBuf) -> String {
    let mut out = b"before".to_vec();
    json.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

/// Parses `line`, and panics if it has a duplicate key or an unescaped character that must be escaped.
fn parsed(line: &str) -> Parsed {
    assert!(!has_dangerous(line), "raw in {line:?}");
    let mut reader = serde_json::Deserializer::from_str(line);
    UniqueKeys.deserialize(&mut reader).unwrap_or_else(|error| panic!("{error}: {line}"));
    reader.end().unwrap();
    serde_json::from_str(line).unwrap()
}

fn record() -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", "sold").with_time(Timestamp::new(1_795_223_943, 123_456_789))
}

fn fields_only() -> Json {
    Json::new().keys([Part::Fields])
}

#[test]
fn keys_are_written_in_order_under_their_names() {
    let record = record()
        .with_location("shop::till", "src/till.rs", 41)
        .with_thread("main", 1)
        .with_field("pieces", 3_u64)
        .with_span("request", [("method", "GET".into())])
        .with_span("query", [("table", "x".into())]);
    let all = [
        Part::Time,
        Part::Level,
        Part::Severity,
        Part::Target,
        Part::Name,
        Part::ModulePath,
        Part::File,
        Part::Line,
        Part::ThreadName,
        Part::ThreadId,
        Part::Message,
        Part::Fields,
        Part::Span,
        Part::Spans,
        Part::Level,
    ];
    assert_eq!(
        line(&Json::new().keys(all), &record),
        concat!(
            r#"{"timestamp":"2026-11-21T01:19:03.123456Z","level":"INFO","severity":9,"target":"shop","name":"","#,
            r#""module_path":"shop::till","file":"src/till.rs","line":41,"thread_name":"main","thread_id":1,"#,
            r#""message":"sold","pieces":3,"span":{"name":"query","table":"x"},"#,
            r#""spans":[{"name":"request","method":"GET"},{"name":"query","table":"x"}]}"#,
        )
    );
}

#[test]
fn parts_that_a_record_lacks_are_omitted() {
    let bare = RecordBuf::new(Severity::INFO, "", "");
    let json = Json::new().keys([
        Part::ModulePath,
        Part::File,
        Part::Line,
        Part::ThreadName,
        Part::ThreadId,
        Part::Message,
        Part::Fields,
        Part::Span,
        Part::Spans,
    ]);
    assert_eq!(line(&json, &bare), "{}");
    assert_eq!(line(&json.clone().fields(FieldLayout::Nested).spans(SpanLayout::Nested), &bare), "{}");
    assert_eq!(line(&json.spans(SpanLayout::Flat), &bare), "{}");
    assert_eq!(line(&Json::new().keys([Part::Time]).time(Time::none()), &bare), "{}");
}

#[test]
fn every_setting_has_its_effect() {
    let record = record().with_field("pieces", 3_u64).with_span("request", [("method", "GET".into())]);
    let json = Json::new().keys([Part::Time, Part::Level, Part::Fields, Part::Spans]);
    let json = json.rename(Part::Time, "@time").time(Time::unix_millis()).level_names(LevelNames::Lower);
    let start = r#"{"@time":1795223943123,"level":"info""#;
    let nested = json.clone().fields(FieldLayout::Nested).spans(SpanLayout::Nested);
    assert_eq!(
        line(&nested, &record),
        format!(r#"{start},"fields":{{"pieces":3}},"spans":{{"request":{{"method":"GET"}}}}}}"#)
    );
    let flat = json.clone().spans(SpanLayout::Flat);
    assert_eq!(line(&flat, &record), format!(r#"{start},"pieces":3,"method":"GET"}}"#));
    let off = json.spans(SpanLayout::Off);
    assert_eq!(line(&off, &record), format!(r#"{start},"pieces":3}}"#));
}

#[test]
fn values_keep_their_types() {
    let record = record()
        .with_field("yes", true)
        .with_field("minus", -7_i64)
        .with_field("most", u64::MAX)
        .with_field("fits", i128::from(i64::MIN))
        .with_field("fits2", u128::from(u64::MAX))
        .with_field("wide", u128::MAX)
        .with_field("low", i128::MIN)
        .with_field("whole", 1.0)
        .with_field("zero", -0.0)
        .with_field("tiny", 5e-324)
        .with_field("huge", 1e300)
        .with_field("nan", f64::NAN)
        .with_field("inf", f64::NEG_INFINITY)
        .with_field("bytes", &b"\x00\xff"[..])
        .with_field("text", Value::Text("Some(\"x\")"));
    let expected = concat!(
        r#"{"yes":true,"minus":-7,"most":18446744073709551615,"fits":-9223372036854775808,"#,
        r#""fits2":18446744073709551615,"wide":"340282366920938463463374607431768211455","#,
        r#""low":"-170141183460469231731687303715884105728","whole":1.0,"zero":-0.0,"tiny":5e-324,"huge":1e+300,"#,
        r#""nan":null,"inf":null,"bytes":"00ff","text":"Some(\"x\")"}"#,
    );
    let written = line(&fields_only(), &record);
    parsed(&written);
    assert_eq!(written, expected);
    let text = line(&fields_only().non_finite(NonFinite::Text), &record);
    assert!(text.contains(r#""nan":"NaN","inf":"-Infinity""#), "{text}");
}

#[test]
fn an_error_is_one_string_including_its_causes() {
    let record = record().with_error("error", &["no \"order\"", "disk full", "os error 28"]);
    assert_eq!(line(&fields_only(), &record), r#"{"error":"no \"order\": disk full: os error 28"}"#);
}

#[test]
fn no_combination_of_names_produces_a_duplicate_key() {
    let record = record()
        .with_field("a", 1_u64)
        .with_field("a", 2_u64)
        .with_field("a_2", 3_u64)
        .with_field("level", 4_u64)
        .with_field("spans", 5_u64)
        .with_span("s", [("name", 6_u64.into()), ("name", 7_u64.into()), ("a", 8_u64.into())])
        .with_span("s", [("a", 9_u64.into())]);
    let json = Json::new().keys([Part::Level, Part::Fields, Part::Spans]);
    let start = r#"{"level":"INFO","a":1,"a_2":2,"a_2_2":3,"level_2":4"#;
    assert_eq!(
        line(&json, &record),
        format!(r#"{start},"spans_2":5,"spans":[{{"name":"s","name_2":6,"name_3":7,"a":8}},{{"name":"s","a":9}}]}}"#)
    );
    assert_eq!(
        line(&json.clone().spans(SpanLayout::Nested), &record),
        format!(r#"{start},"spans_2":5,"spans":{{"s":{{"name":6,"name_2":7,"a":8}},"s_2":{{"a":9}}}}}}"#)
    );
    assert_eq!(
        line(&json.clone().spans(SpanLayout::Flat), &record),
        format!(r#"{start},"spans":5,"a_3":9,"name":6,"name_2":7,"a_4":8}}"#)
    );
    let flat = json.clone().spans(SpanLayout::Flat).duplicates(Duplicates::First);
    assert_eq!(line(&flat, &record), r#"{"level":"INFO","a":1,"a_2":3,"spans":5,"name":6}"#);
    let last = json.spans(SpanLayout::Nested).duplicates(Duplicates::Last);
    assert_eq!(line(&last, &record), r#"{"level":"INFO","a":2,"a_2":3,"spans":{"s":{"a":9}}}"#);
}

#[test]
fn parts_with_the_same_name_are_numbered() {
    let json = Json::new().keys([Part::Level, Part::Target, Part::Message]);
    let json = json.rename(Part::Target, "level").rename(Part::Message, "level");
    assert_eq!(line(&json, &record()), r#"{"level":"INFO","level_2":"shop","level_3":"sold"}"#);
    let json = Json::new().keys([Part::Target]).rename(Part::Target, "a\"\n\u{202e}");
    assert_eq!(line(&json, &record()), r#"{"a\"\n\u202e":"shop"}"#);
}

#[test]
fn hundreds_of_fields_with_one_name_are_all_written() {
    let fields: Vec<_> = (0..300_u64).map(|number| ("x", Value::U64(number))).collect();
    let object =
        parsed(&line(&Json::new().keys([Part::Spans]).spans(SpanLayout::Flat), &record().with_span("s", fields)));
    assert_eq!(object.as_object().unwrap().len(), 300);
    assert_eq!(object["x_300"], 299);
}

#[test]
fn dangerous_characters_are_escaped_in_every_position() {
    let modes: Vec<_> = all_modes().collect();
    for char in dangerous().chain(['"', '\\', '\u{9f}', 'é', '\u{10ffff}']) {
        let evil = format!("a{char}b");
        let record = RecordBuf::new(Severity::INFO, &evil, &evil)
            .with_location(&evil, &evil, 1)
            .with_thread(&evil, 1)
            .with_field(&evil, evil.as_str())
            .with_field("text", Value::Text(&evil))
            .with_error("error", &[&evil, &evil])
            .with_span(&evil, [(evil.as_str(), Value::Str(&evil))]);
        for json in &modes {
            parsed(&line(json, &record));
        }
        let object = parsed(&line(&modes[0], &record));
        for part in ["target", "message", "text", "file", "module_path", "thread_name"] {
            assert_eq!(object[part], *evil);
        }
        assert_eq!(object["error"], format!("{evil}: {evil}"));
        assert_eq!(object[&evil], *evil);
        assert_eq!(object["spans"][0]["name"], *evil);
        assert_eq!(object["spans"][0][&evil], *evil);
    }
}

fn all_modes() -> impl Iterator<Item = Json> {
    let layouts = [FieldLayout::Flat, FieldLayout::Nested].into_iter();
    let spans = [SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off];
    let duplicates = [Duplicates::Suffix, Duplicates::First, Duplicates::Last];
    layouts.flat_map(move |layout| {
        spans.into_iter().flat_map(move |spans| {
            duplicates.into_iter().map(move |duplicates| everything(layout, spans).duplicates(duplicates))
        })
    })
}

fn everything(layout: FieldLayout, spans: SpanLayout) -> Json {
    let places = [Part::ModulePath, Part::File, Part::ThreadName, Part::Span];
    let usual = [Part::Time, Part::Level, Part::Target, Part::Message, Part::Fields, Part::Spans];
    Json::new().keys(usual.into_iter().chain(places)).fields(layout).spans(spans)
}

#[derive(Clone, Debug)]
enum Any {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
}

impl Any {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::I64(value) => (*value).into(),
            Self::U64(value) => (*value).into(),
            Self::F64(value) => (*value).into(),
            Self::Str(value) => value.into(),
            Self::Bytes(value) => value.as_slice().into(),
        }
    }

    fn reads_back_as(&self, parsed: &Parsed) -> bool {
        match self {
            Self::Bool(value) => parsed == value,
            Self::I64(value) => parsed == value,
            Self::U64(value) => parsed == value,
            Self::F64(value) if value.is_finite() => parsed.as_f64().map(f64::to_bits) == Some(value.to_bits()),
            Self::F64(_) => parsed.is_null(),
            Self::Str(value) => parsed == value,
            Self::Bytes(value) => parsed.as_str().is_some_and(|text| text.len() == value.len() * 2),
        }
    }
}

fn any_value() -> impl Strategy<Value = Any> {
    prop_oneof![
        any::<bool>().prop_map(Any::Bool),
        any::<i64>().prop_map(Any::I64),
        any::<u64>().prop_map(Any::U64),
        any::<f64>().prop_map(Any::F64),
        ".{0,20}".prop_map(Any::Str),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Any::Bytes),
    ]
}

/// Names that collide with each other, with parts and with numbered names.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "(a|b|level|name|spans|span|fields|message|file|timestamp)(_2|_3)?",
        1 => ".{0,6}",
    ]
}

fn any_fields() -> impl Strategy<Value = Vec<(String, Any)>> {
    prop::collection::vec((any_name(), any_value()), 0..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_parses_without_duplicate_keys(
        message in ".{0,30}",
        fields in any_fields(),
        spans in prop::collection::vec((any_name(), any_fields()), 0..4),
    ) {
        let mut record = RecordBuf::new(Severity::WARN, "t", &message);
        for (name, value) in &fields {
            record.push_field(name, value.value());
        }
        for (name, fields) in &spans {
            record = record.with_span(name, fields.iter().map(|(name, value)| (name.as_str(), value.value())));
        }
        for json in all_modes() {
            parsed(&line(&json, &record));
        }
        let object = parsed(&line(&everything(FieldLayout::Nested, SpanLayout::List), &record));
        let written: Vec<_> = object["fields"].as_object().into_iter().flatten().collect();
        prop_assert_eq!(written.len(), fields.len());
        for (name, value) in &fields {
            // Under this name or a numbered one.
            prop_assert!(written.iter().any(|(key, parsed)| key.starts_with(name) && value.reads_back_as(parsed)));
        }
    }
}

/// Any JSON without duplicate keys.
struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            members.next_value_seed(Self)?;
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format!("{key:?} stands twice")));
            }
        }
        Ok(())
    }
}

#[test]
fn a_field_with_its_own_key_is_not_repeated_among_the_others() {
    let record = RecordBuf::new(Severity::INFO, "", "")
        .with_field("a", 1_u64)
        .with_field("b", 2_u64)
        .with_field("a", 3_u64)
        .with_span("request", [("user", "ada".into()), ("b", 4_u64.into())])
        .with_span("query", [("user", "mia".into())]);
    let keys = [Part::field("a"), Part::span_field("user"), Part::any_field("b"), Part::Fields, Part::SpanFields];
    let json = Json::new().keys(keys);
    assert_eq!(line(&json, &record), r#"{"a":1,"user":"mia","b":2,"a_2":3,"user_2":"ada","b_2":4}"#);
    let nested = json.fields(FieldLayout::Nested);
    let expected = r#"{"a":1,"user":"mia","b":2,"fields":{"a":3},"span_fields":{"user":"ada","b":4}}"#;
    assert_eq!(line(&nested, &record), expected);
    let bare =
        RecordBuf::new(Severity::INFO, "", "").with_field("a", 1_u64).with_span("query", [("user", "mia".into())]);
    assert_eq!(line(&nested, &bare), r#"{"a":1,"user":"mia"}"#);
}

#[test]
fn every_part_of_a_record_can_be_a_key() {
    let record = RecordBuf::new(Severity::INFO, "", "")
        .with_error("cause", &["no stock", "refused"])
        .with_span("request", [("id", 7_u64.into())])
        .with_span("query", []);
    let keys = [Part::Error, Part::SpanName, Part::SpanNames, Part::Span, Part::field_of("request", "id")];
    let expected = r#"{"error":"no stock: refused","span_name":"query","span_names":["request","query"],"span":{"name":"query"},"id":7}"#;
    assert_eq!(line(&Json::new().keys(keys), &record), expected);
    let pid = format!("{{\"process_id\":{}}}", std::process::id());
    assert_eq!(line(&Json::new().keys([Part::ProcessId, Part::SpanNames]), &RecordBuf::default()), pid);
}
