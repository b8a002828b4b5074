//! The JSON of well-known receivers, rule by rule; the names of the tests begin with the rules' numbers.

use std::fmt;

use proptest::prelude::*;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value as Parsed, json};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::json::{Duplicates, FieldLayout, SpanLayout};
use tracing_handlers::format::{Caps, Format, Json, Out, Preset};
use tracing_handlers::sink::Memory;
use tracing_handlers::{ErrorKind, Output, Part, RecordBuf, Severity, Value};
use tracing_subscriber::prelude::*;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID: &str = "00f067aa0ba902b7";

fn line(format: &dyn Format, record: &RecordBuf) -> String {
    let mut out = Vec::new();
    format.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}

/// Parses, and refuses what has a key twice or a line end.
fn parsed(format: &dyn Format, record: &RecordBuf) -> Parsed {
    let line = line(format, record);
    check(&line, false);
    serde_json::from_str(&line).unwrap()
}

fn check(line: &str, paths: bool) {
    assert!(!line.contains(['\n', '\r', '\0']), "{line:?}");
    let mut reader = serde_json::Deserializer::from_str(line);
    Unique { paths }.deserialize(&mut reader).unwrap_or_else(|error| panic!("{error}: {line}"));
    reader.end().unwrap();
}

fn sold() -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", "sold").with_time(Timestamp::new(1_795_223_943, 123_456_789))
}

fn traced(record: RecordBuf) -> RecordBuf {
    record.with_span(
        "request",
        [("trace_id", TRACE_ID.into()), ("span_id", SPAN_ID.into()), ("trace_flags", 1_u64.into())],
    )
}

/// Values of every type.
fn of_every_type() -> RecordBuf {
    sold()
        .with_field("yes", true)
        .with_field("minus", -7_i64)
        .with_field("most", u64::MAX)
        .with_field("wide", u128::MAX)
        .with_field("float", 1.5)
        .with_field("nan", f64::NAN)
        .with_field("text", "x")
        .with_field("bytes", &b"\x00\xff"[..])
        .with_field("nested", Value::Json(r#"{"a":{"b":1,"c":[1,{"d":2}]},"e":null,"f":true}"#))
        .with_field("list", Value::Json("[1,2]"))
        .with_error("cause", &["outer", "root"])
}

fn all_presets() -> Vec<(&'static str, Preset)> {
    vec![
        ("ecs", Preset::ecs()),
        ("gelf", Preset::gelf("web-1")),
        ("google_cloud", Preset::google_cloud("p")),
        ("logstash", Preset::logstash()),
        ("bunyan", Preset::bunyan("shop")),
        ("otlp", Preset::otlp()),
        ("datadog", Preset::datadog("shop")),
        ("tracing", Preset::tracing()),
    ]
}

#[test]
fn fields_cannot_take_the_names_that_a_receiver_interprets() {
    let reserved: [(_, &[&str]); 5] = [
        (
            Preset::datadog("shop"),
            &[
                "host",
                "hostname",
                "ddtags",
                "ddsource",
                "@timestamp",
                "date",
                "level",
                "severity",
                "status",
                "service",
                "msg",
            ],
        ),
        (Preset::google_cloud("p"), &["timestamp", "severity", "time", "logging.googleapis.com/insertId", "@type"]),
        (Preset::logstash(), &["@metadata", "tags", "@timestamp", "@version", "level_value"]),
        (Preset::bunyan("shop"), &["src", "err", "v", "pid", "time"]),
        (Preset::gelf("web-1"), &["message", "source", "timestamp", "level", "host", "short_message", "full_message"]),
    ];
    for (preset, names) in reserved {
        let prefix = if line(&preset, &sold()).contains("short_message") { "_" } else { "" };
        let plain = parsed(&preset, &sold());
        for name in names {
            let key = format!("{prefix}{name}");
            for record in [sold().with_field(name, "forged"), sold().with_span("s", [(*name, "forged".into())])] {
                let object = parsed(&preset, &record);
                assert_eq!(object.get(&key), plain.get(&key), "{object}");
                assert_eq!(object[format!("{key}_2")], "forged", "{object}");
            }
            for duplicates in [Duplicates::First, Duplicates::Last] {
                let object = parsed(&preset.clone().duplicates(duplicates), &sold().with_field(name, "forged"));
                assert_eq!(object.get(&key), plain.get(&key), "{object}");
            }
        }
    }
}

#[test]
fn a_path_into_a_reserved_name_is_none() {
    let record =
        sold().with_field("syslog.hostname", "forged").with_field("level.name", "forged").with_field("host.ip", 1_u64);
    let object = parsed(&Preset::datadog("shop"), &record);
    let keys = object.as_object().unwrap().keys().map(String::as_str);
    let keys: Vec<_> = keys.filter(|key| key.contains(['.', '2'])).collect();
    assert_eq!((&object["level_name"], &object["host_ip"]), (&json!("forged"), &json!(1)), "{object}");
    assert_eq!((object.get("syslog.hostname"), keys), (None, vec!["logger.name", "syslog.hostname_2"]), "{object}");
}

#[test]
fn settings_can_give_reserved_names() {
    let datadog =
        Preset::datadog("shop").constant("host", "web-1").constant("ddtags", "env:test").field("id", "syslog.severity");
    let object = parsed(&datadog.unique_id("source"), &sold().with_field("host", "forged").with_field("id", 7_u64));
    assert_eq!((&object["host"], &object["host_2"]), (&json!("web-1"), &json!("forged")));
    assert_eq!((&object["ddtags"], &object["syslog.severity"]), (&json!("env:test"), &json!(7)));
    assert!(object["source"].is_string());
    let gelf = Preset::gelf("web-1").constant("source", "a").constant("facility", "b");
    assert_eq!(parsed(&gelf, &sold())["_source"], "a");
}

#[test]
fn ecs_1_the_first_members_are_timestamp_level_and_message() {
    let start = r#"{"@timestamp":"2026-11-21T01:19:03.123456Z","log.level":"INFO","message":"sold","#;
    assert!(line(&Preset::ecs().constant("service.name", "shop").source(true), &sold()).starts_with(start));
}

#[test]
fn ecs_2_what_is_required_is_there_even_in_an_empty_record() {
    let object = parsed(&Preset::ecs(), &RecordBuf::new(Severity::INFO, "", ""));
    for key in ["@timestamp", "log.level", "message", "ecs.version"] {
        assert!(object[key].is_string(), "{key}: {object}");
    }
    let time = object["@timestamp"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'), "{time}");
}

#[test]
fn ecs_3_level_and_version_are_dotted_keys() {
    let object = parsed(&Preset::ecs(), &sold());
    assert_eq!((&object["log.level"], &object["ecs.version"]), (&json!("INFO"), &json!("8.11.0")));
    assert_eq!((object.get("log"), object.get("ecs")), (None, None));
    let nested = parsed(&Preset::ecs().nested_objects(true), &sold());
    assert_eq!((&nested["log.level"], &nested["log"]), (&json!("INFO"), &json!({"logger": "shop"})));
    assert_eq!((&nested["ecs.version"], nested.get("ecs")), (&json!("8.11.0"), None));
    let record = sold().with_location("shop::till", "src/till.rs", 41);
    let source = parsed(&Preset::ecs().nested_objects(true).source(true), &record);
    assert_eq!(source["log"]["origin"]["file"], json!({"name": "src/till.rs", "line": 41}));
}

#[test]
fn ecs_3_what_replaces_level_and_version_stays_at_the_top_too() {
    let ecs = Preset::ecs().nested_objects(true).constant("ecs.version", "1.6.0").field("status", "log.level");
    let object = parsed(&ecs, &sold().with_field("status", "ok"));
    assert_eq!((&object["log.level"], &object["ecs.version"]), (&json!("ok"), &json!("1.6.0")));
    assert_eq!((&object["log"], object.get("ecs")), (&json!({"logger": "shop"}), None));
    assert_eq!(parsed(&ecs, &sold())["log.level"], json!("INFO"));
    // Another member of the same object is beside it, and an own value does not stand where an object is.
    let ecs = Preset::ecs().nested_objects(true).constant("ecs.flavor", "plain").constant("log", "x");
    let object = parsed(&ecs, &sold());
    assert_eq!((&object["ecs.version"], &object["ecs"]), (&json!("8.11.0"), &json!({"flavor": "plain"})));
    assert_eq!((&object["log"], &object["log_2"]), (&json!({"logger": "shop"}), &json!("x")));
    let object = parsed(&Preset::ecs().nested_objects(true).constant("log.level.of", "x"), &sold());
    assert_eq!((&object["log.level"], &object["log_level_of"]), (&json!("INFO"), &json!("x")));
    let object = parsed(&Preset::ecs().nested_objects(true).constant("ecs", "x"), &sold());
    assert_eq!((&object["ecs.version"], &object["ecs_2"]), (&json!("8.11.0"), &json!("x")));
}

#[test]
fn ecs_4_logger_thread_service_and_trace_have_their_names() {
    let service = [
        ("service.name", "shop"),
        ("service.version", "1.2"),
        ("service.environment", "test"),
        ("service.node.name", "n1"),
        ("event.dataset", "shop.log"),
    ];
    let ecs = service.iter().fold(Preset::ecs(), |ecs, (name, value)| ecs.constant(name, *value));
    let object = parsed(&ecs, &traced(sold().with_thread("main", 1)).with_field("transaction_id", "t1"));
    let others = [
        ("log.logger", "shop"),
        ("process.thread.name", "main"),
        ("trace.id", TRACE_ID),
        ("span.id", SPAN_ID),
        ("transaction.id", "t1"),
    ];
    for (name, value) in service.into_iter().chain(others) {
        assert_eq!(object[name], value, "{name}");
    }
    assert_eq!(object["labels"], json!({"trace_flags": 1}));
}

#[test]
fn ecs_5_the_place_in_the_source_is_opt_in() {
    let record = sold().with_location("shop::till", "src/till.rs", 41);
    let without = parsed(&Preset::ecs(), &record);
    assert!(without.as_object().unwrap().keys().all(|key| !key.starts_with("log.origin")));
    let with = parsed(&Preset::ecs().source(true), &record);
    assert_eq!(with["log.origin.file.name"], "src/till.rs");
    assert_eq!(with["log.origin.file.line"], 41);
    assert_eq!(with["log.origin.function"], "shop::till");
}

#[test]
fn ecs_6_an_error_has_a_type_a_message_and_a_stack_trace_as_plain_texts() {
    let record = sold()
        .with_error("cause", &["no answer", "timed out"])
        .with_error("second", &["other"])
        .with_field("error.type", "Timeout")
        .with_field("backtrace", Value::Text("0: main\n1: start"));
    let object = parsed(&Preset::ecs(), &record);
    assert_eq!(object["error.message"], "no answer: timed out");
    assert_eq!(object["error.type"], "Timeout");
    assert_eq!(object["error.stack_trace"], "0: main\n1: start");
    assert_eq!(object["labels"], json!({"second": "other"}));
}

#[test]
fn ecs_7_labels_are_flat_and_scalar_without_dots_stars_and_backslashes_in_their_names() {
    let record = of_every_type().with_field("a.b*c\\d", 1_u64).with_field("a_b_c_d", 2_u64);
    let object = parsed(&Preset::ecs(), &record);
    let labels = object["labels"].as_object().unwrap();
    assert!(labels.values().all(|label| label.is_string() || label.is_number() || label.is_boolean()), "{labels:?}");
    assert!(labels.keys().all(|key| !key.contains(['.', '*', '\\'])), "{labels:?}");
    assert_eq!((&labels["a_b_c_d"], &labels["a_b_c_d_2"]), (&json!(1), &json!(2)));
    assert_eq!((&labels["nested_a_b"], &labels["nested_a_c"]), (&json!(1), &json!(r#"[1,{"d":2}]"#)));
    assert_eq!((&labels["yes"], &labels["nan"], &labels["list"]), (&json!(true), &json!("NaN"), &json!("[1,2]")));
}

#[test]
fn ecs_8_no_name_is_both_a_value_and_an_object() {
    let record = sold().with_field("log", 1_u64).with_field("log.level.x", 2_u64).with_field("labels.a", 3_u64);
    let ecs = Preset::ecs().constant("log", "c").field("log.level.x", "log.level.x").field("labels.a", "labels.a");
    let line = line(&ecs, &record);
    check(&line, true);
    let object: Parsed = serde_json::from_str(&line).unwrap();
    assert_eq!((&object["log_2"], &object["log_level_x"]), (&json!("c"), &json!(2)));
    assert_eq!(object["labels"]["log"], 1);
}

#[test]
fn ecs_9_a_record_is_one_line_of_json() {
    let record = RecordBuf::new(Severity::INFO, "a\nb", "c\r\nd").with_field("e\nf", "g\nh\u{2028}");
    for (name, preset) in all_presets() {
        let line = line(&preset, &record);
        check(&line, false);
        assert!(!line.contains('\u{2028}'), "{name}: {line}");
    }
}

#[test]
fn gelf_1_version_host_and_short_message_are_there() {
    let gelf = Preset::gelf("web-1");
    let object = parsed(&gelf, &sold());
    assert_eq!((&object["version"], &object["host"]), (&json!("1.1"), &json!("web-1")));
    assert_eq!(object["short_message"], "sold");
    assert_eq!(parsed(&gelf, &RecordBuf::new(Severity::INFO, "", "  "))["short_message"], "-");
    let memory = Memory::new();
    let layer = tracing_handlers::layer(Output::new(gelf, memory.clone()));
    tracing::subscriber::with_default(
        tracing_subscriber::registry().with(layer),
        || tracing::info!(name: "sale", pieces = 3),
    );
    assert!(memory.text().contains(r#""short_message":"sale""#), "{}", memory.text());
}

#[test]
fn gelf_2_the_timestamp_is_a_number_of_seconds_with_decimals() {
    let gelf = Preset::gelf("h");
    assert!(line(&gelf, &sold()).contains(r#""timestamp":1795223943.123456,"#));
    let early = sold().with_time(Timestamp::new(-1, 999_999_000));
    assert!(line(&gelf, &early).contains(r#""timestamp":-0.000001,"#));
}

#[test]
fn gelf_3_the_level_is_syslog_s_number() {
    let level = |severity| parsed(&Preset::gelf("h"), &RecordBuf::new(severity, "", ""))["level"].clone();
    let severities = [
        Severity::EMERGENCY,
        Severity::ALERT,
        Severity::CRITICAL,
        Severity::ERROR,
        Severity::WARN,
        Severity::NOTICE,
        Severity::INFO,
        Severity::DEBUG,
        Severity::TRACE,
    ];
    assert_eq!(severities.map(level), [0, 1, 2, 3, 4, 5, 6, 7, 7].map(|number| json!(number)));
}

#[test]
fn gelf_4_a_message_of_several_lines_is_the_full_message() {
    let gelf = Preset::gelf("h");
    let object = parsed(&gelf, &RecordBuf::new(Severity::INFO, "", "first\nsecond"));
    assert_eq!((&object["short_message"], &object["full_message"]), (&json!("first"), &json!("first\nsecond")));
    assert_eq!(parsed(&gelf, &sold()).get("full_message"), None);
    let object = parsed(&gelf, &RecordBuf::new(Severity::INFO, "", "\nsecond"));
    assert_eq!((&object["short_message"], object.get("full_message")), (&json!("\nsecond"), None));
}

#[test]
fn gelf_5_every_other_field_starts_with_an_underscore() {
    let standard = ["version", "host", "short_message", "full_message", "timestamp", "level"];
    let record = traced(of_every_type()).with_field("größe in m²", 1_u64).with_field("", 2_u64);
    let gelf = Preset::gelf("h").constant("região", "eu").field("text", "x y").unique_id("uid").source(true);
    let object = parsed(&gelf, &record.with_location("m", "f", 1));
    let additional: Vec<_> = object.as_object().unwrap().keys().filter(|key| !standard.contains(&&***key)).collect();
    assert!(additional.len() > 15, "{additional:?}");
    for key in additional {
        let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-');
        assert!(key.starts_with('_') && key.chars().all(word), "{key}");
    }
    assert_eq!((&object["_gr__e_in_m_"], &object["_x_y"]), (&json!(1), &json!("x")));
}

#[test]
fn gelf_6_a_field_called_id_is_not_sent_as_such() {
    let record = sold().with_field("id", 1_u64).with_field("id_", 2_u64).with_span("s", [("id", 3_u64.into())]);
    for duplicates in [Duplicates::Suffix, Duplicates::First, Duplicates::Last] {
        let gelf = Preset::gelf("h").duplicates(duplicates).constant("id", "c");
        let object = parsed(&gelf, &record);
        assert_eq!((object.get("_id"), &object["_id_"]), (None, &json!("c")));
    }
}

#[test]
fn gelf_7_values_are_texts_and_numbers() {
    let object = parsed(&Preset::gelf("h").constant("on", true), &of_every_type());
    for (key, value) in object.as_object().unwrap() {
        assert!(value.is_string() || value.is_number(), "{key}: {value}");
    }
    for (key, value) in [
        ("_on", json!("true")),
        ("_yes", json!("true")),
        ("_minus", json!(-7)),
        ("_wide", json!("340282366920938463463374607431768211455")),
        ("_nan", json!("NaN")),
        ("_bytes", json!("00ff")),
        ("_nested_a_b", json!(1)),
        ("_nested_a_c", json!(r#"[1,{"d":2}]"#)),
        ("_nested_e", json!("null")),
        ("_nested_f", json!("true")),
        ("_list", json!("[1,2]")),
        ("_cause", json!("outer: root")),
    ] {
        assert_eq!(object[key], value, "{key}");
    }
}

#[test]
fn gelf_8_the_place_in_the_source_is_in_additional_fields() {
    let object = parsed(&Preset::gelf("h").source(true), &sold().with_location("m", "src/till.rs", 41));
    assert_eq!((&object["_file"], &object["_line"]), (&json!("src/till.rs"), &json!(41)));
    for deprecated in ["file", "line", "facility"] {
        assert_eq!(object.get(deprecated), None);
    }
}

#[test]
fn gcp_1_the_severity_is_one_of_google_s() {
    let severity = |severity| parsed(&Preset::google_cloud("p"), &RecordBuf::new(severity, "", ""))["severity"].clone();
    let ours = [
        Severity::TRACE,
        Severity::DEBUG,
        Severity::INFO,
        Severity::NOTICE,
        Severity::WARN,
        Severity::ERROR,
        Severity::CRITICAL,
        Severity::ALERT,
        Severity::EMERGENCY,
        Severity::define("of-gcp-test", 11).unwrap(),
    ];
    let theirs = ["DEBUG", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY", "NOTICE"];
    assert_eq!(ours.map(severity), theirs.map(|name| json!(name)));
}

#[test]
fn gcp_2_the_message_is_the_text_and_a_backtrace_is_the_stack_trace() {
    let object = parsed(&Preset::google_cloud("p"), &sold().with_field("backtrace", "0: main"));
    assert_eq!((&object["message"], &object["stack_trace"]), (&json!("sold"), &json!("0: main")));
    assert_eq!(object.get("backtrace"), None);
}

#[test]
fn gcp_3_the_time_is_rfc_3339_to_the_nanosecond() {
    let record = sold().with_field("time", 1_u64).with_field("timestamp", 2_u64).with_field("timestampSeconds", 3_u64);
    let object = parsed(&Preset::google_cloud("p"), &record);
    assert_eq!(object["time"], "2026-11-21T01:19:03.123456789Z");
    // Either would be taken for the time.
    assert_eq!((object.get("timestamp"), object.get("timestampSeconds")), (None, None));
    assert_eq!(
        (&object["time_2"], &object["timestamp_2"], &object["timestampSeconds_2"]),
        (&json!(1), &json!(2), &json!(3))
    );
}

#[test]
fn gcp_4_an_http_request_is_given_as_an_object_or_made_of_fields() {
    let google = Preset::google_cloud("p");
    let fields = sold()
        .with_field("http.request.method", "GET")
        .with_field("http.response.status_code", 200_u64)
        .with_field("user_agent.original", "curl")
        .with_span("request", [("url.full", "https://x/".into()), ("client.address", "::1".into())]);
    let made = json!({
        "requestMethod": "GET", "requestUrl": "https://x/", "status": 200, "userAgent": "curl", "remoteIp": "::1",
    });
    let object = parsed(&google, &fields);
    assert_eq!(object["httpRequest"], made);
    assert_eq!(object.get("http.request.method"), None);
    let given = fields.with_field("httpRequest", Value::Json(r#"{"status":404}"#));
    let object = parsed(&google, &given);
    assert_eq!(object["httpRequest"], json!({"status": 404}));
    assert_eq!((&object["http.request.method"], &object["url.full"]), (&json!("GET"), &json!("https://x/")));
}

#[test]
fn gcp_5_special_fields_have_google_s_names_and_types() {
    let record = traced(sold().with_location("shop::till", "src/till.rs", 41))
        .with_field("logging.googleapis.com/operation", Value::Json(r#"{"id":"o"}"#));
    let google = Preset::google_cloud("p").source(true).constant("env", "test").constant("shard", 3_u64);
    let object = parsed(&google.unique_id("logging.googleapis.com/insertId"), &record);
    let special = |name: &str| &object[format!("logging.googleapis.com/{name}")];
    assert_eq!(*special("labels"), json!({"env": "test", "shard": "3"}));
    assert_eq!(*special("sourceLocation"), json!({"file": "src/till.rs", "line": "41", "function": "shop::till"}));
    assert_eq!(*special("trace"), format!("projects/p/traces/{TRACE_ID}"));
    assert_eq!((special("spanId"), special("trace_sampled")), (&json!(SPAN_ID), &json!(true)));
    assert_eq!(*special("operation"), json!({"id": "o"}));
    assert!(special("insertId").is_string());
}

#[test]
fn gcp_6_what_is_of_the_wrong_type_stays_among_the_fields_under_another_name() {
    let record = sold()
        .with_field("httpRequest", "GET /")
        .with_field("logging.googleapis.com/operation", 1_u64)
        .with_field("logging.googleapis.com/labels", "l")
        .with_field("logging.googleapis.com/insertId", 2_u64)
        .with_field("trace_id", "not hexadecimal")
        .with_field("span_id", SPAN_ID)
        .with_field("trace_sampled", true)
        .with_field("http.response.status_code", "OK");
    let object = parsed(&Preset::google_cloud("p"), &record);
    for name in ["httpRequest", "logging.googleapis.com/operation", "logging.googleapis.com/labels"] {
        assert_eq!(object.get(name), None);
        assert!(object.get(format!("{name}_2")).is_some(), "{name}");
    }
    for name in ["trace", "spanId", "trace_sampled", "insertId"] {
        assert_eq!(object.get(format!("logging.googleapis.com/{name}")), None);
    }
    assert_eq!((&object["trace_id"], &object["span_id"]), (&json!("not hexadecimal"), &json!(SPAN_ID)));
    assert_eq!((&object["trace_sampled"], &object["http.response.status_code"]), (&json!(true), &json!("OK")));
}

#[test]
fn gcp_7_an_insert_id_is_in_no_other_line() {
    let google = Preset::google_cloud("p").unique_id("logging.googleapis.com/insertId");
    let ids: std::collections::HashSet<_> = (0..100)
        .map(|_| parsed(&google, &sold())["logging.googleapis.com/insertId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.iter().all(|id| id.len() == 40));
}

#[test]
fn gcp_8_a_line_has_256_kib_at_most_and_says_where_it_was_cut() {
    let google = Preset::google_cloud("p");
    let long = "grün".repeat(200_000);
    let record = RecordBuf::new(Severity::INFO, "shop", &long).with_field("a", long.as_str()).with_field("b", 1_u64);
    let cut = line(&google, &record);
    assert!(cut.len() <= 256 << 10 && cut.len() > 64 << 10, "{}", cut.len());
    check(&cut, false);
    let object: Parsed = serde_json::from_str(&cut).unwrap();
    assert!(object["message"].as_str().unwrap().ends_with("…") && object["a"].as_str().unwrap().ends_with("…"));
    assert_eq!(object["b"], 1);
    // Names are not cut, so that the fields have to go.
    let names: Vec<_> = (0..300).map(|number| format!("{number}{}", "x".repeat(1_000))).collect();
    let cut = line(&google, &sold().with_span("s", names.iter().map(|name| (name.as_str(), Value::U64(1)))));
    assert!(cut.len() <= 256 << 10 && cut.contains(r#""message":"sold""#), "{}", cut.len());
}

#[test]
fn a_line_that_cannot_be_short_enough_is_an_error() {
    let mut out = Vec::new();
    let error = Preset::ecs().max_bytes(20).format(&sold().as_record(), &mut Out::new(&mut out, Caps::default()));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Format);
}

#[test]
fn otlp_13_and_17_ids_are_hexadecimal_and_wide_integers_texts() {
    let record = traced(of_every_type()).with_field("deep", Value::Json(r#"{"k":[1,"x"]}"#));
    let object = parsed(&Preset::otlp().source(true), &record.with_location("m", "f.rs", 41));
    let record = &object["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(
        (&record["traceId"], &record["spanId"], &record["flags"]),
        (&json!(TRACE_ID), &json!(SPAN_ID), &json!(1))
    );
    assert_eq!(record["timeUnixNano"], "1795223943123456789");
    let attribute = |key: &str| {
        let attributes = record["attributes"].as_array().unwrap();
        attributes.iter().find(|attribute| attribute["key"] == key).map(|attribute| attribute["value"].clone())
    };
    assert_eq!(attribute("minus"), Some(json!({"intValue": "-7"})));
    assert_eq!(attribute("most"), Some(json!({"stringValue": "18446744073709551615"})));
    assert_eq!(attribute("nan"), Some(json!({"doubleValue": "NaN"})));
    assert_eq!(attribute("bytes"), Some(json!({"bytesValue": "AP8="})));
    assert_eq!(attribute("exception.message"), Some(json!({"stringValue": "outer: root"})));
    assert_eq!(attribute("code.line.number"), Some(json!({"intValue": "41"})));
    assert_eq!(
        attribute("deep"),
        Some(json!({"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {"values": [
            {"intValue": "1"}, {"stringValue": "x"},
        ]}}}]}}))
    );
}

#[test]
fn otlp_6_attribute_keys_are_unique_in_a_record_under_every_policy() {
    let record = sold().with_field("a", 1_u64).with_field("a", 2_u64).with_span("s", [("a", 3_u64.into())]);
    let keys = |duplicates| {
        let line = line(&Preset::otlp().duplicates(duplicates), &record);
        let from = line.find(r#""attributes":"#).unwrap();
        line[from..].to_owned()
    };
    let attribute = |key: &str, value| format!(r#"{{"key":"{key}","value":{{"intValue":"{value}"}}}}"#);
    let all = [attribute("a", 1), attribute("a_2", 2), attribute("a_3", 3)].join(",");
    assert_eq!(keys(Duplicates::Suffix), format!(r#""attributes":[{all}]}}]}}]}}]}}"#));
    assert_eq!(keys(Duplicates::First), format!(r#""attributes":[{}]}}]}}]}}]}}"#, attribute("a", 1)));
    assert_eq!(keys(Duplicates::Last), format!(r#""attributes":[{}]}}]}}]}}]}}"#, attribute("a", 3)));
}

#[test]
fn otlp_8_only_a_name_that_was_given_is_an_event_s_name() {
    let memory = Memory::new();
    let layer = tracing_handlers::layer(Output::new(Preset::otlp(), memory.clone()));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(name: "sale", "sold");
        tracing::info!("sold");
    });
    let lines = memory.lines();
    assert!(lines[0].contains(r#""eventName":"sale""#) && !lines[1].contains("eventName"), "{lines:?}");
}

#[test]
fn a_nested_value_is_json_where_the_receiver_takes_it() {
    let record = sold().with_field("order", Value::Json(r#"{"id":7,"items":[1,2]}"#));
    for preset in [Preset::google_cloud("p"), Preset::logstash(), Preset::bunyan("b"), Preset::datadog("d")] {
        assert_eq!(parsed(&preset, &record)["order"], json!({"id": 7, "items": [1, 2]}));
    }
}

#[test]
fn the_trace_flags_decide_where_nobody_says_whether_the_trace_is_sampled() {
    let sampled = |flags: Value<'static>| {
        let record = sold().with_field("trace_id", TRACE_ID).with_field("trace_flags", flags);
        parsed(&Preset::google_cloud("p"), &record)["logging.googleapis.com/trace_sampled"].clone()
    };
    assert_eq!(sampled(Value::Str("01")), true);
    assert_eq!(sampled(Value::Str("00")), false);
    assert_eq!(sampled(Value::U64(3)), true);
    assert_eq!(sampled(Value::U64(256)), Parsed::Null);
}

#[test]
fn a_field_that_has_no_place_is_never_lost() {
    let both = sold().with_field("error.type", "A").with_field("exception.type", "B").with_field("trace_flags", 1_u64);
    for (name, preset) in all_presets() {
        let line = line(&preset, &both);
        assert!(line.contains("\"A\"") && line.contains("\"B\"") && line.contains("trace_flags"), "{name}: {line}");
    }
}

#[test]
fn a_line_is_as_short_as_the_sink_wants_it_with_what_ends_it() {
    let record = RecordBuf::new(Severity::INFO, "shop", &"x".repeat(5_000));
    let mut caps = Caps::default();
    caps.max_bytes = Some(1_000);
    for (name, preset) in all_presets() {
        let mut out = b"before".to_vec();
        preset.format(&record.as_record(), &mut Out::new(&mut out, caps)).unwrap();
        let line = std::str::from_utf8(&out[6..]).unwrap();
        check(line, false);
        assert!(out.starts_with(b"before") && line.len() <= 992 && line.contains("xxx…"), "{name}: {line}");
    }
}

#[test]
fn settings_change_what_they_say() {
    let record = sold().with_field("a", "long text").with_span("s", [("b", 1_u64.into()), ("order", 7_u64.into())]);
    for (name, preset) in all_presets() {
        let without_spans = line(&preset.clone().spans(false), &record);
        assert!(!without_spans.contains(r#"b""#), "{name}: {without_spans}");
        assert!(line(&preset.clone(), &record).contains(r#"b""#), "{name}");
        let lifted = line(&preset.clone().spans(false).field("order", "order_id"), &record);
        assert!(lifted.contains("order_id\""), "{name}: {lifted}");
        assert!(line(&preset.clone().max_string(4), &record).contains(r#""long…""#), "{name}");
        assert!(line(&preset.max_bytes(4_000), &record).len() <= 4_000, "{name}");
    }
}

#[test]
fn the_check_of_these_tests_finds_what_stands_twice() {
    let refused =
        |json: &str, paths| Unique { paths }.deserialize(&mut serde_json::Deserializer::from_str(json)).is_err();
    assert!(refused(r#"{"a":1,"b":{"c":[{"d":1,"d":2}]}}"#, false));
    assert!(refused(r#"[{"key":"a","value":{}},{"key":"b","value":{}},{"key":"a","value":{}}]"#, false));
    assert!(refused(r#"{"a":1,"a.b":2}"#, true) && refused(r#"{"a.b.c":1,"a.b":2}"#, true));
    assert!(!refused(r#"{"a":1,"a.b":2,"x":["a","a",{"a":1},{"a":1}]}"#, false));
}

/// As Elasticsearch reads it: `a.b` is the member `b` of `a`.
fn no_value_is_where_another_one_or_an_object_is(line: &str) {
    let mut paths = Vec::new();
    collect_paths(&serde_json::from_str(line).unwrap(), "", &mut paths);
    for (index, path) in paths.iter().enumerate() {
        let clashes =
            |other: &String| path == other || other.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let clash = paths.iter().enumerate().find(|(at, other)| *at != index && clashes(other));
        assert!(clash.is_none(), "{path:?} and {clash:?} clash: {line}");
    }
}

fn collect_paths(value: &Parsed, path: &str, paths: &mut Vec<String>) {
    let Parsed::Object(members) = value else { return paths.push(path.to_owned()) };
    for (name, value) in members {
        collect_paths(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, paths);
    }
}

/// Names that collide: with each other, with the parts, with numbered ones, with paths into each other.
fn any_name() -> impl Strategy<Value = String> {
    let part = "(a|b|log|level|logger|message|msg|time|timestamp|@timestamp|labels|dd|error|err|host|name|service|id|status|\
                severity|attributes|body|version|trace_id|span|spans|v|trace)";
    let pattern = |pattern: String| proptest::string::string_regex(&pattern).unwrap();
    prop_oneof![
        6 => pattern(format!("_?{part}(_2|_3)?")),
        4 => pattern(format!("{part}(\\.{part}){{1,2}}(_2)?")),
        1 => ".{0,6}",
    ]
}

#[derive(Clone, Debug)]
enum Any {
    Text(String),
    Number(u64),
    Nested(&'static str),
    Error,
}

fn any_value() -> impl Strategy<Value = Any> {
    prop_oneof![
        ".{0,6}".prop_map(Any::Text),
        any::<u64>().prop_map(Any::Number),
        Just(Any::Text(TRACE_ID.to_owned())),
        prop::sample::select(vec!["{\"a\":1,\"b\":{\"a\":[1]}}", "[{\"a\":1}]", "{}", "null", "1.5"])
            .prop_map(Any::Nested),
        Just(Any::Error),
    ]
}

fn any_fields() -> impl Strategy<Value = Vec<(String, Any)>> {
    prop::collection::vec((any_name(), any_value()), 0..8)
}

fn any_record() -> impl Strategy<Value = RecordBuf> {
    let spans = prop::collection::vec((any_name(), any_fields()), 0..3);
    (".{0,8}", any_fields(), spans).prop_map(|(message, fields, spans)| {
        let mut record =
            RecordBuf::new(Severity::WARN, "t", &message).with_location("m", "f", 1).with_thread("main", 1);
        for (name, value) in &fields {
            record = match value {
                Any::Error => record.with_error(name, &["outer", "root"]),
                value => record.with_field(name, plain(value)),
            };
        }
        for (name, fields) in &spans {
            record = record.with_span(name, fields.iter().map(|(name, value)| (name.as_str(), plain(value))));
        }
        record
    })
}

fn plain(value: &Any) -> Value<'_> {
    match value {
        Any::Text(text) => Value::Str(text),
        Any::Number(number) => Value::U64(*number),
        Any::Nested(json) => Value::Json(json),
        Any::Error => Value::Str("an error"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_key_stands_twice_in_any_preset_whatever_the_fields_are_called(
        record in any_record(),
        constant in any_name(),
        lifted in any_name(),
        nested in any::<bool>(),
        duplicates in prop::sample::select(vec![Duplicates::Suffix, Duplicates::First, Duplicates::Last]),
    ) {
        for (name, preset) in all_presets() {
            let preset = preset.constant(&constant, 1_u64).field("a", &lifted).field("b", &constant);
            let preset = preset.duplicates(duplicates).source(true).nested_objects(nested).unique_id("id");
            // Nested ECS has members that are paths into its objects.
            let is_of_paths = ["logstash", "datadog"].contains(&name) || name == "ecs" && !nested;
            let line = line(&preset, &record);
            check(&line, is_of_paths);
            if name == "ecs" {
                no_value_is_where_another_one_or_an_object_is(&line);
            }
        }
    }

    #[test]
    fn no_key_stands_twice_in_json_whatever_the_fields_are_called(
        record in any_record(),
        renamed in any_name(),
        layout in prop::sample::select(vec![FieldLayout::Flat, FieldLayout::Nested]),
        spans in prop::sample::select(vec![SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off]),
        duplicates in prop::sample::select(vec![Duplicates::Suffix, Duplicates::First, Duplicates::Last]),
    ) {
        let json = Json::new().rename(Part::Target, renamed).fields(layout).spans(spans).duplicates(duplicates);
        check(&line(&json, &record), false);
    }

    #[test]
    fn the_line_is_never_longer_than_the_limit(record in any_record(), most in 300_usize..900) {
        for (_, preset) in all_presets() {
            let mut out = Vec::new();
            let limited = preset.max_bytes(most);
            match limited.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())) {
                Ok(()) => {
                    prop_assert!(out.len() <= most);
                    check(std::str::from_utf8(&out).unwrap(), false);
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Format),
            }
        }
    }
}

/// Any JSON in which no object has a key twice, no list of attributes either, and, with `paths`, no key of the outermost
/// object leads into another one of its keys.
#[derive(Clone, Copy)]
struct Unique {
    paths: bool,
}

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    /// The `key` of an attribute.
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without a key twice")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = items.next_element_seed(Unique { paths: false })? {
            if key.is_some() && keys.contains(&key) {
                return Err(de::Error::custom(format!("the attribute {key:?} stands twice")));
            }
            keys.push(key.filter(|key| key.starts_with("key ")));
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut keys, mut attribute) = (Vec::<String>::new(), None);
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Unique { paths: false })?;
            if keys.contains(&key) {
                return Err(de::Error::custom(format!("{key:?} stands twice")));
            }
            let leads = |path: &str, into: &str| path.strip_prefix(into).is_some_and(|rest| rest.starts_with('.'));
            if let Some(other) = keys.iter().find(|other| self.paths && (leads(&key, other) || leads(other, &key))) {
                return Err(de::Error::custom(format!("{key:?} and {other:?} clash")));
            }
            if keys.is_empty() && key == "key" {
                attribute = value.map(|name| format!("key {name}"));
            }
            keys.push(key);
        }
        Ok(attribute.filter(|_| keys == ["key", "value"]))
    }
}
