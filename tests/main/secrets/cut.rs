//! What is too long is cut, so that it shows, and what is hidden stays hidden.

use tracing::{info, info_span};
use tracing_handlers::rewrite::{Cap, Detector, Redact, Rewrite};
use tracing_handlers::{RecordBuf, Severity, Value};

use crate::collect::seen;

const MOST: usize = 16 << 20;

fn shows(record: &RecordBuf, text: &str) -> bool {
    record.__bytes().windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_nested_value_that_is_too_long_is_still_redacted() {
    let long = format!(r#"{{"ssn":"123-45-6789","user":{{"SSN":7777777}},"body":"{}","z":[1,2]}}"#, "x".repeat(MOST));
    let mut record = RecordBuf::new(Severity::INFO, "shop", "").with_field("form", Value::Json(&long));
    let Some(Value::Json(kept)) = record.as_record().field("form") else { panic!("no nested value") };
    assert!(kept.len() <= MOST && kept.ends_with(r#"x…[130 bytes cut]"}"#), "{}", &kept[kept.len() - 60..]);
    Redact::fields(["ssn"]).rewrite(&mut record);
    assert!(!shows(&record, "123-45") && !shows(&record, "7777777"));
    let Some(Value::Json(kept)) = record.as_record().field("form") else { panic!("no nested value") };
    assert!(kept.starts_with(r#"{"ssn":"***","user":{"SSN":"***"},"body":"xxx"#));
}

#[cfg(feature = "serde")]
#[test]
fn a_nested_value_of_an_event_that_is_too_long_is_still_redacted() {
    let rows: Vec<_> =
        (0..MOST / 40).map(|row| serde_json::json!({"ssn": "123-45-6789", "row": row, "of": "many"})).collect();
    let mut record = seen(|| info!(rows = ?tracing_handlers::nested(&rows), "")).last();
    let count = |record: &RecordBuf, text: &str| {
        let Some(Value::Json(rows)) = record.as_record().field("rows") else { panic!("no nested value") };
        assert!(rows.starts_with('[') && rows.ends_with(']') && rows.len() <= MOST && rows.contains(" bytes cut]"));
        rows.matches(text).count()
    };
    assert!(count(&record, "123-45-6789") > 200_000);
    Redact::fields(["ssn"]).rewrite(&mut record);
    assert_eq!(count(&record, "123-45-6789"), 0);
}

#[test]
fn a_cap_before_a_redact_hides_nothing_from_it() {
    let json = r#"{"ssn":"123-45-6789","items":[{"ssn":1234567,"n":1},{"ssn":1234567,"n":2}],"note":"a long note","e":"\u00e9"}"#;
    for max in 0..json.len() {
        let mut record = RecordBuf::new(Severity::INFO, "shop", "")
            .with_span("a", [("form", Value::Json(json))])
            .with_field("form", Value::Json(json));
        Cap::new().values(max).rewrite(&mut record);
        assert!(shows(&record, " bytes cut]"), "{max}: {record:?}");
        Redact::fields(["ssn"]).rewrite(&mut record);
        assert!(!shows(&record, "123"), "{max}: {record:?}");
        let record = record.as_record();
        let span = record.spans().next().unwrap().field("form");
        for form in [span, record.field("form")] {
            let Some(Value::Json(form)) = form else { panic!("{form:?}") };
            assert!(serde_json::from_str::<serde_json::Value>(form).is_ok(), "{max}: {form}");
        }
    }
}

#[test]
fn a_cap_before_a_redact_hides_nothing_of_texts_that_are_json() {
    let json = r#"{"ssn":"123-45-6789","items":[{"ssn":1234567,"n":1},{"ssn":1234567,"n":2}],"note":"a long note"}"#;
    for max in 0..json.len() {
        let mut record = seen(|| {
            let _span = info_span!("a", form = %json).entered();
            info!(form = %json, "");
        })
        .last();
        Cap::new().values(max).rewrite(&mut record);
        assert!(shows(&record, " bytes cut]"), "{max}: {record:?}");
        Redact::fields(["ssn"]).rewrite(&mut record);
        assert!(!shows(&record, "123"), "{max}: {record:?}");
    }
    let mut record = seen(|| info!(list = %"[see below] 123", debug = ?Some(7), item = %"{id} 7", "")).last();
    Cap::new().values(6).rewrite(&mut record);
    let record = record.as_record();
    for (name, shown) in [("list", "[see b…[9 bytes cut]"), ("debug", "Some(7…[1 bytes cut]"), ("item", "{id} 7")] {
        assert_eq!(record.field(name), Some(Value::Text(shown)), "{name}");
    }
}

#[test]
fn a_text_of_json_that_is_too_long_is_still_redacted() {
    let long = format!(r#"{{"ssn":"123-45-6789","body":"{}","z":[1,2]}}"#, "x".repeat(MOST));
    let captured = seen(|| info!(form = %long, "")).last();
    let built = RecordBuf::new(Severity::INFO, "", "").with_field("form", Value::Text(&long));
    for mut record in [captured, built] {
        Redact::fields(["ssn"]).rewrite(&mut record);
        assert!(!shows(&record, "123-45"));
        let Some(Value::Text(form)) = record.as_record().field("form") else { panic!("no text") };
        assert!(form.ends_with(" bytes cut]\"}") && form.len() <= MOST);
    }
}

#[test]
fn a_mask_that_makes_a_nested_value_too_long_leaves_it_a_nested_value() {
    let many = format!("[{}7]", r#"{"ssn":1},"#.repeat(MOST / 100));
    let mut record = RecordBuf::new(Severity::INFO, "shop", "").with_field("form", Value::Json(&many));
    Redact::fields(["ssn"]).mask("x".repeat(100)).rewrite(&mut record);
    let Some(Value::Json(form)) = record.as_record().field("form") else { panic!("no nested value") };
    assert!(form.ends_with(']') && form.contains(" bytes cut]") && form.len() <= MOST);
}

#[test]
fn texts_that_are_too_long_end_in_a_mark() {
    let long = "é".repeat(MOST);
    let mark = format!("é…[{} bytes cut]", MOST + 64);
    let is_cut = |text: &str, what: &str| {
        assert!(text.ends_with(&mark) && text.len() <= MOST, "{what}: {}", &text[text.len().saturating_sub(30)..]);
    };
    let error = std::io::Error::other(long.as_str());
    let record = seen(|| {
        info!(text = long.as_str(), shown = %long, error = &error as &dyn std::error::Error, "{long}");
    })
    .last();
    let record = record.as_record();
    is_cut(record.message(), "message");
    for name in ["text", "shown", "error"] {
        is_cut(&record.field(name).unwrap().to_string(), name);
    }
    let record = RecordBuf::new(Severity::INFO, &long, &long)
        .with_field("text", long.as_str())
        .with_error("error", &["short", &long])
        .with_location(&long, &long, 7)
        .with_thread(&long, 1);
    let record = record.as_record();
    let texts = [record.target(), record.message(), record.module_path().unwrap(), record.file().unwrap()];
    texts.into_iter().chain(record.thread_name()).for_each(|text| is_cut(text, "a text"));
    is_cut(&record.field("error").unwrap().to_string(), "error");
    let whole = "x".repeat(MOST);
    let record = RecordBuf::new(Severity::INFO, "", &whole).with_field("text", whole.as_str());
    assert!(record.as_record().message() == whole && record.as_record().field("text") == Some(Value::Str(&whole)));
}

#[test]
fn names_that_are_too_long_end_in_a_mark() {
    let long = "n".repeat(70_000);
    let record = RecordBuf::new(Severity::INFO, "", "").with_field(&long, 1).with_span(&long, [(&*long, 1.into())]);
    let record = record.as_record();
    let span = record.spans().next().unwrap();
    let names = [record.fields().next().unwrap().name, span.name(), span.fields().next().unwrap().name];
    for name in names {
        assert!(name.ends_with("n…[4529 bytes cut]") && name.len() <= 65_535, "{}", &name[65_400..]);
    }
}

#[test]
fn what_is_cut_from_a_text_is_searched_before_that() {
    let mut record = RecordBuf::new(Severity::INFO, "", "paid with 4111 1111 1111 1111, and more");
    (Redact::detectors([Detector::Card]), Cap::new().message(20)).rewrite(&mut record);
    assert_eq!(record.as_record().message(), "paid with ***, and m…[3 bytes cut]");
}
