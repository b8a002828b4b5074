use proptest::prelude::*;

use super::Part;
use crate::clock::Timestamp;
use crate::record::{Record, RecordBuf, Severity, Value};

fn record() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop", "hot")
        .with_time(Timestamp::new(-1, 500_000_000))
        .with_thread("worker", 7)
        .with_field("a", 1_u64)
        .with_field("a", 2_u64)
        .with_error("cause", &["outer", "inner"])
        .with_error("other", &["second"])
        .with_span("request", [("id", 7_u64.into()), ("a", 3_u64.into())])
        .with_span("request", [("id", 8_u64.into())])
        .with_span("query", [("table", "x".into())])
}

fn value(part: &str, record: &Record<'_>) -> Option<String> {
    part.parse::<Part>().unwrap().value(record).map(|value| value.to_string())
}

#[test]
fn each_part_reads_as_the_table_says() {
    let buf = record();
    let record = buf.as_record();
    for (part, expected) in [
        ("time", Some("-500000000")),
        ("level", Some("WARN")),
        ("severity", Some("13")),
        ("target", Some("shop")),
        ("name", None),
        ("module_path", None),
        ("file", None),
        ("line", None),
        ("thread_name", Some("worker")),
        ("thread_id", Some("7")),
        ("message", Some("hot")),
        ("error", Some("outer: inner")),
        ("fields", None),
        ("field.a", Some("1")),
        ("field.b", None),
        ("span", None),
        ("span_name", Some("query")),
        ("span_names", None),
        ("spans", None),
        ("span_fields", None),
        ("span.id", Some("8")),
        ("span.a", Some("3")),
        ("span[request].id", Some("8")),
        ("span[request].a", Some("3")),
        ("span[query].id", None),
        ("any.a", Some("1")),
        ("any.table", Some("x")),
        ("any.message", Some("hot")),
    ] {
        assert_eq!(value(part, &record).as_deref(), expected, "{part}");
    }
    assert_eq!(value("process_id", &record), Some(std::process::id().to_string()));
}

#[test]
fn what_a_record_does_not_have_is_none() {
    let empty = RecordBuf::new(Severity::INFO, "", "");
    let record = empty.as_record();
    for part in ["name", "message", "thread_name", "thread_id", "error", "span_name", "any.message", "span.x"] {
        assert_eq!(value(part, &record), None, "{part}");
    }
    assert_eq!(value("target", &record).as_deref(), Some(""));
}

#[test]
fn any_sees_every_value_that_a_part_refers_to() {
    let buf = record();
    let record = buf.as_record();
    for (part, expected) in [
        ("field.a", "1 2"),
        ("error", "outer: inner second"),
        ("fields", "1 2 outer: inner second"),
        ("span_names", "request request query"),
        ("span_fields", "7 3 8 x"),
        ("span.id", "7 8"),
        ("span[request].id", "7 8"),
        ("span[query].id", ""),
        ("any.a", "1 2 3"),
        ("any.message", "hot"),
        ("level", "WARN"),
        ("span", ""),
        ("spans", ""),
        ("name", ""),
    ] {
        let mut seen = Vec::new();
        let any = part.parse::<Part>().unwrap().any_value(&record, |value| {
            seen.push(value.to_string());
            false
        });
        assert_eq!((seen.join(" ").as_str(), any), (expected, false), "{part}");
        assert_eq!(part.parse::<Part>().unwrap().any_value(&record, |_| true), !seen.is_empty(), "{part}");
    }
}

#[test]
fn hidden_spans_have_no_parts() {
    let buf = RecordBuf::new(Severity::INFO, "", "").with_span("request", [("id", 7_u64.into())]);
    let hidden = buf.as_record().with_span_level(tracing_subscriber::filter::LevelFilter::OFF);
    assert_eq!(Part::span_field("id").value(&hidden), None);
    assert_eq!(Part::SpanName.value(&hidden), None);
    assert_eq!(Part::SpanName.value(&buf.as_record()), Some(Value::Str("request")));
}

#[test]
fn an_unknown_word_is_refused_with_the_closest_part_and_the_field() {
    for (text, message) in [
        ("levle", "unknown part `levle`: did you mean `level`, or `field.levle` for the field?"),
        ("timestamp", "unknown part `timestamp`: did you mean `time`, or `field.timestamp` for the field?"),
        ("module", "unknown part `module`: did you mean `module_path`, or `field.module` for the field?"),
        ("user", "unknown part `user`: did you mean `field.user`?"),
        ("feild.user", "unknown part `feild.user`: did you mean `field.user`, or `field.feild.user` for the field?"),
        ("", "unknown part ``: did you mean `field.`?"),
        (
            "span[a",
            "part `span[a`: expected `span[SPAN].NAME`, with `\\]` and `\\\\` for `]` and `\\` in the span's name",
        ),
    ] {
        let error = text.parse::<Part>().map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(error, message);
    }
}

fn part() -> impl Strategy<Value = Part> {
    let name = || prop_oneof![any::<String>(), "[a-z.\\[\\]\\\\ ]{0,8}"];
    prop_oneof![
        (0..19_usize).prop_map(|index| PLAIN_TEXTS[index].parse().unwrap()),
        name().prop_map(Part::Field),
        name().prop_map(Part::SpanField),
        name().prop_map(Part::AnyField),
        (name(), name()).prop_map(|(span, field)| Part::FieldOf { span, field }),
    ]
}

const PLAIN_TEXTS: [&str; 19] = [
    "time",
    "level",
    "severity",
    "target",
    "name",
    "module_path",
    "file",
    "line",
    "thread_name",
    "thread_id",
    "process_id",
    "message",
    "error",
    "fields",
    "span",
    "span_name",
    "span_names",
    "spans",
    "span_fields",
];

proptest! {
    #[test]
    fn a_part_reads_back_as_it_was_written(part in part()) {
        prop_assert_eq!(part.to_string().parse::<Part>().unwrap(), part);
    }

    #[test]
    fn a_text_that_is_read_is_written_the_same(text in "(field|span|any|span\\[[a-z\\\\\\]]*\\])?\\.?.*") {
        if let Ok(part) = text.parse::<Part>() {
            let (written, text) = (part.to_string(), text.trim_start());
            // Of a word that is not followed by a name, neither the whitespace around it nor its case matter.
            prop_assert!(written == text || written.eq_ignore_ascii_case(text.trim_end()), "{:?} is {:?}", text, written);
        }
    }
}
