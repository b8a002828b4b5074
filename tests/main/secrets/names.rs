//! Names that are paths, and members of nested values in other disguises.

use tracing::{info, info_span};
use tracing_handlers::rewrite::{Detector, Redact, Remove, Rewrite};
use tracing_handlers::{RecordBuf, Severity, Value};

use crate::collect::{seen, spans};

#[test]
fn a_name_hides_what_is_below_another_one() {
    let mut record = seen(|| {
        let _span =
            info_span!("login", user.password = "hunter2", user.name = "ada", request.user.Password = 7).entered();
        info!(user.password = "hunter2", db.password.hash = %"hunter2", passwords = 2, user_password = "kept", "in");
    })
    .last();
    record.push_field("user[password]", Value::Str("hunter2"));
    record.push_field("user::password", Value::Bytes(b"hunter2"));
    record.push_field("user/password", Value::Text("hunter2"));
    record.push_field(
        "form",
        Value::Json(r#"{"user.password":"hunter2","a":[{"x[password]":"hunter2","passwords":1}]}"#),
    );
    Redact::fields(["password"]).rewrite(&mut record);
    assert!(!record.__bytes().windows(7).any(|window| window == b"hunter2"), "{record:?}");
    assert_eq!(spans(&record), [r#"login{user.password="***", user.name="ada", request.user.Password="***"}"#]);
    let record = record.as_record();
    assert_eq!(
        (record.field("passwords"), record.field("user_password")),
        (Some(Value::I64(2)), Some(Value::Str("kept")))
    );
    let form = Value::Json(r#"{"user.password":"***","a":[{"x[password]":"***","passwords":1}]}"#);
    assert_eq!(record.field("form"), Some(form));
}

#[test]
fn removing_takes_paths_and_keeping_takes_whole_names() {
    let record = || {
        RecordBuf::new(Severity::INFO, "shop", "")
            .with_field("user.password", "hunter2")
            .with_field("id", 1)
            .with_field("id.password", 2)
            .with_field("user.id", 3)
    };
    let names = |rewrite: &dyn Rewrite| {
        let mut record = record();
        rewrite.rewrite(&mut record);
        let record = record.as_record();
        record.fields().map(|field| format!("{}={}", field.name, field.value)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&Remove::fields(["password"])), "id=1 user.id=3");
    assert_eq!(names(&Remove::all_but(["id"])), "id=1");
    assert_eq!(names(&Redact::all_but(["id"])), "user.password=*** id=1 id.password=*** user.id=***");
}

#[test]
fn the_detector_of_pairs_knows_the_last_part_of_a_name() {
    let mut record = RecordBuf::new(Severity::INFO, "shop", "user.pin=1234")
        .with_field("user.pin", 1234)
        .with_field("user[otp]", 1234)
        .with_field("card/cvv", 1234)
        .with_field("pin.code", 1)
        .with_field("form", Value::Json(r#"{"user.pin":1234,"pins":1}"#));
    Redact::detectors([Detector::Pair]).rewrite(&mut record);
    let shown: Vec<_> = record.as_record().fields().map(|field| field.value.to_string()).collect();
    assert_eq!(shown, ["***", "***", "***", "1", r#"{"user.pin":"***","pins":1}"#]);
    assert_eq!(record.as_record().message(), "user.pin=***");
}

#[test]
fn what_was_masked_by_name_is_not_masked_again() {
    let redact = Redact::fields(["ssn", "password"]).with_detectors([Detector::Card, Detector::Pair]);
    let redact = redact.mask_with(|secret, out| *out += &format!("<{secret}>"));
    let masked = |json: &str| {
        let mut record = seen(|| info!(shown = %json, "")).last();
        redact.rewrite(&mut record);
        record.as_record().field("shown").unwrap().to_string()
    };
    for (json, shown) in [
        (r#"{"password":"x","ssn":1}"#, r#"{"password":"<x>","ssn":"<1>"}"#),
        (r#"[{"ssn":"4111111111111111"},4111111111111111]"#, r#"[{"ssn":"<4111111111111111>"},<4111111111111111>]"#),
        (r#"{"ssn":"pin=7, x","a":"pin=8, x"}"#, r#"{"ssn":"<pin=7, x>","a":"pin=<8>, x"}"#),
    ] {
        assert_eq!(masked(json), shown);
    }
    // The header reaches into the member behind it.
    assert!(!masked(r#"{"a":"cookie: a=b","ssn":"123"}"#).contains("\"a\":\"cookie: a=b"));
}

#[test]
fn json_that_was_written_as_a_text_loses_its_members() {
    let redact = Redact::fields(["ssn"]).with_detectors([Detector::Card, Detector::Pair]);
    for (json, shown) in [
        (r#"{"ssn":"123-45-6789","b":1}"#, r#"{"ssn":"***","b":1}"#),
        (r#"[{"a":{"SSN":123}},"4111111111111111"]"#, r#"[{"a":{"SSN":"***"}},"***"]"#),
        ("{\n  \"ssn\": null\n}", "{\n  \"ssn\": \"***\"\n}"),
        (r#"{"password":"x","ssn":1}"#, r#"{"password":"***","ssn":"***"}"#),
        ("{ssn: 1}", "{ssn: 1}"),
        (r#"{"a":"4111111111111111""#, r#"{"a":"***""#),
    ] {
        let mut record = seen(|| info!(shown = %json, debug = ?format_args!("{json}"), text = json, "")).last();
        redact.rewrite(&mut record);
        let record = record.as_record();
        assert_eq!(
            (record.field("shown"), record.field("debug")),
            (Some(Value::Text(shown)), Some(Value::Text(shown)))
        );
    }
}
