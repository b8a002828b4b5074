use tracing_handlers::record::wire::{self, Decoded, Fault, Limits};
use tracing_handlers::{ErrorKind, RecordBuf, Severity, Value};

use super::model::{Item, sample, sealed};
use super::{frame_of, record_of};
use crate::collect::run_alone;

/// Whether both the writer and the reader accept the record.
#[track_caller]
fn is_within(limits: &Limits, record: &RecordBuf) -> bool {
    let mut out = b"before".to_vec();
    let written = wire::encode(&record.as_record(), None, limits, &mut out);
    let read = wire::decode(&frame_of(&record.as_record()), limits, &mut RecordBuf::default());
    match written {
        Ok(()) => assert!(matches!(read, Ok(Decoded::Record(_))), "{read:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Format);
            assert_eq!(out, b"before");
            let rejected = read.unwrap_err();
            assert_eq!((rejected.fault, rejected.len), (Fault::TooLarge, Some(frame_of(&record.as_record()).len())));
            return false;
        }
    }
    true
}

#[test]
fn each_limit_applies_to_writing_and_to_reading() {
    let record = record_of(&sample().frame([0; 16]));
    let frame = frame_of(&record.as_record()).len();
    // 11 of the event, one of a span, and what that follows from; the longest text is the event's name.
    let at = |limits: Limits| is_within(&limits, &record);
    assert!(at(Limits::new().frame(frame)) && !at(Limits::new().frame(frame - 1)));
    assert!(at(Limits::new().fields(13)) && !at(Limits::new().fields(12)));
    assert!(at(Limits::new().spans(2)) && !at(Limits::new().spans(1)));
    assert!(at(Limits::new().value(19)) && !at(Limits::new().value(18)));
}

#[test]
fn the_value_limit_applies_to_values_of_variable_length() {
    let limits = Limits::new().value(3);
    let plain = || RecordBuf::new(Severity::INFO, "t", "m");
    assert!(is_within(&limits, &plain().with_field("wide", u128::MAX).with_field("a longer name", 1.5)));
    assert!(
        is_within(&limits, &plain().with_field("s", "abc")) && !is_within(&limits, &plain().with_field("s", "abcd"))
    );
    let bytes: [u8; 4] = [1; 4];
    assert!(is_within(&limits, &plain().with_field("b", &bytes[..3])));
    assert!(!is_within(&limits, &plain().with_field("b", &bytes[..])));
    assert!(!is_within(&limits, &plain().with_field("j", Value::Json("1234"))));
    assert!(!is_within(&limits, &plain().with_error("e", &["no"])));
}

#[test]
fn values_that_are_not_valid_json_are_read_as_text() {
    for (json, is_json) in [("{\"a\":1}", true), ("{\"a\":1", false), ("[1,\n2]", false), ("", false)] {
        let mut model = sample();
        model.fields = vec![("a".into(), Item::Bool(true)), ("json".into(), Item::Json(json))];
        model.spans[0].fields = model.fields.clone();
        let record = record_of(&model.frame([0; 16]));
        let expected = if is_json { Value::Json(json) } else { Value::Text(json) };
        assert_eq!(record.as_record().field("json"), Some(expected));
        assert_eq!(record.as_record().spans().next().unwrap().field("json"), Some(expected));
        assert_eq!(record.as_record().field("a"), Some(Value::Bool(true)));
    }
}

fn named(name: &'static str) -> Vec<u8> {
    let mut model = sample();
    model.severity = (11, name);
    model.frame([0; 16])
}

fn name_of(frame: &[u8], limits: Limits) -> &'static str {
    let mut record = RecordBuf::default();
    assert!(matches!(wire::decode(frame, &limits, &mut record), Ok(Decoded::Record(_))));
    assert_eq!(record.as_record().severity().number(), 11);
    record.as_record().severity().name()
}

#[test]
fn severity_names_are_kept_if_known_and_learned_while_there_is_room() {
    run_alone(module_path!(), "severity_names_are_kept_if_known_and_learned_while_there_is_room", || {
        let known = Severity::define("known", 3).unwrap();
        assert_eq!(name_of(&named("KNOWN"), Limits::new().severity_names(0)), "KNOWN");
        assert_eq!((known.number(), "known".parse::<Severity>().unwrap().number()), (3, 3), "its number stays");
        assert_eq!(name_of(&named("NOTICE"), Limits::new().severity_names(0)), "NOTICE");

        assert_eq!(name_of(&named("NEW"), Limits::new().severity_names(1)), "INFO");
        assert_eq!(name_of(&named("NEW"), Limits::new().severity_names(2)), "NEW");
        assert!("new".parse::<Severity>().is_err(), "a learned name is shown, not read");
        assert_eq!(Severity::define("new", 20).unwrap().name(), "NEW");
        assert_eq!("new".parse::<Severity>().unwrap().number(), 20);
        assert_eq!(name_of(&named("NEW"), Limits::new()), "NEW");

        let names: Vec<&'static str> = (0..300).map(|at| &*format!("STRANGER{at}").leak()).collect();
        for name in &names {
            name_of(&named(name), Limits::new());
        }
        assert_eq!(name_of(&named(names[122]), Limits::new()), "STRANGER122");
        assert_eq!(name_of(&named(names[123]), Limits::new()), "INFO");
        assert!(Severity::define("mine", 4).is_ok(), "there is room left for those of this process");
    });
}

#[test]
fn an_invalid_severity_name_is_malformed() {
    for name in ["two words", "é", "a\u{1b}[31m", "123456789012345678901234567890123"] {
        let rejected = wire::decode(&named(name), &Limits::new(), &mut RecordBuf::default()).unwrap_err();
        assert_eq!(rejected.fault, Fault::Malformed);
    }
    // The name of a group changes nothing.
    assert_eq!(name_of(&named("ERROR"), Limits::new()), "INFO");
}

#[test]
fn bodies_that_no_writer_writes_are_malformed() {
    let malformed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = sample().body();
        change(&mut body);
        let frame = sealed(1, 1, [0; 16], &body);
        let rejected = wire::decode(&frame, &Limits::new(), &mut RecordBuf::default()).unwrap_err();
        assert_eq!((rejected.fault, rejected.len), (Fault::Malformed, Some(frame.len())));
    };
    malformed(&|body| body.truncate(59));
    malformed(&|body| body.clear());
    malformed(&|body| body[1] = 0);
    malformed(&|body| body[1] = 25);
    malformed(&|body| body[4..8].copy_from_slice(&1_000_000_000_u32.to_le_bytes()));
    malformed(&|body| body.push(b'x'));
    malformed(&|body| body.truncate(body.len() - 1));
    // A text that no flag announces.
    malformed(&|body| body[2] = 0x0e);
    // A text that ends within a character: `schön` is two bytes longer than one letter each.
    malformed(&|body| {
        body[36] -= 2;
        body[40] += 2;
    });
    // What a span follows from, in the event.
    malformed(&|body| body[60] = 12);
    for at in [28, 32, 36, 40, 44, 48, 52, 56] {
        malformed(&|body| body[at] ^= 1);
        malformed(&|body| body[at + 3] = 0xff);
    }
    let mut model = sample();
    model.fields = vec![("text".into(), Item::Str("ab".into()))];
    let mut body = model.body();
    body[60 + 7 + 4] = 0xff;
    let frame = sealed(1, 1, [0; 16], &body);
    assert_eq!(wire::decode(&frame, &Limits::new(), &mut RecordBuf::default()).unwrap_err().fault, Fault::Malformed);
}
