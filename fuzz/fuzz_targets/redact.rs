//! The redaction of texts and nested values.

#![no_main]

use std::sync::LazyLock;

use fuzz::records::AnyJson;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;
use tracing_handlers::rewrite::{Detector, Redact, Rewrite};
use tracing_handlers::{RecordBuf, Severity, Value};

#[derive(Arbitrary, Debug)]
struct Structured<'a> {
    json: AnyJson,
    text: &'a str,
}

fuzz_target!(|input: &[u8]| {
    // A file that begins with a bracket, brace or quote is the value itself.
    if input.starts_with(b"{") || input.starts_with(b"[") || input.starts_with(b"\"") {
        let Ok(text) = str::from_utf8(input) else { return };
        check_json(text);
    } else if let Ok(input) = Structured::arbitrary_take_rest(arbitrary::Unstructured::new(input)) {
        check_json(&input.json.0);
        check_text(input.text);
        check_planted(input.text);
    }
});

/// Of valid JSON, valid JSON comes: nothing is left of the hidden members, texts are as in a message, and all else is as it was.
/// What is not valid is hidden as a whole.
fn check_json(text: &str) {
    let record = redacted(&MEMBERS, &RecordBuf::default().with_field("a", Value::Json(text)));
    let Ok(before) = serde_json::from_str::<Json>(text) else {
        // serde_json also refuses what is too deep for it, and numbers that are out of range.
        match record.as_record().field("a") {
            Some(Value::Str(mask)) => assert_eq!(mask, "***"),
            Some(Value::Json(_)) => {}
            other => panic!("{other:?}"),
        }
        return;
    };
    let after = nested(&record);
    assert!(is_redacted(&before, &after), "{text:?} to {after}");
    // By names only: where a secret in a text overlaps with another one, its mask may complete a third.
    let once = redacted(&NAMES, &RecordBuf::default().with_field("a", Value::Json(text)));
    let twice = redacted(&NAMES, &once);
    assert!(twice.as_record().field("a") == once.as_record().field("a"), "the second time changes {once:?}");
    nested(&redacted(&ALL, &RecordBuf::default().with_field("a", Value::Json(text))));
}

fn nested(record: &RecordBuf) -> Json {
    let Some(Value::Json(after)) = record.as_record().field("a") else { panic!("valid JSON is hidden: {record:?}") };
    serde_json::from_str(after).unwrap_or_else(|error| panic!("{error}: {after:?}"))
}

fn is_redacted(before: &Json, after: &Json) -> bool {
    match (before, after) {
        (Json::String(before), Json::String(after)) => is_text(before, after),
        (Json::Array(before), Json::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| is_redacted(before, after))
        }
        (Json::Object(before), Json::Object(after)) => {
            // Names that became the same are one member here.
            let is_unique = before.len() == after.len();
            !is_unique
                || before.iter().all(|(name, value)| match after.get(&message(&MEMBERS, name)) {
                    Some(hidden) if is_hidden(name) => hidden == "***",
                    Some(after) => is_redacted(value, after),
                    None => false,
                })
        }
        // Of a card.
        (Json::Number(_), Json::String(after)) => after == "***",
        (before, after) => before == after,
    }
}

fn is_text(before: &str, after: &str) -> bool {
    message(&MEMBERS, before) == after
}

/// Whether the name, or a part of it as in `user.password`, is one of `MEMBERS`.
fn is_hidden(name: &str) -> bool {
    let parts = name.split(['.', ':', '/', '[', ']']);
    parts.chain([name]).any(|part| part.to_ascii_lowercase().starts_with("pass") || part.eq_ignore_ascii_case("k"))
}

/// A text is the same as a message, as a field and as a nested value.
fn check_text(text: &str) {
    let record = RecordBuf::new(Severity::INFO, "", text).with_field("text", text).with_field("bytes", text.as_bytes());
    let record = redacted(&ALL, &record);
    let (message, field) = (record.as_record().message().to_owned(), record.as_record().field("text"));
    assert_eq!(field.and_then(|field| field.as_str()), Some(&*message));
    let json = serde_json::to_string(text).expect("a text is JSON");
    let nested = nested(&redacted(&ALL, &RecordBuf::default().with_field("a", Value::Json(&json))));
    assert_eq!(nested, Json::String(message.clone()));
}

fn message(redact: &Redact, text: &str) -> String {
    redacted(redact, &RecordBuf::new(Severity::INFO, "", text)).as_record().message().to_owned()
}

/// A secret is found wherever it is put between words.
fn check_planted(text: &str) {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    for secret in ["4111 1111 1111 1111", "ada@example.org", "ghp_0123456789abcdefABCDEF0123456789abcd", "2001:db8::7"]
    {
        let planted = format!("{} and\n{secret}\nand {}", &text[..middle], &text[middle..]);
        let record = redacted(&ALL, &RecordBuf::new(Severity::INFO, "", &planted).with_field("a", &*planted));
        let record = record.as_record();
        let shown = [record.message(), record.field("a").and_then(|field| field.as_str()).unwrap_or_default()];
        assert!(shown.iter().all(|text| !text.contains(&format!("and\n{secret}\nand"))), "{planted:?}: {shown:?}");
    }
}

fn redacted(redact: &Redact, record: &RecordBuf) -> RecordBuf {
    let mut out = RecordBuf::default();
    out.copy_from(&record.as_record());
    redact.rewrite(&mut out);
    out
}

static ALL: LazyLock<Redact> = LazyLock::new(|| Redact::detectors(Detector::ALL));

static NAMES: LazyLock<Redact> = LazyLock::new(|| Redact::fields(["pass*", "K"]));

/// Without `Pair`, which also hides members by their names.
static MEMBERS: LazyLock<Redact> = LazyLock::new(|| {
    let detectors = [Detector::Card, Detector::Email, Detector::Token, Detector::Ip];
    Redact::fields(["pass*", "K"]).with_detectors(detectors)
});
