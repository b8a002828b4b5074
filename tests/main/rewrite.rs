//! Rewrites in front of handlers: what they leave alone, and what formats and handlers behind them make of it.

use std::sync::Arc;

use tracing::{info, info_span};
use tracing_handlers::format::{Json, Text, Time};
use tracing_handlers::handler::{Handler, Rewriting};
use tracing_handlers::rewrite::{Add, Cap, Detector, Redact, Remove, Rename, Rewrite, SetSeverity};
use tracing_handlers::sink::Memory;
use tracing_handlers::{FieldChange, Output, Record, RecordBuf, Severity, Value, filter};

use crate::collect::{Seen, dispatch, seen, spans};

#[test]
fn a_record_in_which_nothing_is_changed_stays_the_same_in_every_byte() {
    let record = seen(|| {
        let _span = info_span!("request", id = 7, user = "ada").entered();
        info!(pieces = 3, ok = true, price = 2.5, debug = ?"x", "sold");
    })
    .last();
    let rewrites: [&dyn Rewrite; 5] = [
        &Redact::fields(["password"]).with_detectors(Detector::ALL),
        &Remove::fields(["nothing"]),
        &Rename::fields([("nothing", "something")]),
        &Cap::new().message(100).values(100).fields(100).spans(100),
        &Add::new(),
    ];
    for rewrite in rewrites {
        let mut changed = record.clone();
        rewrite.rewrite(&mut changed);
        assert!(changed.__bytes() == record.__bytes());
    }
}

#[test]
fn no_byte_of_what_was_taken_out_is_left() {
    let mut record = RecordBuf::new(Severity::INFO, "t", "the s3cret message")
        .with_field("password", "s3cret")
        .with_error("error", &["s3cret", "s3cret"])
        .with_span("a", [("password", Value::Bytes(b"s3cret"))])
        .with_thread("worker", 1);
    Redact::fields(["password", "error", "MESSAGE"]).rewrite(&mut record);
    let copy = record.clone();
    for record in [&record, &copy] {
        assert!(!record.__bytes().windows(6).any(|window| window == b"s3cret"));
    }
    assert_eq!(record.as_record().message(), "***");
    assert_eq!(record.as_record().thread_name(), Some("worker"));
}

/// Formats keep how they wrote the spans of the record before, if those are the same.
#[test]
fn lines_kept_from_the_record_before_never_show_what_a_rewrite_took_out() {
    let (json, text) = (Memory::new(), Memory::new());
    let outputs = Arc::new((
        Output::new(Json::new().time(Time::none()), json.clone()),
        Output::new(Text::new().time(Time::none()), text.clone()),
    ));
    let change = |record: &mut RecordBuf| {
        let hidden = record.as_record().message() == "hidden";
        record.change_fields(|span, field| match (span, field.name) {
            (Some(_), "secret") if hidden => FieldChange::Set("***".into()),
            (None, "n") => FieldChange::Set(Value::U64(0)),
            _ => FieldChange::Keep,
        });
    };
    let handlers = (outputs.clone() as Arc<dyn Handler>, Rewriting::new(change, outputs.clone() as Arc<dyn Handler>));
    tracing::dispatcher::with_default(&dispatch(handlers), || {
        let _span = info_span!("request", secret = "s3cret").entered();
        for message in ["shown", "hidden", "shown", "hidden"] {
            info!(n = 7, "{message}");
        }
    });
    for (memory, n) in [(&json, r#""n":0"#), (&text, "n=0")] {
        let lines = memory.lines();
        assert_eq!(lines.len(), 8);
        for (index, line) in lines.iter().enumerate() {
            let rewritten = index % 2 == 1;
            assert_eq!(line.contains(n), rewritten, "{line}");
            assert_eq!(line.contains("s3cret"), !(rewritten && line.contains("hidden")), "{line}");
        }
    }
}

#[test]
fn a_condition_that_panics_stops_its_record() {
    let behind = Seen::default();
    let only = filter::on_record(|record| {
        assert!(record.message() != "bad", "on purpose");
        true
    });
    let rewriting = Arc::new(Rewriting::new(Redact::fields(["a"]), behind.clone()).only(only));
    tracing::dispatcher::with_default(&dispatch(rewriting.clone()), || {
        for message in ["one", "bad", "two"] {
            info!(a = 1, "{message}");
        }
    });
    assert_eq!(behind.messages(), ["one", "two"]);
    let stats = rewriting.stats()[0].stats;
    assert!(stats.failed == 1 && stats.balances());
}

#[test]
fn conditions_are_joined_and_judge_the_record_as_it_was_logged() {
    let behind = Seen::default();
    let rewriting = Rewriting::new(SetSeverity::to(Severity::WARN), behind.clone())
        .only(filter::targets(["shop"]))
        .only(Severity::INFO);
    tracing::dispatcher::with_default(&dispatch(rewriting), || {
        info!(target: "shop", "one");
        info!(target: "other", "two");
        tracing::debug!(target: "shop", "three");
    });
    let severities: Vec<_> = behind.all().iter().map(|record| record.as_record().severity()).collect();
    assert_eq!(severities, [Severity::WARN, Severity::INFO, Severity::DEBUG]);
}

#[test]
fn hidden_values_are_masked_whatever_their_type() {
    let mut record = seen(|| {
        let _span = info_span!("a", x = tracing::field::Empty, y = 1.5).entered();
        tracing::Span::current().record("x", true);
        info!(x = 1, y = ?Some(2), X = %"3", "message");
    })
    .last();
    record.push_field("y", Value::Json("[1]"));
    record.push_field("x", Value::U128(u128::MAX));
    Redact::fields(["x", "y"]).mask("-").rewrite(&mut record);
    assert_eq!(spans(&record), [r#"a{y="-", x="-"}"#]);
    assert!(record.as_record().fields().all(|field| field.value == Value::Str("-")));
    assert_eq!(record.as_record().fields().count(), 5);
}

#[test]
fn what_says_that_it_is_json_and_is_not_is_masked_whole() {
    let mut record = RecordBuf::default().with_field("a", Value::Json(r#"{"password":"hunter2"#));
    Redact::fields(["password"]).rewrite(&mut record);
    assert_eq!(record.as_record().field("a"), Some(Value::Str("***")));
}

#[test]
fn other_texts_are_looked_through_where_that_is_asked_for() {
    let thread = |redact: Redact| {
        let mut record = RecordBuf::new(Severity::INFO, "for a@example.org", "").with_thread("b@example.org", 1);
        record = record.with_span("c@example.org", [("n", 1.into())]);
        redact.rewrite(&mut record);
        let record: Record<'_> = record.as_record();
        let span = record.spans().next().map(|span| format!("{span:?}"));
        format!("{} {} {}", record.target(), record.thread_name().unwrap_or(""), span.unwrap_or_default())
    };
    let redact = || Redact::detectors([Detector::Email]);
    assert_eq!(thread(redact()), "for a@example.org b@example.org c@example.org{n=1}");
    assert_eq!(thread(redact().everywhere(true)), "for *** *** ***{n=1}");
}

#[test]
fn long_texts_that_almost_hold_secrets_are_done_with_in_linear_time() {
    // With a pattern that goes back over the text for every place at which something might begin, each takes minutes.
    let redact = Redact::detectors(Detector::ALL);
    for piece in [
        "eyJaaaaaaa.",
        "eyJaaaaaaaaaaaa.a.",
        "a@",
        "4111 ",
        "4111-",
        "a4111111111111111",
        "1.",
        "::",
        "1:",
        "password=",
        "\"",
        "password=\"",
        "password=(",
        "://",
        "://a:",
        "-----BEGIN ",
        "sk_",
        "ghp_",
        "Bearer ",
        "a:b@",
        "\\",
        "\\\"password\\\":\\",
        "authorization: digest",
        "cookie:",
        "f",
        "é@é.",
    ] {
        let mut record = RecordBuf::new(Severity::INFO, "", &piece.repeat(400_000 / piece.len()));
        redact.rewrite(&mut record);
        assert!(!record.as_record().message().is_empty());
    }
}
