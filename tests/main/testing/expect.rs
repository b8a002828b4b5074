use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Level;
use tracing_handlers::testing::{Captured, expect};
use tracing_handlers::{Handler, RecordBuf, Severity, Value};

fn captured() -> Captured {
    let captured = Captured::new();
    let sold = RecordBuf::new(Severity::INFO, "shop::till", "sold")
        .with_field("pieces", 3_u64)
        .with_field("user", Value::Text("ada"))
        .with_span("request", [("id", 7_i64.into())]);
    let out = RecordBuf::new(Severity::NOTICE, "shop", "sold out").with_error("error", &["no stock", "strike"]);
    for record in [sold, out] {
        captured.handle(&record.as_record()).unwrap();
    }
    captured
}

fn panic_of(assert: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assert)).expect_err("it should not hold");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn each_condition_holds_for_what_it_says_and_for_nothing_else() {
    let captured = captured();
    let holding = [
        expect().level(Level::INFO).target("shop::till"),
        expect().severity(Severity::NOTICE),
        expect().message("sold"),
        expect().message_contains("out"),
        expect().field("pieces", 3_i32).field("user", "ada"),
        expect().field("error", "no stock: strike"),
        expect().has_field("pieces").no_field("error"),
        expect().in_span("request").span_field("id", 7_u8),
    ];
    for expect in holding {
        assert_eq!(captured.count(&expect), 1, "{expect}");
    }
    let failing = [
        expect().level(Level::WARN),
        expect().severity(Severity::WARN),
        expect().target("sho"),
        expect().message("sol"),
        expect().message_contains("SOLD"),
        expect().field("pieces", 4),
        expect().field("pieces", "3"),
        expect().field("pieces", 3.0),
        expect().field("user", 3),
        expect().has_field("price"),
        expect().no_field("pieces").no_field("error"),
        expect().in_span("query"),
        expect().span_field("id", 8),
        expect().message("sold").has_field("error"),
    ];
    for expect in failing {
        assert_eq!(captured.count(&expect), 0, "{expect}");
    }
    assert_eq!((captured.at(Level::INFO).len(), captured.at(Level::WARN).len()), (2, 0));
}

#[test]
fn what_is_missing_is_told_with_what_comes_nearest() {
    let captured = captured();
    let message = panic_of(|| captured.assert_logged(expect().message("sold").field("pieces", 4).in_span("request")));
    assert_eq!(
        message,
        "no record was logged with message \"sold\", field pieces=4, in span request\n\
         the nearest one:\n INFO request{id=7}: shop::till: sold pieces=3 user=ada\n  but pieces is 3, not 4\n\
         captured (2):\n INFO request{id=7}: shop::till: sold pieces=3 user=ada\n\
         NOTICE shop: sold out error=\"no stock: strike\"\n"
    );
    // With nothing in common there is no near miss.
    assert!(!panic_of(|| captured.assert_logged(expect().message("bought"))).contains("nearest"));
}

#[test]
fn what_should_not_be_there_and_what_is_there_too_often_is_told() {
    let captured = captured();
    captured.assert_never(expect().level(Level::ERROR));
    captured.assert_count(2, expect().target("shop"));
    assert!(panic_of(|| captured.assert_never(expect().message("sold"))).starts_with("a record was logged with"));
    let message = panic_of(|| captured.assert_count(1, expect().message_contains("sold")));
    assert!(message.starts_with("2 records were logged, not 1, with message containing \"sold\""), "{message}");
}

#[test]
fn a_sequence_holds_in_its_order_only() {
    let captured = captured();
    captured.assert_sequence([expect().message("sold"), expect().message("sold out")]);
    captured.assert_sequence([expect().message("sold out")]);
    captured.assert_sequence([]);
    let message = panic_of(|| captured.assert_sequence([expect().message("sold out"), expect().message("sold")]));
    assert!(message.starts_with("number 2 of the sequence was not logged: message \"sold\"\nit was logged earlier"));
    // One record does not stand for two.
    panic_of(|| captured.assert_sequence([expect().message("sold"), expect().message("sold")]));
}
