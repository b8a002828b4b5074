//! `Preset::tracing()` beside `fmt().json()`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tracing::Level;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::json::FieldLayout;
use tracing_handlers::format::{Caps, Format, Out, Preset, SpanTimes, Time};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, RecordBuf, Severity, Value};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;

use super::{Parent, Said, run};

/// JSON with the order of its members, and with those that have the same key.
#[derive(Clone, Debug, PartialEq)]
enum Doc {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(u64),
    Text(String),
    List(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

impl Doc {
    fn parse(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn members(&mut self) -> &mut Vec<(String, Doc)> {
        match self {
            Self::Object(members) => members,
            other => panic!("not an object: {other:?}"),
        }
    }

    fn get(&mut self, key: &str) -> Option<&mut Doc> {
        self.members().iter_mut().find(|(name, _)| name == key).map(|(_, doc)| doc)
    }

    fn remove(&mut self, key: &str) -> Option<Doc> {
        let index = self.members().iter().position(|(name, _)| name == key)?;
        Some(self.members().remove(index).1)
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        }
    }
}

/// What a run has written, each line with what was said, or `None` for a span's event.
type Lines = Vec<(Doc, Option<Said>)>;

/// Pairs lines with what was said. Messages of spans' events are none that the program says.
fn paired(lines: &[String], said: Vec<Said>, flat: bool) -> Lines {
    let mut said = said.into_iter();
    let paired: Lines = lines
        .iter()
        .map(|line| {
            let mut doc = Doc::parse(line);
            let fields = if flat { &mut doc } else { doc.get("fields").unwrap() };
            let words = ["new", "enter", "exit", "close"];
            let of_span = fields.get("message").is_some_and(|message| words.iter().any(|word| message.text() == *word));
            (doc, if of_span { None } else { Some(said.next().expect("as many as were said")) })
        })
        .collect();
    assert!(said.next().is_none());
    paired
}

fn under_fmt(seed: u64, steps: usize, flat: bool) -> Lines {
    let memory = Memory::new();
    let to = memory.clone();
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(flat)
        .with_file(true)
        .with_line_number(true)
        .with_thread_names(true)
        .with_thread_ids(true)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || to.clone());
    let said = run(seed, steps, tracing_subscriber::registry().with(layer));
    paired(&memory.lines(), said, flat)
}

fn under_ours(seed: u64, steps: usize, flat: bool) -> Lines {
    let layout = if flat { FieldLayout::Flat } else { FieldLayout::Nested };
    let preset = Preset::tracing().fields(layout).source(true).thread_names(true).thread_ids(true);
    let memory = Memory::new();
    let output = Output::new(preset, memory.clone()).level(Level::TRACE).span_events(SpanEvents::ALL);
    let said = run(seed, steps, tracing_subscriber::registry().with(tracing_handlers::layer(output)));
    paired(&memory.lines(), said, flat)
}

/// Checks what cannot be equal, and makes it so.
fn without_times(doc: &mut Doc, flat: bool) {
    let time = doc.get("timestamp").unwrap();
    let text = time.text();
    assert!(text.len() == "2026-11-21T01:19:03.123456Z".len() && text.parse::<jiff::Timestamp>().is_ok(), "{text}");
    *time = Doc::Null;
    let fields = if flat { doc } else { doc.get("fields").unwrap() };
    for key in ["time.busy", "time.idle"] {
        if let Some(time) = fields.get(key) {
            let number = time.text().trim_end_matches(char::is_alphabetic);
            let unit = &time.text()[number.len()..];
            assert!(number.parse::<f64>().is_ok() && ["ns", "µs", "ms", "s"].contains(&unit), "{time:?}");
            *time = Doc::Null;
        }
    }
}

/// The listed differences, as what they make of a line of fmt's.
fn as_ours(mut doc: Doc, said: Option<&Said>, flat: bool) -> Doc {
    if flat {
        message_first(&mut doc, 2);
        let members = doc.members();
        let end = members.iter().rposition(|(name, _)| name == "target").unwrap();
        rename(&mut members[2..end], &["timestamp", "level", "target", "span", "spans"]);
    } else {
        let fields = doc.get("fields").unwrap();
        message_first(fields, 0);
        rename(fields.members(), &[]);
    }
    if let Some(spans) = doc.get("spans") {
        let Doc::List(spans) = spans else { panic!("{spans:?}") };
        spans.iter_mut().for_each(rename_name);
    }
    if let Some(span) = doc.get("span") {
        rename_name(span);
    }
    if said.is_some_and(|said| said.parent == Parent::None) {
        doc.remove("span");
        doc.remove("spans");
    }
    doc
}

/// The message stands first among the fields, and of two the one of the format string is the message.
fn message_first(fields: &mut Doc, at: usize) {
    let members = fields.members();
    if let Some(index) = members.iter().position(|(name, _)| name == "message") {
        let message = members.remove(index);
        members.insert(at, message);
    }
}

/// Keys of an event's fields that are there twice or are those of parts, and raw names.
fn rename(fields: &mut [(String, Doc)], parts: &[&str]) {
    let mut seen = Vec::new();
    for (name, _) in fields {
        if let Some(plain) = name.strip_prefix("r#") {
            *name = plain.to_owned();
        }
        match parts.contains(&name.as_str()) || seen.contains(name) {
            true => *name += "_2",
            false => seen.push(name.clone()),
        }
    }
}

fn rename_name(span: &mut Doc) {
    let members = span.members();
    let last = members.len() - 1;
    for (name, _) in &mut members[..last] {
        if name == "name" {
            *name = "name_2".to_owned();
        }
    }
}

fn compare(seed: u64, steps: usize, flat: bool) -> usize {
    let (fmt, ours) = (under_fmt(seed, steps, flat), under_ours(seed, steps, flat));
    assert_eq!(fmt.len(), ours.len());
    for ((fmt, said), (mut ours, _)) in fmt.into_iter().zip(ours.iter().cloned()) {
        let mut expected = as_ours(fmt, said.as_ref(), flat);
        without_times(&mut expected, flat);
        without_times(&mut ours, flat);
        let enclosing = ours.get("spans").cloned();
        let names = match &enclosing {
            Some(Doc::List(spans)) => {
                spans.iter().map(|span| span.clone().get("name").unwrap().text().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        if let Some(said) = &said {
            assert_eq!(names, said.spans, "{ours:?}");
        }
        if said.as_ref().is_none_or(|said| said.parent == Parent::Explicit) {
            // fmt lists the spans that the thread is in.
            let Some(Doc::List(spans)) = &enclosing else { panic!("{ours:?}") };
            assert_eq!(spans.last(), ours.clone().get("span").as_deref());
            *expected.get("spans").unwrap() = enclosing.clone().unwrap();
        }
        assert_eq!(ours, expected, "{said:?}");
    }
    ours.len()
}

#[test]
fn generated_programs_are_written_as_fmt_writes_them() {
    let lines: usize = (1..=4).map(|seed| compare(seed * 7_919, 800, false)).sum();
    assert!(lines > 2_000, "{lines}");
}

#[test]
fn generated_programs_are_flattened_as_fmt_flattens_them() {
    let lines: usize = (1..=4).map(|seed| compare(seed * 104_729, 800, true)).sum();
    assert!(lines > 2_000, "{lines}");
}

fn line(preset: Preset, record: &RecordBuf) -> String {
    let mut out = Vec::new();
    preset.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}

fn sold() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop", "sold")
        .with_time(Timestamp::new(1_795_223_943, 123_456_000))
        .with_location("shop", "src/shop.rs", 41)
        .with_thread("main", 7)
        .with_field("pieces", 3_u64)
        .with_span("request", [("method", "GET".into())])
        .with_span("query", [("table", "x".into()), ("rows", 1_u64.into())])
}

#[test]
fn each_setting_changes_what_it_says() {
    let all = |preset| line(preset, &sold());
    let time = r#""timestamp":"2026-11-21T01:19:03.123456Z","#;
    let span = r#""span":{"rows":1,"table":"x","name":"query"}"#;
    let spans = r#""spans":[{"method":"GET","name":"request"},{"rows":1,"table":"x","name":"query"}]"#;
    let fields = r#""fields":{"message":"sold","pieces":3}"#;
    let tracing = Preset::tracing;
    assert_eq!(all(tracing()), format!(r#"{{{time}"level":"WARN",{fields},"target":"shop",{span},{spans}}}"#));
    assert_eq!(
        all(tracing().fields(FieldLayout::Flat)),
        format!(r#"{{{time}"level":"WARN","message":"sold","pieces":3,"target":"shop",{span},{spans}}}"#)
    );
    assert_eq!(
        all(tracing().time(Time::none())),
        format!(r#"{{"level":"WARN",{fields},"target":"shop",{span},{spans}}}"#)
    );
    let short = || tracing().time(Time::none()).spans(false);
    assert_eq!(all(short()), format!(r#"{{"level":"WARN",{fields},"target":"shop"}}"#));
    assert_eq!(
        all(tracing().time(Time::none()).current_span(false)),
        format!(r#"{{"level":"WARN",{fields},"target":"shop",{spans}}}"#)
    );
    assert_eq!(
        all(tracing().time(Time::none()).span_list(false)),
        format!(r#"{{"level":"WARN",{fields},"target":"shop",{span}}}"#)
    );
    assert_eq!(all(short().level(false).target(false)), format!("{{{fields}}}"));
    let bare = || short().level(false).target(false);
    assert_eq!(all(bare().file(true)), format!(r#"{{{fields},"filename":"src/shop.rs"}}"#));
    assert_eq!(all(bare().line_number(true)), format!(r#"{{{fields},"line_number":41}}"#));
    assert_eq!(all(bare().source(true)), format!(r#"{{{fields},"filename":"src/shop.rs","line_number":41}}"#));
    assert_eq!(all(bare().thread_names(true)), format!(r#"{{{fields},"threadName":"main"}}"#));
    assert_eq!(all(bare().thread_ids(true)), format!(r#"{{{fields},"threadId":"ThreadId(7)"}}"#));
    let nameless = RecordBuf::new(Severity::INFO, "", "hot").with_thread("", 7);
    let constant = bare().thread_names(true).constant("service", "shop").field("pieces", "count");
    assert_eq!(
        all(constant.clone()),
        r#"{"fields":{"message":"sold"},"threadName":"main","service":"shop","count":3}"#
    );
    assert!(line(constant, &nameless).contains(r#""threadName":"#));
    // Settings of other presets' do nothing there.
    assert_eq!(line(Preset::logstash().level(false).target(false), &sold()), line(Preset::logstash(), &sold()));
}

#[test]
fn times_of_closed_spans_have_units_or_are_numbers() {
    let closed = |preset: Preset| {
        let memory = Memory::new();
        let output = Output::new(preset.time(Time::none()).spans(false), memory.clone()).span_events(SpanEvents::CLOSE);
        let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!(target: "shop", "request").in_scope(|| ())
        });
        Doc::parse(&memory.lines()[0]).remove("fields").unwrap()
    };
    let mut units = closed(Preset::tracing());
    assert!(
        units.get("time.busy").unwrap().text().ends_with('s') && units.get("time.idle").unwrap().text().ends_with('s')
    );
    let mut seconds = closed(Preset::tracing().span_times(SpanTimes::Seconds));
    assert!(matches!(seconds.get("time.busy"), Some(Doc::Float(_))), "{seconds:?}");
    let mut nanos = closed(Preset::tracing().span_times(SpanTimes::Nanoseconds));
    assert!(matches!(nanos.get("busy_ns"), Some(Doc::Unsigned(1..))), "{nanos:?}");
    let off = closed(Preset::tracing().span_times(SpanTimes::Off));
    assert_eq!(off, Doc::Object(vec![("message".to_owned(), Doc::Text("close".to_owned()))]));
}

#[test]
fn row_45_no_field_hides_a_part_and_no_key_is_there_twice() {
    let memory = Memory::new();
    let preset = Preset::tracing().fields(FieldLayout::Flat).time(Time::rfc3339().precision(0));
    let nested = Output::new(Preset::tracing().time(Time::none()), memory.clone());
    let handlers = (Output::new(preset, memory.clone()), nested);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handlers)), || {
        let _span = tracing::info_span!("request", name = "ada").entered();
        tracing::info!(target: "shop", message = "field", timestamp = 1, level = 2, target = 3, span = 4, "format");
    });
    let lines = memory.lines();
    let spans = r#""span":{"name_2":"ada","name":"request"},"spans":[{"name_2":"ada","name":"request"}]}"#;
    let flat = r#""level":"INFO","message":"format","message_2":"field","timestamp_2":1,"level_2":2,"target_2":3,"span_2":4,"target":"shop","#;
    assert_eq!(lines[0].split_once(',').unwrap().1, format!("{flat}{spans}"));
    let fields = r#"{"message":"format","message_2":"field","timestamp":1,"level":2,"target":3,"span":4}"#;
    assert_eq!(lines[1], format!(r#"{{"level":"INFO","fields":{fields},"target":"shop",{spans}"#));
}

#[test]
fn values_of_every_type_are_those_of_fmt_in_events_and_in_spans() {
    let values = || {
        [
            ("bytes", Value::Bytes(b"\x00\xff")),
            ("nan", f64::NAN.into()),
            ("wide", 5_i128.into()),
            ("nested", Value::Json(r#"{"a":[1]}"#)),
        ]
    };
    let record = values()
        .into_iter()
        .fold(RecordBuf::new(Severity::INFO, "", "x"), |record, (name, value)| record.with_field(name, value));
    let record = record.with_error("error", &["outer", "root"]).with_span("s", values());
    let short = Preset::tracing().time(Time::none()).level(false).target(false).span_list(false);
    let nested = r#""nan":null,"wide":"5","nested":{"a":[1]},"error":"outer"}"#;
    assert_eq!(
        line(short, &record),
        format!(
            r#"{{"fields":{{"message":"x","bytes":"[00 ff]",{nested},"span":{{"bytes":[0,255],"nan":null,"nested":{{"a":[1]}},"wide":"5","name":"s"}}}}"#
        )
    );
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Doc;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Doc, E> {
                Ok(Doc::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Doc, E> {
                Ok(Doc::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Doc, E> {
                Ok(Doc::Signed(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Doc, E> {
                Ok(Doc::Unsigned(value))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Doc, E> {
                Ok(Doc::Float(value.to_bits()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Doc, E> {
                Ok(Doc::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut reader: A) -> Result<Doc, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = reader.next_element()? {
                    items.push(item);
                }
                Ok(Doc::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut reader: A) -> Result<Doc, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = reader.next_entry()? {
                    members.push(member);
                }
                Ok(Doc::Object(members))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
