//! JSON after a template, as log4j2's JsonTemplateLayout writes it.

use serde_json::{Value as Parsed, json};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::{Caps, Format, JsonTemplate, Out};
use tracing_handlers::{ErrorKind, RecordBuf, Severity, Value};

fn line(template: &JsonTemplate, record: &RecordBuf) -> String {
    let mut out = b"before".to_vec();
    template.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

fn written(template: &str, record: &RecordBuf) -> String {
    line(&JsonTemplate::new(template).unwrap(), record)
}

/// What `resolver` is for `record()`.
fn resolved(resolver: Parsed) -> Parsed {
    let line = written(&json!({"x": resolver}).to_string(), &record());
    serde_json::from_str::<Parsed>(&line).unwrap()["x"].take()
}

fn record() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop", "sold")
        .with_time(Timestamp::new(1_795_223_943, 123_456_789))
        .with_location("shop::till", "src/till.rs", 41)
        .with_thread("main", 7)
        .with_field("pieces", 3_u64)
        .with_field("user", "eve")
        .with_error("cause", &["no answer", "refused", "timed out"])
        .with_span("request", [("user", "ada".into()), ("id", 9_u64.into())])
        .with_span("query", [("user", "bob".into()), ("order", Value::Json(r#"{"a":[1]}"#))])
}

#[test]
fn every_resolver_of_the_table_has_its_value() {
    for (resolver, expected) in [
        (json!({"$resolver": "timestamp"}), json!("2026-11-21T01:19:03.123456Z")),
        (json!({"$resolver": "timestamp", "precision": 3}), json!("2026-11-21T01:19:03.123Z")),
        (json!({"$resolver": "timestamp", "epoch": {"unit": "secs", "rounded": true}}), json!(1_795_223_943)),
        (json!({"$resolver": "timestamp", "epoch": {"unit": "secs"}}), json!(1_795_223_943.123_456_7)),
        (json!({"$resolver": "timestamp", "epoch": {"unit": "millis"}}), json!(1_795_223_943_123_u64)),
        (json!({"$resolver": "timestamp", "epoch": {"unit": "nanos"}}), json!(1_795_223_943_123_456_789_u64)),
        (json!({"$resolver": "level"}), json!("WARN")),
        (json!({"$resolver": "level", "field": "name"}), json!("WARN")),
        (json!({"$resolver": "level", "field": "number"}), json!(13)),
        (json!({"$resolver": "level", "field": "severity", "severity": {"field": "keyword"}}), json!("WARNING")),
        (json!({"$resolver": "level", "field": "severity", "severity": {"field": "code"}}), json!(4)),
        (json!({"$resolver": "logger", "field": "name"}), json!("shop")),
        (json!({"$resolver": "message"}), json!("sold")),
        (json!({"$resolver": "thread"}), json!("main")),
        (json!({"$resolver": "thread", "field": "id"}), json!(7)),
        (json!({"$resolver": "source", "field": "fileName"}), json!("src/till.rs")),
        (json!({"$resolver": "source", "field": "lineNumber"}), json!(41)),
        (json!({"$resolver": "source", "field": "className"}), json!("shop::till")),
        (json!({"$resolver": "mdc", "key": "user"}), json!("bob")),
        (json!({"$resolver": "mdc", "key": "id", "stringified": true}), json!("9")),
        (json!({"$resolver": "mdc"}), json!({"user": "bob", "order": {"a": [1]}, "user_2": "ada", "id": 9})),
        (json!({"$resolver": "field", "key": "user"}), json!("eve")),
        (json!({"$resolver": "field", "key": "id"}), json!(9)),
        (json!({"$resolver": "fields"}), json!({"pieces": 3, "user": "eve", "cause": "no answer: refused: timed out"})),
        (json!({"$resolver": "span"}), json!("query")),
        (
            json!({"$resolver": "spans"}),
            json!([{"name": "request", "user": "ada", "id": 9}, {"name": "query", "user": "bob", "order": {"a": [1]}}]),
        ),
        (json!({"$resolver": "exception"}), json!("no answer")),
        (json!({"$resolver": "exception", "field": "chain"}), json!("no answer: refused: timed out")),
        (json!({"$resolver": "exceptionRootCause", "field": "message"}), json!("timed out")),
        (json!({"$resolver": "pid"}), json!(std::process::id())),
    ] {
        assert_eq!(resolved(resolver.clone()), expected, "{resolver}");
    }
}

#[test]
fn constants_are_copied_in_their_order() {
    let template = r#"{"z": 1, "a": [true, null, -1.5, "x\u202e"], "m": {}, "n": {"b": 1e300, "a": []}, "l": [{"$resolver": "logger"}]}"#;
    assert_eq!(
        written(template, &record()),
        r#"{"z":1,"a":[true,null,-1.5,"x\u202e"],"m":{},"n":{"b":1e300,"a":[]},"l":["shop"]}"#
    );
}

#[test]
fn what_is_missing_is_left_out_or_null() {
    let template = r#"{"user": {"$resolver": "mdc", "key": "user"}, "in": {"thread": {"$resolver": "thread"}},
        "all": {"$resolver": "fields"}, "list": [{"$resolver": "thread"}], "m": {"$resolver": "message"}}"#;
    let template = JsonTemplate::new(template).unwrap();
    let bare = RecordBuf::new(Severity::INFO, "", "");
    assert_eq!(line(&template, &bare), r#"{"list":[null]}"#);
    assert_eq!(line(&JsonTemplate::new(r#"{"a": {"$resolver": "message"}}"#).unwrap(), &bare), "{}");
    let nulls = template.nulls(true);
    assert_eq!(line(&nulls, &bare), r#"{"user":null,"in":{"thread":null},"all":null,"list":[null],"m":null}"#);
}

#[test]
fn flattened_fields_stand_where_the_template_has_them_and_no_key_stands_twice() {
    let template = r#"{"pieces": 0, "all": {"$resolver": "fields", "flatten": true},
        "mdc": {"$resolver": "mdc", "flatten": {"prefix": "mdc."}}, "user": "root"}"#;
    assert_eq!(
        written(template, &record()),
        concat!(
            r#"{"pieces":0,"pieces_2":3,"user_2":"eve","cause":"no answer: refused: timed out","#,
            r#""mdc.user":"bob","mdc.order":{"a":[1]},"mdc.user_2":"ada","mdc.id":9,"user":"root"}"#,
        )
    );
}

#[test]
fn texts_are_cut_to_the_limit_and_marked() {
    let template = r#"{"m": {"$resolver": "message"}, "f": {"$resolver": "fields"}, "c": "a long constant"}"#;
    let template = JsonTemplate::new(template).unwrap().max_string(5).marker("[cut]");
    let record = RecordBuf::new(Severity::INFO, "", "größer").with_field("a", "12345").with_field("b", "123456");
    assert_eq!(
        line(&template, &record),
        r#"{"m":"grö[cut]","f":{"a":"12345","b":"12345[cut]"},"c":"a long constant"}"#
    );
}

#[test]
fn a_bad_template_is_refused_with_the_place_of_what_is_wrong() {
    for (template, why) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("[1]", "expected an object"),
        (r#"{"$resolver": "message"}"#, "expected an object of resolvers, found a resolver"),
        (r#"{"a": 1, "a": 2}"#, "duplicate key \"a\" at line 1 column 16"),
        (r#"{"a": {"$resolver": "pattern"}}"#, "a: unknown resolver \"pattern\""),
        (r#"{"a": {"b": [0, {"$resolver": 1}]}}"#, "a.b[1]: $resolver must be a string"),
        (r#"{"a": {"$resolver": "message", "field": "x"}}"#, "a: message has no setting \"field\""),
        (r#"{"a": {"$resolver": "field"}}"#, "a: field needs a key"),
        (
            r#"{"a": {"$resolver": "thread", "field": "priority"}}"#,
            "a: field must be one of name, id, got \"priority\"",
        ),
        (r#"{"a": {"$resolver": "level", "field": "x"}}"#, "a: field must be one of name, severity, number, got \"x\""),
        (r#"{"a": {"$resolver": "timestamp", "precision": 10}}"#, "a: precision must be a number from 0 to 9"),
        (
            r#"{"a": {"$resolver": "timestamp", "epoch": {"unit": "days"}}}"#,
            "a: unit must be secs, millis or nanos, got \"days\"",
        ),
        (r#"{"a": {"$resolver": "timestamp", "epoch": {"x": 1}}}"#, "a: epoch has no setting \"x\""),
        (r#"{"a": {"$resolver": "fields", "stringified": 1}}"#, "a: stringified must be true or false"),
        (r#"{"a": [{"$resolver": "fields", "flatten": true}]}"#, "a[0]: fields cannot be flattened into a list"),
    ] {
        let error = JsonTemplate::new(template).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, format!("json template: {why}")));
    }
}
