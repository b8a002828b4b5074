//! `init` receives records of the `log` crate, whether or not tracing-subscriber's feature `tracing-log` is on.

mod support;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Seen, outline};
use tracing::Level;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::format::{Caps, Format, Json, Logfmt, Out, Time};
use tracing_handlers::{ErrorKind, Output, RecordBuf, Severity, Value, sink};

#[test]
fn records_of_the_log_crate_arrive_with_their_key_values() {
    let seen = Seen::default();
    let handle = tracing_handlers::init(seen.clone()).unwrap();

    the_origin_is_that_of_the_call(&seen);
    key_values_keep_their_types(&seen);
    a_text_called_severity_raises_the_severity_and_remains_a_field(&seen);
    a_key_value_message_is_a_field(&seen);
    any_name_and_any_number_of_key_values_is_captured(&seen);
    #[cfg(feature = "nested")]
    errors_and_nested_values_are_captured(&seen);
    each_record_has_its_own_key_values(&seen);
    a_key_value_that_panics_affects_no_other(&seen);
    a_key_value_that_logs_itself_does_not_recurse_endlessly(&seen);
    what_log_tracer_dispatches_has_no_key_values(&seen);
    threads_keep_theirs_apart(&seen);
    records_that_are_not_wanted_are_not_formatted(&seen);

    assert_eq!(tracing_handlers::init(Seen::default()).unwrap_err().kind(), ErrorKind::Config);
    tracing_handlers::bridge_log().unwrap();
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
    // Further calls have no effect.
    log::set_max_level(log::LevelFilter::Error);
    tracing_handlers::bridge_log().unwrap();
    assert_eq!(log::max_level(), log::LevelFilter::Error);
    log::set_max_level(log::LevelFilter::Debug);

    handle.swap(Output::new(Json::new(), sink::Memory::new()).level(Level::WARN).spans(LevelFilter::OFF));
    assert_eq!(log::max_level(), log::LevelFilter::Warn);
    handle.swap(seen.clone());
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
}

fn the_origin_is_that_of_the_call(seen: &Seen) {
    let span = tracing::info_span!("request", id = 7).entered();
    let line = line!() + 1;
    log::info!("sold {}", 3);
    log::debug!(target: "shop", "details");
    drop(span);
    let records = seen.take();
    assert_eq!(outline(&records), ["sold 3", "details"]);
    let sold = records[0].as_record();
    assert_eq!((sold.target(), sold.module_path()), (module_path!(), Some(module_path!())));
    assert_eq!((sold.file(), sold.line()), (Some(file!()), Some(line)));
    assert_eq!((sold.severity(), sold.spans().count()), (Severity::INFO, 1));
    let details = records[1].as_record();
    assert_eq!((details.target(), details.severity()), ("shop", Severity::DEBUG));
}

fn key_values_keep_their_types(seen: &Seen) {
    log::warn!(
        target: "shop",
        text = "a \"b\"",
        char = 'c',
        minus = -7,
        most = u64::MAX,
        wide = u128::MAX,
        wide_minus = i128::MIN,
        float = 1.5,
        yes = true,
        nothing = (),
        missing = None::<u8>,
        shown:% = format_args!("{}", "shown"),
        debugged:? = ["é\n"],
        message = "a field",
        severity = "debug";
        "of all types"
    );
    let records = seen.take();
    let record = records[0].as_record();
    let expected = [
        ("text", Value::Str("a \"b\"")),
        ("char", Value::Str("c")),
        ("minus", Value::I64(-7)),
        ("most", Value::U64(u64::MAX)),
        ("wide", Value::U128(u128::MAX)),
        ("wide_minus", Value::I128(i128::MIN)),
        ("float", Value::F64(1.5)),
        ("yes", Value::Bool(true)),
        ("nothing", Value::Json("null")),
        ("missing", Value::Json("null")),
        ("shown", Value::Text("shown")),
        ("debugged", Value::Text("[\"é\\n\"]")),
        ("message", Value::Str("a field")),
        ("severity", Value::Str("debug")),
    ];
    let found: Vec<_> = record.fields().map(|field| (field.name, field.value)).collect();
    assert_eq!(found, expected);
    assert_eq!((record.message(), record.severity()), ("of all types", Severity::WARN));
}

/// The same rule as for a field of tracing's macros.
fn a_text_called_severity_raises_the_severity_and_remains_a_field(seen: &Seen) {
    log::info!(severity = "alert"; "named");
    log::info!(a = 1, severity:% = "Notice", b = 2; "displayed");
    log::info!(severity:? = format_args!("error"); "debugged");
    log::info!(severity = "error", severity = "warn", severity = "debug"; "three times");
    log::warn!(severity = "notice"; "below the level");
    log::info!(severity = 21; "a number");
    log::info!(severity = "loud"; "no name");
    log::info!(Severity = "error"; "another name");
    log::info!("none, right after");
    let expected = [
        ("named", Severity::ALERT),
        ("displayed", Severity::NOTICE),
        ("debugged", Severity::ERROR),
        ("three times", Severity::WARN),
        ("below the level", Severity::WARN),
        ("a number", Severity::INFO),
        ("no name", Severity::INFO),
        ("another name", Severity::INFO),
        ("none, right after", Severity::INFO),
    ];
    let records = seen.take();
    let found: Vec<_> =
        records.iter().map(|record| (record.as_record().message(), record.as_record().severity())).collect();
    assert_eq!(found, expected);
    assert_eq!(records[0].as_record().field("severity"), Some(Value::Str("alert")));
    assert_eq!(records[1].as_record().field("severity"), Some(Value::Text("Notice")));
    assert_eq!(records[3].as_record().fields().count(), 3);
    assert_eq!(records[4].as_record().field("severity"), Some(Value::Str("notice")));
    let json = Json::new().time(Time::none());
    let named = r#"{"level":"ALERT","target":"init","message":"named","severity":"alert"}"#;
    assert_eq!(line(&json, &records[0]), named);
}

fn a_key_value_message_is_a_field(seen: &Seen) {
    log::info!(message = "a field"; "");
    log::info!(message = "a field", message = "another"; "the message");
    let records = seen.take();
    let records: Vec<_> = records.iter().map(RecordBuf::as_record).collect();
    assert_eq!((records[0].message(), records[0].field("message")), ("", Some(Value::Str("a field"))));
    assert_eq!((records[1].message(), records[1].fields().count()), ("the message", 2));
}

fn any_name_and_any_number_of_key_values_is_captured(seen: &Seen) {
    let names: Vec<_> = (0..1000).map(|number| format!("name {number}")).collect();
    let pairs: Vec<_> =
        names.iter().zip(0_u64..).map(|(name, number)| (&**name, log::kv::Value::from(number))).collect();
    log::logger().log(&log::Record::builder().level(log::Level::Info).key_values(&pairs).build());
    let twice = [("a", 1), ("a", 2), ("", 3), ("log.target", 4)];
    let record = log::Record::builder().level(log::Level::Info).target("shop").key_values(&twice).build();
    log::logger().log(&record);
    let records = seen.take();
    assert!(records[0].as_record().fields().zip(0..).all(|(field, at)| field.value == Value::U64(at)));
    assert_eq!(records[0].as_record().fields().count(), 1000);
    let json = Json::new().time(Time::none());
    assert_eq!(line(&json, &records[1]), r#"{"level":"INFO","target":"shop","a":1,"a_2":2,"":3,"log.target":4}"#);
    assert_eq!(
        line(&Logfmt::new().time(Time::none()), &records[1]),
        "level=info target=shop a=1 a_2=2 _=3 log.target=4"
    );
}

#[cfg(feature = "nested")]
fn errors_and_nested_values_are_captured(seen: &Seen) {
    #[derive(serde::Serialize)]
    struct User {
        id: u32,
        roles: Vec<&'static str>,
    }
    struct Bad;
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("bad"))
        }
    }
    let user = User { id: 7, roles: vec!["admin"] };
    let error = std::io::Error::other(std::num::ParseIntError::clone(&"x".parse::<u8>().unwrap_err()));
    log::error!(
        user:serde = user, number:serde = 7_u8, word:serde = "w", none:serde = None::<u8>, bad:serde = Bad, err:err = error,
        list:serde = [1, 2];
        "failed"
    );
    let records = seen.take();
    let record = records[0].as_record();
    assert_eq!(record.field("user"), Some(Value::Json(r#"{"id":7,"roles":["admin"]}"#)));
    assert_eq!(record.field("list"), Some(Value::Json("[1,2]")));
    assert_eq!((record.field("number"), record.field("word")), (Some(Value::U64(7)), Some(Value::Str("w"))));
    assert_eq!(record.field("none"), Some(Value::Json("null")));
    let Some(Value::Text(bad)) = record.field("bad") else { panic!("{record:?}") };
    assert!(bad.starts_with("<cannot be serialized: ") && bad.ends_with("bad>"), "{bad}");
    let Some(Value::Error(chain)) = record.field("err") else { panic!("{record:?}") };
    assert!(chain.messages().eq(["invalid digit found in string"]), "{chain:?}");
}

fn each_record_has_its_own_key_values(seen: &Seen) {
    struct Logs;
    impl fmt::Display for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            log::info!("without");
            log::info!(inner = 1; "with");
            tracing::info!(field = 1, "of tracing");
            f.write_str("outer")
        }
    }
    log::info!(outer = 1; "{Logs}");
    log::info!(value:% = Logs; "value");
    log::info!("after");
    let inner = ["without", "with inner", "of tracing field"];
    let expected = [&inner[..], &["outer outer"], &inner[..], &["value value", "after"]].concat();
    assert_eq!(outline(&seen.take()), expected);
}

fn a_key_value_that_panics_affects_no_other(seen: &Seen) {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("while formatting");
        }
    }
    log::info!(a = 1, b:? = Panics, c = 3; "panics");
    log::info!("after");
    let records = seen.take();
    assert_eq!(outline(&records), ["panics a b c", "after"]);
    assert_eq!(records[0].as_record().field("b"), Some(Value::Text("<formatting panicked>")));
}

fn a_key_value_that_logs_itself_does_not_recurse_endlessly(seen: &Seen) {
    struct Logs;
    impl fmt::Display for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            log::info!(again:% = Logs; "shown");
            f.write_str("logs")
        }
    }
    log::info!(first:% = Logs; "outermost");
    let records = seen.take();
    assert!((2..100).contains(&records.len()), "{}", records.len());
    assert_eq!(records.last().unwrap().as_record().message(), "outermost");
}

fn what_log_tracer_dispatches_has_no_key_values(seen: &Seen) {
    struct Dispatches;
    impl fmt::Display for Dispatches {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let args = format_args!("by tracing-log");
            tracing_log::format_trace(&log::Record::builder().level(log::Level::Info).args(args).build()).unwrap();
            f.write_str("outer")
        }
    }
    log::info!(outer = 1; "{Dispatches}");
    assert_eq!(outline(&seen.take()), ["by tracing-log", "outer outer"]);
}

fn threads_keep_theirs_apart(seen: &Seen) {
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || (0..100).for_each(|_| log::info!(thread = thread; "{thread}")));
        }
    });
    let records = seen.take();
    assert_eq!(records.len(), 400);
    let is_its_own = |record: &RecordBuf| {
        let record = record.as_record();
        record.field("thread").is_some_and(|thread| thread.to_string() == record.message())
    };
    assert!(records.iter().all(is_its_own));
}

fn records_that_are_not_wanted_are_not_formatted(seen: &Seen) {
    static FORMATTED: AtomicUsize = AtomicUsize::new(0);
    struct Counts;
    impl fmt::Display for Counts {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            FORMATTED.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
    log::trace!(value:% = Counts; "{Counts}");
    // The macros check the maximum level; other callers need not.
    let pairs = [("value", log::kv::Value::from_display(&Counts))];
    let record = log::Record::builder().level(log::Level::Trace).key_values(&pairs).build();
    log::logger().log(&record);
    assert_eq!(FORMATTED.load(Ordering::Relaxed), 0);
    assert!(!log::log_enabled!(log::Level::Trace) && log::log_enabled!(log::Level::Debug));
    log::info!(target: "unwanted", "by its target");
    assert_eq!(seen.take().len(), 0);
}

fn line(format: &dyn Format, record: &RecordBuf) -> String {
    let mut out = Vec::new();
    format.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out).unwrap()
}
