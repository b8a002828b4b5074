use proptest::prelude::*;
use tracing::Level;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::{Caps, Format, Json, Out, Text};
use tracing_handlers::record::wire::{self, Id, Limits};
use tracing_handlers::record::{ErrorBuf, SpanEvents};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Output, Record, RecordBuf, Severity, Value};

use super::model::model;
use super::{frame_of, record_of, said};
use crate::collect::{Seen, dispatch};

proptest! {
    #[test]
    fn what_the_tables_say_is_read_and_written(model in model(), id in any::<[u8; 16]>()) {
        let frame = model.frame(id);
        let record = record_of(&frame);
        prop_assert_eq!(said(&record.as_record()), model.said());
        let mut again = Vec::new();
        wire::encode(&record.as_record(), Id::from_bytes(id), &Limits::new(), &mut again).unwrap();
        prop_assert_eq!(again, frame);
    }
}

fn formatted(format: &dyn Format, record: &Record<'_>) -> String {
    let mut out = Vec::new();
    format.format(record, &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}

/// Asserts that the record is the same, and formatted the same, after it has been a frame.
#[track_caller]
pub fn assert_same(record: &RecordBuf) {
    let frame = frame_of(&record.as_record());
    let read = record_of(&frame);
    assert_eq!(said(&read.as_record()), said(&record.as_record()));
    let formats: [&dyn Format; 4] = [&Json::new(), &Text::full(), &Text::pretty(), &Text::compact()];
    for format in formats {
        assert_eq!(formatted(format, &read.as_record()), formatted(format, &record.as_record()));
    }
    assert_eq!(frame_of(&read.as_record()), frame, "written again");
}

/// Logs in spans, with values of every type.
fn log_all() {
    let error: Box<dyn std::error::Error> = Box::from(std::io::Error::other("no route"));
    let before = tracing::info_span!("before", why = "first").entered().exit();
    let request = tracing::info_span!("request", id = 7_u64, user = tracing::field::Empty, r#type = "x");
    request.follows_from(&before);
    request.record("user", "ada");
    let _request = request.entered();
    let _query = tracing::debug_span!(target: "shop::db", "query", table = ?Some("articles"), rows = 1.5).entered();
    tracing::info!(a = 1, b = -1_i64, c = u128::MAX, d = i128::MIN, e = f64::NAN, f = true, "sold {}", "é");
    tracing::warn!(name: "by name", target: "elsewhere", bytes = &[0_u8, 255][..], text = %"a\nb", r#type = "raw");
    tracing::error!(error = &*error, severity = "notice");
    tracing::event!(Level::TRACE, empty = "");
    #[cfg(feature = "serde")]
    tracing::info!(nested = ?tracing_handlers::nested(&[1, 2]));
}

#[test]
fn captured_records_come_back_the_same_and_format_the_same() {
    let seen = Seen::default();
    tracing::dispatcher::with_default(&dispatch(seen.clone()), log_all);
    assert!(seen.count() >= 4);
    seen.all().iter().for_each(assert_same);
    let first = frame_of(&seen.all()[0].as_record());
    let first = record_of(&first);
    let follows: Vec<_> = first.as_record().spans().map(|span| span.follows_from().count()).collect();
    assert_eq!(follows, [1, 0]);
}

#[test]
fn records_of_span_lives_and_of_the_log_crate_come_back_the_same() {
    let seen = Seen::default();
    let all = Output::new(Json::new(), Memory::new()).span_events(SpanEvents::ALL);
    let layer = tracing_handlers::layer((Lives(seen.clone()), all));
    let dispatch =
        tracing::Dispatch::new(tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer));
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info_span!("one", id = 1).in_scope(|| ());
        let record =
            log::Record::builder().args(format_args!("from log")).level(log::Level::Info).target("other").build();
        tracing_log::format_trace(&record).unwrap();
    });
    assert_eq!(seen.count(), 5, "{:?}", seen.all());
    seen.all().iter().for_each(assert_same);
}

/// Asks for the records of span lifecycle events, too.
struct Lives(Seen);

impl Handler for Lives {
    fn handle(&self, record: &Record<'_>) -> Result<(), tracing_handlers::Error> {
        self.0.handle(record)
    }

    fn span_events(&self) -> SpanEvents {
        SpanEvents::ALL
    }
}

#[test]
fn a_record_of_ten_thousand_fields_and_one_of_four_mebibytes_come_back_the_same() {
    let mut wide = super::model::sample();
    wide.fields = (0..10_000).map(|at| (format!("field {at}"), super::model::Item::U64(at))).collect();
    let read = record_of(&wide.frame([0; 16]));
    assert_eq!(read.as_record().fields().count(), 10_000);
    assert_eq!(frame_of(&read.as_record()), wide.frame([0; 16]));

    let (text, bytes) = ("é".repeat(2 << 20), vec![0xfe; 4 << 20]);
    let big = RecordBuf::new(Severity::INFO, "big", &text)
        .with_field("text", text.as_str())
        .with_field("bytes", &bytes[..])
        .with_time(Timestamp::EPOCH);
    let read = record_of(&frame_of(&big.as_record()));
    assert_eq!(read.as_record().message(), text);
    assert_eq!(read.as_record().field("text"), Some(Value::Str(&text)));
    assert_eq!(read.as_record().field("bytes"), Some(Value::Bytes(&bytes)));
}

#[test]
fn spans_that_a_view_hides_are_written_too() {
    let record = RecordBuf::new(Severity::INFO, "t", "m").with_span("hidden", [("a", 1_u64.into())]);
    let hidden = record.as_record().with_span_level(tracing_subscriber::filter::LevelFilter::OFF);
    assert_eq!(hidden.spans().count(), 0);
    assert_eq!(record_of(&frame_of(&hidden)).as_record().spans().count(), 1);
}

#[test]
fn records_that_do_not_come_from_tracing_come_back_the_same() {
    let mut error = ErrorBuf::new();
    assert_same(&RecordBuf::new(Severity::FATAL, "", "").with_field("", error.as_value()));
    error.push("");
    error.push("inner");
    assert_same(
        &RecordBuf::new(Severity::from_number(24).unwrap(), "t", "")
            .with_field("error", error.as_value())
            .with_field("json", Value::Json("[1,{\"a\":null}]"))
            .with_location("", "", 0)
            .with_thread("", 0)
            .with_span("", []),
    );
}
