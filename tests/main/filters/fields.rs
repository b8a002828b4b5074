//! Values of events and spans.

use tracing::{Level, debug, info, info_span};
use tracing_handlers::filter::{self, Condition, Filter};
use tracing_handlers::{Output, RecordBuf, Severity, Value, format, sink};

use super::record;
use crate::collect::{dispatch, seen};

fn with_status(value: Value<'_>) -> RecordBuf {
    record(Severity::INFO, "done").with_field("status", value)
}

fn passes(condition: Condition, record: &RecordBuf) -> bool {
    condition.passes(&record.as_record())
}

#[test]
fn every_relation_holds_where_it_should_for_numbers_of_every_type() {
    let status = || filter::field("status");
    for (value, order) in [
        (Value::I64(-5), -1),
        (Value::U64(499), -1),
        (Value::F64(499.999), -1),
        (Value::I64(500), 0),
        (Value::U64(500), 0),
        (Value::I128(500), 0),
        (Value::U128(500), 0),
        (Value::F64(500.0), 0),
        (Value::F64(500.001), 1),
        (Value::U64(u64::MAX), 1),
        (Value::U128(u128::MAX), 1),
    ] {
        let record = with_status(value);
        assert_eq!(passes(status().lt(500), &record), order < 0, "{value:?}");
        assert_eq!(passes(status().le(500_u64), &record), order <= 0, "{value:?}");
        assert_eq!(passes(status().eq(500_i128), &record), order == 0, "{value:?}");
        assert_eq!(passes(status().ne(500.0), &record), order != 0, "{value:?}");
        assert_eq!(passes(status().ge(500_u16), &record), order >= 0, "{value:?}");
        assert_eq!(passes(status().gt(500_i64), &record), order > 0, "{value:?}");
        assert_eq!(passes(status().one_of([7, 500]), &record), order == 0, "{value:?}");
    }
}

#[test]
fn a_value_that_is_not_there_or_of_another_type_fits_as_documented() {
    let status = || filter::field("status");
    let missing = record(Severity::INFO, "done");
    let text = with_status(Value::Str("500"));
    let nan = with_status(Value::F64(f64::NAN));
    for (condition, on_text, on_nan) in [
        (status().exists(), true, true),
        (status().eq(500), false, false),
        (status().ne(500), true, true),
        (status().lt(500), false, false),
        (status().le(500), false, false),
        (status().gt(500), false, false),
        (status().ge(500), false, false),
        (status().one_of([500]), false, false),
        (status().starts_with("5"), true, false),
    ] {
        assert!(!passes(condition.clone(), &missing), "{condition:?}");
        assert_eq!(passes(condition.clone(), &text), on_text, "{condition:?}");
        assert_eq!(passes(condition.clone(), &nan), on_nan, "{condition:?}");
    }
}

#[test]
fn texts_compare_byte_by_byte_and_questions_about_texts_see_every_value_as_shown() {
    let field = || filter::field("status");
    assert!(passes(field().lt("b"), &with_status("abc".into())) && !passes(field().lt("B"), &with_status("a".into())));
    assert!(passes(field().eq(r#"{"a":1}"#), &with_status(Value::Json(r#"{"a":1}"#))));
    assert!(passes(field().contains(r#""a""#), &with_status(Value::Json(r#"{"a":1}"#))));
    assert!(passes(field().starts_with("50"), &with_status(Value::U64(503))));
    assert!(passes(field().ends_with("3"), &with_status(Value::U64(503))));
    assert!(
        passes(field().eq(true), &with_status(true.into())) && !passes(field().eq("true"), &with_status(true.into()))
    );
    assert!(passes(field().eq(&b"\x01\xff"[..]), &with_status(Value::Bytes(b"\x01\xff"))));
    let error = record(Severity::INFO, "").with_error("error", &["cannot sell", "no stock"]);
    assert!(passes(filter::field("error").eq("cannot sell: no stock"), &error));
    assert!(passes(filter::field("error").contains("stock"), &error));
}

#[test]
fn of_several_spans_one_that_fits_is_enough_and_the_place_says_which_are_asked() {
    let record = record(Severity::INFO, "sold")
        .with_span("request", [("user", 1_u64.into())])
        .with_span("request", [("user", 2_u64.into()), ("id", "x".into())])
        .with_span("query", [("user", 3_u64.into())])
        .with_field("user", 4_u64);
    let fits =
        |place: filter::Place| (1..=5_u64).filter(|user| passes(place.clone().eq(*user), &record)).collect::<Vec<_>>();
    assert_eq!(fits(filter::field("user")), [4]);
    assert_eq!(fits(filter::span("request").field("user")), [1, 2]);
    assert_eq!(fits(filter::span("query").field("user")), [3]);
    assert_eq!(fits(filter::span("other").field("user")), [0_u64; 0]);
    assert_eq!(fits(filter::any_span_field("user")), [1, 2, 3]);
    assert_eq!(fits(filter::any_field("user")), [1, 2, 3, 4]);
    assert!(!passes(filter::field("id").exists(), &record) && passes(filter::any_field("id").exists(), &record));
}

#[test]
fn the_message_is_a_place_too() {
    let record = record(Severity::INFO, "sold 3").with_field("n", 3);
    assert!(passes(filter::message().eq("sold 3"), &record));
    assert!(passes(filter::field("message").starts_with("sold"), &record));
    assert!(!passes(filter::message().contains("n=3"), &record));
    assert!(passes(filter::message().eq(""), &RecordBuf::new(Severity::INFO, "", "")));
}

#[test]
fn the_first_of_the_values_by_nearness_decides_a_level() {
    let filter = filter::level_by("user").with("ada", Level::TRACE).with(7, Level::ERROR).otherwise(Level::WARN);
    let base = || record(Severity::INFO, "").with_span("outer", [("user", 7_u64.into())]);
    let inner = || base().with_span("inner", [("user", "ada".into())]);
    let own = || inner().with_field("user", "mia");
    assert!(!filter.passes(&base().as_record()));
    assert!(filter.passes(&inner().as_record()));
    assert!(!filter.passes(&own().as_record()));
    assert_eq!(filter.max_level(), filter::LevelFilter::TRACE);
    let strict = filter::level_by("user").with(1, Level::ERROR).otherwise(filter::LevelFilter::OFF);
    assert_eq!(strict.max_level(), filter::LevelFilter::ERROR);
    assert!(!strict.enabled(&base().as_record().meta()));
}

#[test]
fn a_level_by_user_lets_through_what_tracing_logs_in_that_user_s_spans_alone() {
    let memory = sink::Memory::new();
    let text = format::Text::new().time(format::Time::none()).target(false);
    let output = Output::new(text, memory.clone()).filter(filter::level_by("user").with(42, Level::DEBUG));
    tracing::dispatcher::with_default(&dispatch(output), || {
        for user in [41_u64, 42] {
            let _request = info_span!("request", user).entered();
            debug!("thought");
            info!("sold");
        }
        debug!("nobody's");
    });
    assert_eq!(
        memory.lines(),
        [" INFO request{user=41}: sold", "DEBUG request{user=42}: thought", " INFO request{user=42}: sold"]
    );
}

#[test]
fn what_tracing_captures_is_compared_by_its_type() {
    let seen = seen(|| {
        let big = u128::MAX;
        info!(status = 503_u16, ratio = 0.5, ok = true, big, shown = %"x", debugged = ?"x", "done");
    });
    let record = seen.last();
    for condition in [
        filter::field("status").ge(500),
        filter::field("ratio").lt(1),
        filter::field("ok").eq(true),
        filter::field("big").gt(u64::MAX),
        filter::field("shown").eq("x"),
        filter::field("debugged").eq("\"x\""),
    ] {
        assert!(passes(condition.clone(), &record), "{condition:?}");
    }
}

#[cfg(feature = "regex")]
#[test]
fn regular_expressions_see_messages_fields_and_targets() {
    let record = RecordBuf::new(Severity::INFO, "shop::till", "took 1250 ms").with_field("n", 17_u64);
    assert!(passes(filter::matches(r"\d+ ms$").unwrap(), &record));
    assert!(!passes(filter::matches(r"^\d+ ms$").unwrap(), &record));
    assert!(passes(filter::field_matches("n", "^1[0-9]$").unwrap(), &record));
    assert!(!passes(filter::field_matches("m", ".*").unwrap(), &record), "a field that is not there");
    let target = filter::target_matches("(^|::)till$").unwrap();
    assert!(target.passes(&record.as_record()) && !target.per_record());
    let error = filter::field_matches("n", "[").unwrap_err();
    assert!(format!("{error:#}").starts_with("cannot use the regular expression \"[\": "), "{error}");
}
