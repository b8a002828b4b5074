//! Secrets in odd places, and texts made to keep a rewrite busy.

use std::time::{Duration, Instant};

use tracing_handlers::rewrite::{Add, Detector, Redact, Rewrite};
use tracing_handlers::{RecordBuf, Severity, Value};

fn redacted(redact: &Redact, value: Value<'_>) -> String {
    let mut record = RecordBuf::new(Severity::INFO, "shop", "").with_field("value", value);
    redact.rewrite(&mut record);
    record.as_record().field("value").unwrap().to_string()
}

#[test]
fn what_says_that_it_is_json_and_is_not_is_masked_whole() {
    let redact = Redact::fields(["password", "token", "nonce"]).with_detectors([Detector::Card]);
    for json in [
        r#"{token: "hunter2"}"#,
        r#"{nonce:"hunter2"}"#,
        r#"{1token:"hunter2"}"#,
        r#"{-token:"hunter2"}"#,
        r#"{"password" "hunter2"}"#,
        r#"{"password","hunter2"}"#,
        r#"{"password"}:"hunter2""#,
        r#"["password" "hunter2"]"#,
        r#"{"password":1 "hunter2"}"#,
        r#"{"password":"a" "hunter2"}"#,
        r#"{"password":: "hunter2"}"#,
        r#"{"password":,"hunter2"}"#,
        r#"{"a":[1,"hunter2"}"#,
        r#"{"a":"hunter2""#,
        r#""a" "hunter2""#,
        r#"["hunter2",]"#,
        r#"{"a":"hunter2",}"#,
        r#"[,"hunter2"]"#,
        r#"{"\u+070assword":"hunter2"}"#,
        r#"["a" : "hunter2"]"#,
        "[4111111111111111x]",
        "[04111111111111111.]",
        "[4111111111111111e]",
        "",
        "[\"hunter2\u{1}\"]",
    ] {
        assert_eq!(redacted(&redact, Value::Json(json)), "***", "{json}");
    }
    for json in
        ["{}", " [ ] ", "null", "-0.5e+7", "[true,false,null,{\"a\":[[]],\"b\":{}}]", "\"\"", "[0,10,\"\\u00e9\"]"]
    {
        assert_eq!(redacted(&redact, Value::Json(json)), json);
    }
}

#[test]
fn tokens_behind_a_joint_and_with_an_empty_part_are_found() {
    let redact = Redact::detectors([Detector::Token]);
    let (head, body, sign) = ("eyJhbGciOiJkaXIifQ", "eyJzdWIiOiIxIn0", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    for text in [
        format!("session_{head}.{body}.{sign}"),
        format!("my-jwt-{head}.{body}.{sign}"),
        // RFC 7516, section 5.1: of a key that is agreed upon there is no encrypted one; RFC 7515, appendix F.
        format!("token {head}..{body}.{sign}.{sign}"),
        format!("token {head}..{sign}"),
    ] {
        let shown = redacted(&redact, Value::Str(&text));
        assert!(shown.ends_with("***") && !shown.contains(sign) && !shown.contains(head), "{shown}");
    }
    for text in ["eyJust-words.. and more", "eyJhbGciOi...", "they_eyJust.a.word"] {
        assert_eq!(redacted(&redact, Value::Str(text)), text);
    }
}

#[test]
fn an_address_is_found_beside_what_is_longer_than_any() {
    let redact = Redact::detectors([Detector::Ip]);
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(redacted(&redact, Value::Str(&format!("{digest}:10.0.0.7"))), format!("{digest}:***"));
    assert_eq!(
        redacted(&redact, Value::Str(&format!("sha256:{digest}:2001:db8::1."))),
        format!("sha256:{digest}:***.")
    );
    assert_eq!(redacted(&redact, Value::Str(&"10.0.0.7:80:".repeat(9))), "***:80:".repeat(9));
    let object = "1.3.6.1.4.1.".repeat(9) + "2.3.4.5";
    let print = "aa:bb:cc:dd:".repeat(9) + "00";
    for text in [object, print, "7".repeat(99), format!("{digest}{digest}1.2.3.4")] {
        assert_eq!(redacted(&redact, Value::Str(&text)), text);
    }
}

/// What takes a time that grows with the square of the length takes minutes.
#[test]
fn no_text_keeps_a_rewrite_busy_for_long() {
    let redact = Redact::fields(["*a*a*a*a*b"]).with_detectors(Detector::ALL);
    let pieces = [
        "@",
        "a@",
        "a@b.",
        "1",
        "4",
        "4111 ",
        "4111-1111-",
        ":",
        "1.",
        "1.2.3.4:",
        "::",
        "a:",
        "://",
        "://a:",
        "://a:b@",
        "=",
        "password=",
        "password=(",
        "password=\"",
        "password='\\",
        "token: ",
        "token:\t",
        "cookie:\\",
        "{",
        "\\",
        "\\\\\"",
        "eyJaaaaaaaa.",
        "eyJaaaaaaaa.a",
        "eyJaaaaaaaa..",
        "SG.",
        "ya29.",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY",
        "_",
        "-",
        "a_",
        "ghp_",
        "Bearer ",
        "Basic Basic ",
        "basic/",
        "bearer.",
        "é",
        "1.2.3.4",
        "f",
        "f:",
        "deadbeef:1.2.3.4:",
        "secret: Some(",
        "authorization: digest ",
        "a@[",
        "4222222222222 ",
    ];
    for piece in pieces {
        let text = piece.repeat(50_000 / piece.len());
        let json = format!("[\"{}\"]", "\\u0061".repeat(1000));
        let start = Instant::now();
        redacted(&redact, Value::Str(&text));
        redacted(&redact, Value::Json(&json));
        redacted(&redact, Value::Bytes(text.as_bytes()));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{piece:?}: {took:?}");
    }
    for json in ["[", "{\"a\":", "\"", "[1,", "{\"a\":[", "\\"] {
        redacted(&redact, Value::Json(&json.repeat(100_000)));
    }
}

#[test]
fn a_record_gets_no_second_field_of_a_name_though_it_is_added_twice() {
    let add = Add::new().constant("pid", "first").constant("region", "eu").pid().constant("region", "us");
    let mut record = RecordBuf::new(Severity::INFO, "shop", "sold");
    add.rewrite(&mut record);
    let shown = format!("{:?}", record.as_record().fields().collect::<Vec<_>>());
    assert_eq!(shown, r#"[pid="first", region="eu"]"#);
}

#[test]
fn pairs_are_found_in_what_programs_write() {
    let redact = Redact::detectors([Detector::Pair]);
    for text in [
        r#"{"password":"hunter2"}"#,
        r#"{\"password\":\"hunter2\"}"#,
        r#"{\\\"password\\\":\\\"hunter2\\\"}"#,
        "{\n  \"PassWord\": \"hunter2\"\n}",
        r#"Form { password: Secret { inner: "hunter2" } }"#,
        "Form {\n    token: Token {\n        inner: Some(\n            \"hunter2\",\n        ),\n    },\n}",
        "PGPASSWORD=hunter2",
        "my.password=hunter2",
        "user[password]=hunter2",
        r#"config["password"] = "hunter2""#,
        "https://:hunter2@host/",
        "redis://:hun@hunter2@host/",
    ] {
        let shown = redacted(&redact, Value::Str(text));
        assert!(!shown.contains("hunter2") && shown.contains("***"), "{text}: {shown}");
    }
}
