//! Sample records, typical and unusual ones.

use std::sync::LazyLock;

use tracing_subscriber::layer::SubscriberExt;

use crate::clock::Timestamp;
use crate::record::{Kind, RecordBuf, Severity, Value};
use crate::testing::Captured;

/// Returns a typical record.
pub(super) fn plain() -> RecordBuf {
    saying("sold")
}

/// The same, with this message.
pub(super) fn saying(message: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop::till", message)
        .with_time(Timestamp::new(1_700_000_000, 123_456_789))
        .with_location("shop::till", "src/till.rs", 7)
        .with_thread("main", 1)
        .with_field("pieces", 3_u64)
        .with_span("request", [("id", Value::U64(7)), ("user", "ada".into())])
}

/// Returns plain records whose messages are their numbers.
pub(super) fn numbered(count: usize) -> Vec<RecordBuf> {
    (0..count).map(|number| saying(&number.to_string())).collect()
}

/// Returns records that are each unusual in one way, with a description.
pub(super) fn odd() -> &'static [(&'static str, RecordBuf)] {
    static ODD: LazyLock<Vec<(&str, RecordBuf)>> = LazyLock::new(make_odd);
    &ODD
}

fn make_odd() -> Vec<(&'static str, RecordBuf)> {
    let mut odd = vec![
        ("without anything", RecordBuf::new(Severity::INFO, "", "").with_time(Timestamp::EPOCH)),
        ("without a message", RecordBuf::new(Severity::INFO, "shop", "").with_field("pieces", 3)),
        ("of every kind of value", every_value()),
        ("with an error", plain().with_error("error", &["cannot sell", "no stock", ""])),
        ("with fields of one name", plain().with_field("pieces", 4).with_field("", 5).with_field("", "six")),
        ("with many fields", (0..200).fold(plain(), |record, number| record.with_field(&format!("f{number}"), number))),
        (
            "in many spans",
            (0..200).fold(plain(), |record, depth: i32| record.with_span("deep", [("depth", depth.into())])),
        ),
        ("in a span without a name", plain().with_span("", [("", "".into())])),
        ("before 1970", plain().with_time(Timestamp::new(-1, 999_999_999))),
        ("of the far future", plain().with_time(Timestamp::new(i64::MAX, 999_999_999))),
        ("of the far past", plain().with_time(Timestamp::new(i64::MIN, 0))),
        ("of other scripts", saying("größer 数 🦀 عربى")),
        ("of control characters", controls()),
        (
            "of a loss",
            RecordBuf::of_kind(Kind::Loss, Severity::WARN, "tracing_handlers", "3 records lost here")
                .with_field("lost", 3_u64),
        ),
        ("that is large", saying(&"x".repeat(1 << 20))),
    ];
    odd.extend((1..=24).filter_map(Severity::from_number).map(|severity| {
        let mut record = plain();
        record.set_severity(severity);
        ("of an unusual severity", record)
    }));
    odd.extend(captured().map(|record| ("captured from tracing", record)));
    odd
}

/// Whether the record may be refused because it is too large, for a datagram for example.
pub(super) fn is_large(what: &str) -> bool {
    what == "that is large"
}

fn every_value() -> RecordBuf {
    let values = [
        Value::Bool(true),
        Value::I64(i64::MIN),
        Value::U64(u64::MAX),
        Value::I128(i128::MIN),
        Value::U128(u128::MAX),
        Value::F64(0.1),
        Value::F64(-0.0),
        Value::F64(f64::MAX),
        Value::F64(f64::NAN),
        Value::F64(f64::NEG_INFINITY),
        Value::Str(""),
        Value::Str("two words"),
        Value::Text("Some(\"quoted\")"),
        Value::Bytes(&[]),
        Value::Bytes(&[0, 0x7f, 0xff]),
        Value::Json("{\"a\":[1,null,\"\\n\"]}"),
    ];
    let name = |index: usize| format!("v{index}");
    let record =
        values.iter().enumerate().fold(plain(), |record, (index, value)| record.with_field(&name(index), *value));
    record.with_span(
        "values",
        [("bytes", Value::Bytes(b"\0")), ("json", Value::Json("[]")), ("nan", Value::F64(f64::NAN))],
    )
}

fn controls() -> RecordBuf {
    let text: String = (0..0xa0_u8).map(char::from).chain("\u{2028}\u{202e}\u{feff}".chars()).collect();
    RecordBuf::new(Severity::INFO, &text, &text)
        .with_time(Timestamp::EPOCH)
        .with_location(&text, &text, 1)
        .with_thread(&text, 1)
        .with_field(&text, &text)
        .with_field("text", Value::Text(&text))
        .with_error("error", &[&text, &text])
        .with_span(&text, [(&*text, Value::Str(&text))])
}

/// Returns a record with a callsite, for which formats use prepared texts; `None` if another thread has just disabled the callsite
/// (tokio-rs/tracing#3611).
fn captured() -> Option<RecordBuf> {
    let captured = Captured::new();
    let subscriber = tracing_subscriber::registry().with(crate::layer::layer(captured.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("sample", id = 7, user = "ada lovelace").entered();
        tracing::info!(pieces = 3, price = 1.5, note = "a \"b\"", found = ?Some(1), "sold {} pieces", 3);
    });
    captured.records().pop().map(|record| record.with_time(Timestamp::new(1_700_000_000, 0)))
}
