//! Whatever a user calls parts, constants and hosts, a line is one line, and of JSON one object without a key twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tracing_handlers::format::csv::LineBreaks;
use tracing_handlers::format::{Caps, Csv, Format, Json, Logfmt, Out, Pattern, Preset, Python, json};
use tracing_handlers::{Part, Record, RecordBuf, Severity, Value};

/// JSON in which no object has a key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Unique;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
                while items.next_element::<Unique>()?.is_some() {}
                Ok(Unique)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
                let mut keys = HashSet::new();
                while let Some((key, _)) = members.next_entry::<String, Unique>()? {
                    if !keys.insert(key.clone()) {
                        return Err(A::Error::custom(format!("{key:?} stands twice")));
                    }
                }
                Ok(Unique)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

fn line(format: &dyn Format, record: &Record<'_>) -> String {
    let mut out = Vec::new();
    format.format(record, &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}

/// A preset for something of this name.
type Of = fn(&str) -> Preset;

fn presets() -> Vec<(&'static str, Of)> {
    vec![
        ("ecs", |_| Preset::ecs()),
        ("gelf", |name| Preset::gelf(name)),
        ("google cloud", |name| Preset::google_cloud(name)),
        ("logstash", |_| Preset::logstash()),
        ("bunyan", |name| Preset::bunyan(name)),
        ("otlp", |_| Preset::otlp()),
        ("datadog", |name| Preset::datadog(name)),
        ("tracing", |_| Preset::tracing()),
        ("tracing, flat", |_| Preset::tracing().fields(json::FieldLayout::Flat).thread_names(true)),
    ]
}

const EVIL: [&str; 8] = ["", "a\nb", "\"},{\"x\":\"", "\\", "\u{1b}[31m", "a\u{202e}b", "time", "{\"a\":1}"];

fn check(what: fmt::Arguments<'_>, line: &str) {
    assert!(!line.chars().any(|char| char.is_control() || char == '\u{202e}'), "{what}: {line:?}");
    if let Err(error) = serde_json::from_str::<Unique>(line) {
        panic!("{what}: {error}: {line}");
    }
}

#[test]
fn names_of_a_user_break_no_object() {
    let names = ["level", "message", "a.b", "log.level", "labels", "trace.id", "_id", "id", "timestamp", "severity"];
    for name in EVIL.into_iter().chain(names) {
        let record = RecordBuf::new(Severity::WARN, "shop", name)
            .with_location(name, name, 7)
            .with_thread(name, 7)
            .with_field(name, name)
            .with_field("labels", Value::Json("{\"a\":{\"b\":1}}"))
            .with_field(&format!("{name}.x"), 1_u64)
            .with_error("error", &[name, "cause"])
            .with_span(
                name,
                [(name, name.into()), ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()), ("a", 1.into())],
            )
            .with_span("inner", [(name, true.into()), ("a.b", f64::NAN.into()), ("name", u128::MAX.into())]);
        for (preset, of) in presets() {
            let plain = || of(name).source(true);
            for (index, format) in [
                plain(),
                plain().nested_objects(true),
                plain().constant(name, name),
                plain().constant(name, 1_u64).constant("a", name).nested_objects(true),
                plain().constant(name, Value::Json("{\"b\":1}")).constant("a.b.c", true).constant("a.b", 1),
                plain().field(name, "own").field("a", name),
                plain().field("a", name).field("a.b", name).nested_objects(true),
                plain().unique_id(name),
                plain().unique_id("a").constant("a", 1).field("id", "a").nested_objects(true),
                plain().max_string(3).duplicates(json::Duplicates::Last),
                plain().max_string(0).duplicates(json::Duplicates::First),
                plain().max_bytes(2_000).spans(false),
            ]
            .iter()
            .enumerate()
            {
                check(format_args!("{preset} {index} with {name:?}"), &line(format, &record.as_record()));
            }
        }
        for format in [
            Json::new().rename(Part::Level, name).rename(Part::Fields, name),
            Json::new().rename(Part::Level, "message").rename(Part::Spans, name).fields(json::FieldLayout::Nested),
            Json::new().rename(Part::Target, name).spans(json::SpanLayout::Flat),
        ] {
            check(format_args!("json with {name:?}"), &line(&format, &record.as_record()));
        }
        let logfmt = Logfmt::new().rename(Part::Level, name).rename(Part::Message, name);
        assert!(!line(&logfmt, &record.as_record()).contains(['\n', '\u{1b}', '\u{202e}']));
    }
}

#[cfg(feature = "serde")]
#[test]
fn names_in_a_template_break_no_object() {
    for name in EVIL {
        let template = serde_json::json!({
            name: {"$resolver": "message"},
            "list": [name, {name: {"$resolver": "logger"}}, {"$resolver": "mdc"}, {"$resolver": "fields", "stringified": true}],
            "x": {name: name, "y": {"$resolver": "fields", "flatten": {"prefix": name}}, "z": {"$resolver": "mdc", "flatten": true}},
            "field": {"$resolver": "field", "key": name},
            "spans": {"$resolver": "spans"},
            "fields": {"$resolver": "fields", "flatten": true},
        });
        let record = RecordBuf::new(Severity::WARN, "shop", name)
            .with_field(name, name)
            .with_field("x", Value::Json("[1]"))
            .with_field("list", f64::INFINITY)
            .with_span(name, [(name, name.into()), ("name", 1.into()), ("y", 1.into())]);
        for nulls in [false, true] {
            for most in [0, 3, usize::MAX] {
                let template = tracing_handlers::format::JsonTemplate::new(&template.to_string()).unwrap();
                let template = template.nulls(nulls).max_string(most).marker(name);
                check(format_args!("a template with {name:?}"), &line(&template, &record.as_record()));
                check(format_args!("a template with {name:?}"), &line(&template, &RecordBuf::default().as_record()));
            }
        }
    }
}

#[test]
fn titles_of_a_user_are_one_line() {
    for name in EVIL {
        for line_breaks in [LineBreaks::Escaped, LineBreaks::Kept] {
            let csv = Csv::new().columns([Part::field(name), Part::span_field(name)]).line_breaks(line_breaks);
            let mut out = Vec::new();
            csv.preamble(&mut Out::new(&mut out, Caps::default()));
            let header = String::from_utf8(out).unwrap();
            let inside = header.strip_suffix('\n').unwrap();
            assert!(!inside.contains(['\u{1b}', '\u{202e}']), "{header:?}");
            // A line break that stays stands in quotes.
            let open = inside.split('\n').next().unwrap().matches('"').count() % 2 == 1;
            assert_eq!(inside.contains('\n'), open, "{header:?}");
        }
    }
}

#[test]
fn no_pattern_panics_or_runs_for_ever() {
    let pieces = [
        "{",
        "}",
        "{{",
        "}}",
        "{message",
        ":",
        "<",
        ">",
        "^",
        ".",
        "-",
        "5",
        "99999999999999999999",
        "é",
        "|",
        "?",
        "!",
        "style ",
        "bold",
        "{time",
        "@",
        "%",
        "%H",
        "#",
        "{level",
        "field.",
        "span.",
        " ",
        "\n",
        "(",
        ")",
        "s",
        "r",
        "d",
        "c",
        "$",
        "[",
        "=",
        ",",
        "_",
        "{a}",
        "%(a)",
        "0",
        "n",
        "*",
    ];
    let record = RecordBuf::new(Severity::WARN, "shop", "añb\n").with_field("a", 7_u64).with_field("é", "é");
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let (mut fine, mut written) = (0, 0);
    for _ in 0..10_000 {
        let text: String = (0..1 + next() % 9).map(|_| pieces[next() % pieces.len()]).collect();
        let mut formats: Vec<Box<dyn Format>> = Vec::new();
        formats.extend(Pattern::new(&text).ok().map(|format| Box::new(format) as Box<dyn Format>));
        for style in ['%', '{', '$'] {
            formats.extend(
                Python::new(style, &text).ok().map(|format| Box::new(format.datefmt(&text)) as Box<dyn Format>),
            );
        }
        fine += formats.len();
        for format in formats {
            let mut out = Vec::new();
            written += usize::from(
                format.format(&record.as_record(), &mut Out::new(&mut out, Caps::default().with_color(true))).is_ok(),
            );
            assert!(String::from_utf8(out).is_ok(), "{text:?}");
        }
    }
    assert!(fine > 1_000 && written > 500);
}
