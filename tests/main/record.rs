//! What a record says of an event: values with their types, messages, names, places.

use std::error::Error;
use std::fmt;

use tracing::field::Empty;
use tracing::{Level, debug, error, event, info, info_span, trace, warn};
use tracing_handlers::{FieldChange, RecordBuf, Severity, Value};

use crate::collect::{Seen, dispatch, pin, seen, spans};

fn one(log: impl FnOnce()) -> RecordBuf {
    let seen = seen(log);
    assert_eq!(seen.count(), 1, "{:?}", seen.all());
    seen.last()
}

fn names(record: &RecordBuf) -> Vec<String> {
    record.as_record().fields().map(|field| field.name.to_owned()).collect()
}

#[test]
fn numbers_and_truth_values_keep_their_types() {
    let record = one(|| {
        info!(
            yes = true,
            no = false,
            i = i64::MIN,
            small = -3_i8,
            u = u64::MAX,
            size = 7_usize,
            wide = i128::MIN,
            wider = u128::MAX,
            f = 0.1_f64,
            nan = f64::NAN,
            infinite = f64::NEG_INFINITY,
            single = 0.5_f32,
            nonzero = std::num::NonZeroU32::new(9).unwrap(),
        );
    });
    let record = record.as_record();
    assert_eq!(record.field("yes"), Some(Value::Bool(true)));
    assert_eq!(record.field("no"), Some(Value::Bool(false)));
    assert_eq!(record.field("i"), Some(Value::I64(i64::MIN)));
    assert_eq!(record.field("small"), Some(Value::I64(-3)));
    assert_eq!(record.field("u"), Some(Value::U64(u64::MAX)));
    assert_eq!(record.field("size"), Some(Value::U64(7)));
    assert_eq!(record.field("wide"), Some(Value::I128(i128::MIN)));
    assert_eq!(record.field("wider"), Some(Value::U128(u128::MAX)));
    assert_eq!(record.field("f"), Some(Value::F64(0.1)));
    assert!(matches!(record.field("nan"), Some(Value::F64(nan)) if nan.is_nan()));
    assert_eq!(record.field("infinite"), Some(Value::F64(f64::NEG_INFINITY)));
    assert_eq!(record.field("single"), Some(Value::F64(0.5)));
    assert_eq!(record.field("nonzero"), Some(Value::U64(9)));
    assert_eq!(record.fields().count(), 13);
}

#[test]
fn texts_bytes_debug_and_display_are_told_apart() {
    let (name, bytes) = (String::from("Grüße \"\n"), [0_u8, 255, 10]);
    let record = one(|| {
        info!(literal = "a\u{1}b", owned = name, bytes = &bytes[..], none = &[] as &[u8], empty = "", debug = ?name, display = %name);
    });
    let record = record.as_record();
    assert_eq!(record.field("literal"), Some(Value::Str("a\u{1}b")));
    assert_eq!(record.field("owned"), Some(Value::Str(&name)));
    assert_eq!(record.field("bytes"), Some(Value::Bytes(&bytes)));
    assert_eq!(record.field("none"), Some(Value::Bytes(&[])));
    assert_eq!(record.field("empty"), Some(Value::Str("")));
    assert_eq!(record.field("debug"), Some(Value::Text(&format!("{name:?}"))));
    assert_eq!(record.field("display"), Some(Value::Text(&name)));
}

#[derive(Debug)]
struct Layered(&'static str, Option<Box<Layered>>);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.1.as_deref()? as _)
    }
}

#[test]
fn an_error_keeps_its_whole_chain_of_sources() {
    let error = Layered("outer", Some(Box::new(Layered("middle: x", Some(Box::new(Layered("", None)))))));
    let record = one(|| error!(error = &error as &dyn Error, after = 1, "failed"));
    let record = record.as_record();
    let Some(Value::Error(chain)) = record.field("error") else { panic!("{record:?}") };
    assert_eq!(chain.messages().collect::<Vec<_>>(), ["outer", "middle: x", ""]);
    assert_eq!(record.field("after"), Some(Value::I64(1)), "what follows an error is read right");
}

#[test]
fn an_error_chain_longer_than_one_text_may_be_keeps_each_of_its_messages() {
    #[derive(Debug)]
    struct Long(Option<Box<Self>>);

    impl fmt::Display for Long {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (0..9 << 19).try_for_each(|_| f.write_str("é"))
        }
    }

    impl Error for Long {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self.0.as_deref()?)
        }
    }

    let error = Long(Some(Box::new(Long(None))));
    let record = one(|| error!(error = &error as &dyn Error, after = 1, "failed"));
    let record = record.as_record();
    let Some(Value::Error(chain)) = record.field("error") else { panic!("no error") };
    assert_eq!(chain.messages().map(str::len).collect::<Vec<_>>(), [9 << 20, 9 << 20]);
    assert_eq!(record.field("after"), Some(Value::I64(1)));
}

#[test]
fn an_error_that_is_its_own_source_comes_to_an_end() {
    #[derive(Debug)]
    struct Ouroboros;
    impl fmt::Display for Ouroboros {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("tail")
        }
    }
    impl Error for Ouroboros {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }
    let record = one(|| error!(error = &Ouroboros as &dyn Error));
    let Some(Value::Error(chain)) = record.as_record().field("error") else { panic!("{record:?}") };
    let count = chain.messages().count();
    assert!((2..1000).contains(&count), "{count}");
}

#[test]
fn an_option_is_its_value_or_nothing_and_an_empty_field_is_not_there() {
    let record = one(|| info!(some = Some(3), none = None::<u64>, empty = Empty, last = true));
    assert_eq!(record.as_record().field("some"), Some(Value::I64(3)));
    assert_eq!(names(&record), ["some", "last"]);
}

#[test]
fn a_message_is_the_same_however_it_is_given() {
    let what = "world";
    let seen = seen(|| {
        info!("hello world");
        info!("hello {}", what);
        info!("hello {what}");
        info!(message = "hello world");
        info!(message = %"hello world");
        info!({ n = 1 }, "hello {what}");
        event!(Level::INFO, n = 1, "hello {what}");
    });
    assert_eq!(seen.messages(), ["hello world"; 7]);
    assert!(seen.all().iter().all(|record| record.as_record().field("message").is_none()));
}

#[test]
fn a_message_of_another_type_is_written_out_and_without_one_it_is_empty() {
    let error = Layered("broken", None);
    let seen = seen(|| {
        info!(message = 5);
        info!(message = true);
        info!(message = ?Some(1));
        error!(message = &error as &dyn Error);
        info!(n = 1);
    });
    assert_eq!(seen.messages(), ["5", "true", "Some(1)", "broken", ""]);
}

#[test]
fn field_names_with_dots_keywords_and_quotes_are_kept() {
    let record =
        one(|| info!(http.request.method = "GET", r#type = "x", "with space" = 1, "quo\"te" = 2, ünï = 3, "m"));
    assert_eq!(names(&record), ["http.request.method", "type", "with space", "quo\"te", "ünï"]);
}

#[test]
fn an_event_with_thirty_fields_keeps_all_of_them_in_order() {
    let record = one(|| {
        info!(
            a0 = 0,
            a1 = 1,
            a2 = 2,
            a3 = 3,
            a4 = 4,
            a5 = 5,
            a6 = 6,
            a7 = 7,
            a8 = 8,
            a9 = 9,
            b0 = 10,
            b1 = 11,
            b2 = 12,
            b3 = 13,
            b4 = 14,
            b5 = 15,
            b6 = 16,
            b7 = 17,
            b8 = 18,
            b9 = 19,
            c0 = 20,
            c1 = 21,
            c2 = 22,
            c3 = 23,
            c4 = 24,
            c5 = 25,
            c6 = 26,
            c7 = 27,
            c8 = 28,
            c9 = 29,
            "many"
        );
    });
    let record = record.as_record();
    let values: Vec<_> = record.fields().map(|field| field.value).collect();
    assert_eq!(values, (0..30).map(Value::I64).collect::<Vec<_>>());
    assert_eq!((record.message(), record.field("c9")), ("many", Some(Value::I64(29))));
}

#[test]
fn level_target_name_and_place_are_those_of_the_callsite() {
    let line = line!() + 2;
    let seen = seen(|| {
        info!("plain");
        warn!(name: "given name", target: "given::target", "named");
        trace!("t");
        debug!("d");
        error!("e");
    });
    let all = seen.all();
    let plain = all[0].as_record();
    assert_eq!((plain.target(), plain.module_path()), (module_path!(), Some(module_path!())));
    assert_eq!((plain.file(), plain.line()), (Some(file!()), Some(line)));
    assert_eq!(plain.name(), format!("event {}:{line}", file!()));
    let named = all[1].as_record();
    assert_eq!((named.name(), named.target()), ("given name", "given::target"));
    let levels: Vec<_> = all.iter().map(|record| record.as_record().severity()).collect();
    assert_eq!(levels, [Severity::INFO, Severity::WARN, Severity::TRACE, Severity::DEBUG, Severity::ERROR]);
}

#[test]
fn a_record_says_which_thread_logged_it() {
    let kept = Seen::default();
    let dispatch = dispatch(kept.clone());
    let log = move || {
        tracing::dispatcher::with_default(&dispatch, || info!("x"));
        format!("{:?}", std::thread::current().id())
    };
    let id = std::thread::Builder::new().name("thread ü".into()).spawn(log.clone()).unwrap().join().unwrap();
    std::thread::spawn(log).join().unwrap();
    let all = kept.all();
    assert_eq!(all[0].as_record().thread_name(), Some("thread ü"));
    assert_eq!(format!("ThreadId({})", all[0].as_record().thread_id().unwrap()), id);
    assert_eq!(all[1].as_record().thread_name(), None);
    assert_ne!(all[0].as_record().thread_id(), all[1].as_record().thread_id());
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of ")?;
        panic!("in Debug, on purpose");
    }
}

impl fmt::Display for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Error for Panics {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("in source, on purpose");
    }
}

#[test]
fn a_debug_that_panics_costs_its_own_field_only() {
    let seen = seen(|| {
        let _span = info_span!("s", before = 1, bad = ?Panics, after = 2).entered();
        info!(before = 1, bad = ?Panics, after = 2, "message");
        info!(before = 1, "message {}", Panics);
    });
    let all = seen.all();
    assert_eq!(all.len(), 2);
    let record = all[0].as_record();
    assert_eq!((record.field("before"), record.field("after")), (Some(Value::I64(1)), Some(Value::I64(2))));
    assert_eq!(record.message(), "message");
    let bad = record.field("bad").unwrap().to_string();
    assert!(bad.contains("panicked") && !bad.contains("half"), "{bad}");
    let span = record.spans().next().unwrap();
    assert_eq!((span.field("before"), span.field("after")), (Some(Value::I64(1)), Some(Value::I64(2))));
    assert_eq!(all[1].as_record().field("before"), Some(Value::I64(1)));
}

#[test]
fn an_error_that_panics_costs_its_own_field_only() {
    let record = one(|| error!(before = 1, error = &Panics as &dyn Error, after = 2, "message"));
    let record = record.as_record();
    assert_eq!((record.field("before"), record.field("after")), (Some(Value::I64(1)), Some(Value::I64(2))));
    assert_eq!(record.message(), "message");
}

#[test]
fn a_display_that_fails_without_a_panic_costs_its_own_field_only() {
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let record = one(|| info!(bad = %Fails, good = 1, "m"));
    assert_eq!(record.as_record().field("good"), Some(Value::I64(1)));
    assert!(record.as_record().field("bad").is_some());
}

#[test]
fn a_megabyte_of_text_is_kept_whole() {
    let text = "ü".repeat(1 << 19);
    let record = one(|| info!(text, n = 1, "{text}"));
    assert_eq!(record.as_record().message(), text);
    assert_eq!(record.as_record().field("text"), Some(Value::Str(&text)));
    assert_eq!(record.as_record().field("n"), Some(Value::I64(1)));
}

#[test]
fn an_event_logged_with_no_handler_at_all_is_no_trouble() {
    pin();
    let nobody: Vec<Seen> = Vec::new();
    tracing::dispatcher::with_default(&dispatch(nobody), || info!(n = 1, "x"));
    tracing::dispatcher::with_default(&dispatch(None::<Seen>), || info!(n = 1, "x"));
}

#[test]
fn changing_an_event_s_fields_leaves_everything_else_as_it_was() {
    let mut record = one(|| {
        let _a = info_span!("a", secret = "s1", keep = 1).entered();
        let _b = info_span!("b", n = 1_u64, secret = Empty).entered();
        tracing::Span::current().record("secret", "s2");
        warn!(target: "t", secret = "s3", "http.x" = 2.5, gone = 1, "message");
    });
    let before = format!("{:?}", record.as_record().meta());
    let mut asked = Vec::new();
    record.change_fields(|span, field| {
        asked.push((span.map(|span| span.name().to_owned()), field.name.to_owned()));
        match field.name {
            "secret" => FieldChange::Set(Value::U64(0)),
            "gone" => FieldChange::Remove,
            "keep" => FieldChange::Rename("kept"),
            _ => FieldChange::Keep,
        }
    });
    record.set_message("other");
    record.push_field("added", Value::Bool(true));
    let read = record.as_record();
    assert_eq!(format!("{:?}", read.meta()), before);
    assert_eq!(read.message(), "other");
    assert_eq!(names(&record), ["secret", "http.x", "added"]);
    assert_eq!(read.field("secret"), Some(Value::U64(0)));
    assert_eq!(read.field("http.x"), Some(Value::F64(2.5)));
    assert_eq!(spans(&record), ["a{secret=0, kept=1}", "b{n=1, secret=0}"]);
    let a = Some("a".to_owned());
    assert!(asked.contains(&(a, "keep".into())) && asked.contains(&(None, "gone".into())), "{asked:?}");
}

#[test]
fn changing_fields_survives_a_change_that_panics() {
    let mut record = RecordBuf::new(Severity::INFO, "t", "m").with_field("a", 1).with_field("b", 2);
    let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        record.change_fields(|_, field| match field.name {
            "b" => panic!("on purpose"),
            _ => FieldChange::Remove,
        });
    }));
    assert!(changed.is_err());
    assert_eq!(names(&record), ["a", "b"], "the record is as it was");
}
