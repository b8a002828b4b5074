//! Formats for machines: what they write is read by parsers of others.

#![no_main]

use std::collections::HashSet;

use fuzz::records::AnyRecord;
use fuzz::{lines, logfmt};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;
use tracing_handlers::format::csv::{FieldsAs, Quoting, Separator};
use tracing_handlers::format::json::{Duplicates, FieldLayout, NonFinite, SpanLayout};
use tracing_handlers::format::{self, Csv, Format, Logfmt, Preset, Text};
use tracing_handlers::{Part, Record, RecordBuf};

#[derive(Arbitrary, Debug)]
struct Input {
    options: u16,
    record: AnyRecord,
}

fuzz_target!(|input: Input| {
    let record: RecordBuf = input.record.build();
    let (record, options) = (record.as_record(), usize::from(input.options));
    check_json(&record, options);
    check_presets(&record, options);
    check_csv(&record, options);
    check_logfmt(&record, options);
    for text in [Text::new(), Text::compact()] {
        lines::line(&text, &record).expect("lines for people refuse no record");
    }
    lines::format(&Text::pretty(), &record).expect("lines for people refuse no record");
});

fn check_json(record: &Record<'_>, options: usize) {
    let json = format::Json::new()
        .fields(pick([FieldLayout::Flat, FieldLayout::Nested], options))
        .spans(pick([SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off], options >> 1))
        .duplicates(pick(DUPLICATES, options >> 3))
        .non_finite(pick([NonFinite::Null, NonFinite::Text], options >> 5));
    let Some(object) = object(&json, record) else { panic!("JSON refuses a record") };
    assert_eq!(object.get("target").and_then(Json::as_str), Some(record.target()));
    if !record.message().is_empty() {
        assert_eq!(object.get("message").and_then(Json::as_str), Some(record.message()));
    }
}

fn check_presets(record: &Record<'_>, options: usize) {
    let make: fn() -> Preset = pick(
        [
            Preset::ecs,
            || Preset::gelf("host"),
            Preset::logstash,
            || Preset::datadog("shop"),
            || Preset::bunyan("shop"),
            Preset::otlp,
            || Preset::google_cloud("project"),
            Preset::tracing,
            || Preset::tracing().fields(FieldLayout::Flat).thread_names(true),
        ],
        options >> 7,
    );
    object(&make().nested_objects(options & 1 == 0).duplicates(pick(DUPLICATES, options >> 3)), record);
}

/// Returns the one line of JSON that the format writes, an object without two members of the same name.
fn object(format: &dyn Format, record: &Record<'_>) -> Option<serde_json::Map<String, Json>> {
    let line = lines::line(format, record)?;
    let parsed: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let Json::Object(members) = parsed else { panic!("not an object: {line}") };
    assert_eq!(top_names(&line), members.len(), "two members have the same name: {line}");
    Some(members)
}

/// The number of members of the outer object.
fn top_names(object: &str) -> usize {
    struct Names(usize);
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = usize;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(mut self, mut map: A) -> Result<usize, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {
                self.0 += 1;
            }
            Ok(self.0)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(object), Names(0))
        .expect("it was read")
}

fn check_csv(record: &Record<'_>, options: usize) {
    let (separator, byte) = pick(
        [(Separator::Comma, b','), (Separator::Semicolon, b';'), (Separator::Tab, b'\t'), (Separator::Pipe, b'|')],
        options,
    );
    let csv = Csv::new()
        .columns([
            Part::Level,
            Part::Target,
            Part::Message,
            Part::field("a"),
            Part::Fields,
            Part::SpanFields,
            Part::Spans,
        ])
        .separator(separator)
        .quoting(pick([Quoting::Minimal, Quoting::NonNumeric, Quoting::All], options >> 2))
        .fields_as(pick([FieldsAs::Pairs, FieldsAs::Json], options >> 4))
        .guard_formulas(options >> 6 & 1 == 1);
    let line = lines::format(&csv, record).expect("a table refuses no record");
    assert!(!line.contains(['\n', '\r']), "{line:?}");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(byte).from_reader(line.as_bytes());
    let rows: Vec<_> = reader.records().map(|row| row.expect("it is a table")).collect();
    assert_eq!(rows.len(), 1, "{line:?}");
    assert_eq!(rows[0].len(), 7, "{line:?}");
    if options >> 6 & 1 == 0 {
        assert_eq!(unescaped(&rows[0][2]).as_deref(), Some(record.message()), "{line:?}");
        assert_eq!(unescaped(&rows[0][1]).as_deref(), Some(record.target()), "{line:?}");
    }
}

fn check_logfmt(record: &Record<'_>, options: usize) {
    let format = Logfmt::new().duplicates(pick(DUPLICATES, options >> 3));
    let line = lines::line(&format, record).expect("logfmt refuses no record");
    let pairs = logfmt::pairs(&line).unwrap_or_else(|| panic!("it is not logfmt: {line:?}"));
    let keys: HashSet<_> = pairs.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), pairs.len(), "a key occurs twice: {line:?}");
    let value = |key: &str| pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    assert_eq!(value("target"), Some(record.target()), "{line:?}");
    assert_eq!(value("message").unwrap_or_default(), record.message(), "{line:?}");
}

/// Undoes the escapes of a cell, which are those of JSON without the quote's.
fn unescaped(cell: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{}\"", cell.replace('"', "\\\""))).ok()
}

fn pick<T: Copy, const N: usize>(all: [T; N], at: usize) -> T {
    all[at % N]
}

const DUPLICATES: [Duplicates; 3] = [Duplicates::Suffix, Duplicates::First, Duplicates::Last];
