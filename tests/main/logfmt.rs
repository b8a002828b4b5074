//! logfmt: the grammar of kr/logfmt, read back by a parser that knows nothing of the writer.

use std::fmt;

use proptest::prelude::*;
use tracing::{info, info_span};
use tracing_handlers::format::logfmt::{Duplicates, SpanKeys};
use tracing_handlers::format::{Caps, Format, Logfmt, Out, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Output, Part, RecordBuf, Severity, Value};

use crate::collect::dispatch;

fn line(logfmt: &Logfmt, record: &RecordBuf) -> String {
    let mut out = b"before".to_vec();
    logfmt.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

/// Only the event's fields and the spans'.
fn fields() -> Logfmt {
    Logfmt::new().keys([Part::Fields, Part::SpanFields])
}

fn record() -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", "")
}

/// What is written of one field.
fn field<'v>(name: &str, value: impl Into<Value<'v>>) -> String {
    line(&fields(), &record().with_field(name, value))
}

#[test]
fn lf_1_every_byte_of_a_key_is_an_ident_byte() {
    for name in ["a", "a.b-c_d", "é", "日本", "a{b}", "a\\b", "user.name#1"] {
        assert_eq!(field(name, 1_u64), format!("{name}=1"));
    }
    for char in ('\0'..='\u{ff}').chain(['\u{2028}', '\u{202e}', '\u{3000}', '\u{feff}']) {
        let line = field(&format!("a{char}b"), 1_u64);
        let key = line.strip_suffix("=1").unwrap();
        assert!(key.bytes().all(|byte| byte > b' ' && byte != b'=' && byte != b'"' && byte != 0x7f), "{line:?}");
    }
}

#[test]
fn lf_2_quotes_and_backslashes_are_escaped_in_quotes() {
    assert_eq!(field("a", "say \"hi\" \\ now"), r#"a="say \"hi\" \\ now""#);
    assert_eq!(field("a", "\""), r#"a="\"""#);
    assert_eq!(field("a", "\\"), r#"a="\\""#);
    assert_eq!(field("a", "GET:/x?y"), "a=GET:/x?y");
}

#[test]
fn lf_3_the_empty_text_is_a_key_with_its_sign_and_no_key_stands_alone() {
    assert_eq!(field("a", ""), "a=");
    assert_eq!(field("a", true), "a=true");
    assert_eq!(line(&fields(), &record().with_field("a", "").with_field("b", "").with_error("c", &[])), "a= b= c=");
}

#[test]
fn lf_4_what_could_be_misread_stands_in_quotes() {
    for (value, quoted) in [
        ("two words", r#""two words""#),
        ("a=b", r#""a=b""#),
        ("\"", r#""\"""#),
        ("C:\\x", r#""C:\\x""#),
        ("\n\r\t", r#""\n\r\t""#),
        ("\u{8}\u{c}\u{1b}[31m", r#""\u0008\u000c\u001b[31m""#),
        ("\0\u{7f}\u{85}", r#""\u0000\u007f\u0085""#),
        ("\u{202e}\u{feff}\u{2028}", r#""\u202e\ufeff\u2028""#),
        ("\u{e0041}", r#""\udb40\udc41""#),
        (" ", r#"" ""#),
        ("a\u{a0}b", "\"a\u{a0}b\""),
    ] {
        assert_eq!(field("a", value), format!("a={quoted}"));
        assert_eq!(field("a", Value::Text(value)), format!("a={quoted}"));
    }
    // What is not UTF-8 comes as bytes, and they are hexadecimal.
    assert_eq!(field("a", &b"\xff\xfe"[..]), "a=fffe");
}

#[test]
fn lf_5_what_a_key_cannot_have_is_replaced_and_no_key_is_empty() {
    assert_eq!(field("a b=c\"d\ne", 1_u64), "a_b_c_d_e=1");
    assert_eq!(field("", 1_u64), "_=1");
    assert_eq!(field("\u{202e}\u{7f}", 1_u64), "__=1");
    // These would look like no key at all.
    assert_eq!(field("\u{3164}", 1_u64), "_=1");
    assert_eq!(field("\u{ad}\u{34f}\u{115f}\u{ffa0}", 1_u64), "____=1");
    let logged = Memory::new();
    let output = Output::new(fields(), logged.clone());
    tracing::dispatcher::with_default(&dispatch(output), || {
        let _span = info_span!("", "" = 1).entered();
        info!({ "" = 2, "\u{3164}" = 3 }, "sold");
    });
    assert_eq!(logged.lines(), ["_=2 __2=3 _._=1"]);
    let nameless = record().with_span("", [("", 1_u64.into())]);
    assert_eq!(line(&fields(), &nameless), "_._=1");
    assert_eq!(
        line(&Logfmt::new().keys([Part::Level]).rename(Part::Level, "the level="), &record()),
        "the_level_=info"
    );
}

#[test]
fn lf_6_null_is_bare_and_the_text_null_is_not() {
    assert_eq!(field("a", Value::Json("null")), "a=null");
    assert_eq!(field("a", "null"), r#"a="null""#);
    assert_eq!(field("a", Value::Text("null")), r#"a="null""#);
    assert_eq!(line(&fields(), &record().with_error("a", &["null"])), r#"a="null""#);
    let message = RecordBuf::new(Severity::INFO, "null", "null").with_span("null", []);
    let keys = [Part::Target, Part::Message, Part::SpanNames];
    assert_eq!(line(&Logfmt::new().keys(keys), &message), r#"target="null" message="null" spans="null""#);
}

#[test]
fn lf_7_a_value_that_panics_costs_itself_and_nothing_else() {
    struct Panics;

    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half=")?;
            panic!("no value");
        }
    }

    let memory = Memory::new();
    let output = Output::new(Logfmt::new().keys([Part::Message, Part::Fields]), memory.clone());
    tracing::dispatcher::with_default(&dispatch(output), || info!(before = 1, broken = %Panics, after = 2, "sold"));
    let line = memory.text();
    let pairs = parse(line.trim_end());
    let keys: Vec<_> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["message", "before", "broken", "after"], "{line}");
    assert_eq!((&*pairs[1].1, &*pairs[3].1), ("1", "2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn lf_8_whatever_is_logged_is_read_back(
        message in any_text(),
        fields in prop::collection::vec((any_text(), any_text()), 0..8),
        spans in prop::collection::vec((any_text(), prop::collection::vec((any_text(), any_text()), 0..3)), 0..3),
    ) {
        let mut record = RecordBuf::new(Severity::INFO, "shop", &message);
        for (index, (name, value)) in fields.iter().enumerate() {
            let value = if index % 2 == 0 { Value::Str(value) } else { Value::Text(value) };
            record.push_field(name, value);
        }
        for (name, fields) in &spans {
            record = record.with_span(name, fields.iter().map(|(name, value)| (name.as_str(), value.into())));
        }
        let line = line(&Logfmt::new().time(Time::none()), &record);
        let pairs = parse(&line);
        let mut keys: Vec<_> = pairs.iter().map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), pairs.len(), "a key stands twice: {}", line);

        let spans = spans.iter().flat_map(|(span, fields)| fields.iter().map(move |(name, value)| (Some(span), name, value)));
        let fields = fields.iter().map(|(name, value)| (None, name, value)).chain(spans);
        let own = [("level", "info"), ("target", "shop"), ("message", &message)];
        let own = own.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_owned(), value));
        let wanted = own.chain(fields.map(|(span, name, value)| {
            (span.map(|span| key_of(span) + ".").unwrap_or_default() + &key_of(name), value.as_str())
        }));
        let wanted: Vec<_> = wanted.collect();
        prop_assert_eq!(pairs.len(), wanted.len(), "{}", line);
        for ((key, value), (wanted, text)) in pairs.iter().zip(&wanted) {
            let numbered = key.strip_prefix(&format!("{wanted}_")).is_some_and(|number| number.parse::<u32>().is_ok());
            prop_assert!(key == wanted || numbered, "{key} for {wanted}: {line}");
            prop_assert_eq!(value, text);
        }
    }
}

#[test]
fn keys_come_in_the_order_that_was_asked_for() {
    let logfmt = Logfmt::new()
        .keys([
            Part::Message,
            Part::Line,
            Part::Severity,
            Part::SpanFields,
            Part::ThreadName,
            Part::Fields,
            Part::Message,
        ])
        .rename(Part::ThreadName, "line");
    let record = RecordBuf::new(Severity::WARN, "shop", "hot")
        .with_location("shop", "src/shop.rs", 7)
        .with_thread("till", 1)
        .with_field("a", 1_u64)
        .with_span("request", [("id", 2_u64.into())]);
    assert_eq!(line(&logfmt, &record), "message=hot line=7 severity=13 request.id=2 line_2=till a=1");
    assert_eq!(line(&Logfmt::new().keys([]), &record), "");
    assert_eq!(line(&Logfmt::new().time(Time::none()).keys([Part::Time, Part::Message]), &record), "message=hot");
}

#[test]
fn of_several_spans_the_nearest_has_the_first_claim_to_a_flat_name() {
    let record = record()
        .with_field("a", 0_u64)
        .with_span("outer", [("id", 1_u64.into()), ("a", 2_u64.into())])
        .with_span("inner", [("id", 3_u64.into())]);
    assert_eq!(line(&fields(), &record), "a=0 outer.id=1 outer.a=2 inner.id=3");
    let flat = fields().spans(SpanKeys::Flat);
    assert_eq!(line(&flat, &record), "a=0 id=3 id_2=1 a_2=2");
    assert_eq!(line(&flat.clone().duplicates(Duplicates::First), &record), "a=0 id=3");
    assert_eq!(line(&flat.duplicates(Duplicates::Last), &record), "id=1 a=2");
}

#[test]
fn a_number_that_a_field_already_has_is_not_given_again() {
    let record = ["a", "a_2", "a", "a", "a_3"]
        .iter()
        .zip(1_u64..)
        .fold(record(), |record, (name, value)| record.with_field(name, value));
    assert_eq!(line(&fields(), &record), "a=1 a_2=2 a_3=3 a_4=4 a_3_2=5");
    assert_eq!(line(&fields().duplicates(Duplicates::Last), &record), "a_2=2 a=4 a_3=5");
}

#[test]
fn names_of_spans_are_one_value() {
    let names = |spans: &[&str]| {
        let record = spans.iter().fold(record(), |record, name| record.with_span(name, []));
        line(&Logfmt::new().keys([Part::SpanNames]), &record)
    };
    assert_eq!(names(&[]), "");
    assert_eq!(names(&["request", "query"]), "spans=request:query");
    assert_eq!(names(&["request", "a \"query\""]), r#"spans="request:a \"query\"""#);
}

#[test]
fn types_are_written_like_this() {
    let record = record()
        .with_field("int", -5_i64)
        .with_field("wide", u128::MAX)
        .with_field("whole", 1.0)
        .with_field("nan", f64::NAN)
        .with_field("least", f64::NEG_INFINITY)
        .with_field("json", Value::Json(r#"{"a":[1,"x"]}"#))
        .with_field("one", Value::Json("1"))
        .with_error("error", &["no order", "a=1"])
        .with_error("short", &["lost"]);
    assert_eq!(
        line(&fields(), &record),
        concat!(
            "int=-5 wide=340282366920938463463374607431768211455 whole=1.0 nan=NaN least=-inf ",
            r#"json="{\"a\":[1,\"x\"]}" one=1 error="no order: a=1" short=lost"#,
        )
    );
}

#[test]
fn events_of_tracing_are_written_with_the_names_of_their_callsites() {
    let memory = Memory::new();
    let output = Output::new(Logfmt::new().time(Time::none()), memory.clone());
    tracing::dispatcher::with_default(&dispatch(output), || {
        let _request = info_span!("request", id = 7, "two words" = "x y").entered();
        info!(target: "shop", pieces = 3, level = "high", r#type = ?Some("x"), "sold {}", "out");
    });
    assert_eq!(
        memory.text(),
        concat!(
            r#"level=info target=shop message="sold out" pieces=3 level_2=high type="Some(\"x\")" "#,
            "request.id=7 request.two_words=\"x y\"\n",
        )
    );
}

/// What has to be escaped or quoted, and what need not.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "(a|b|a_2|level|message|null|true|\u{3164}|\u{ad}a|)",
        2 => "[ -~]{0,12}",
        1 => "[\"\\\\= \n\r\t\u{0}-\u{20}]{0,6}",
        1 => "[\u{7f}-\u{a0}\u{2000}-\u{2070}\u{feff}\u{e0001}-\u{e0010}]{0,4}",
        1 => ".{0,8}",
    ]
}

/// What a name becomes as a key, the obvious way.
fn key_of(name: &str) -> String {
    let hidden = |char: char| {
        matches!(char as u32,
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
                | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0d | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3
                | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
    };
    let replaced = |char: char| char.is_control() || char.is_whitespace() || hidden(char) || "=\"".contains(char);
    let key: String = name.chars().map(|char| if replaced(char) { '_' } else { char }).collect();
    if key.is_empty() { "_".to_owned() } else { key }
}

/// Reads a line by the grammar of kr/logfmt; a bare key, which we never write, is an error, and so are escapes other than ours.
pub(crate) fn parse(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|char| char <= ' ');
        if rest.is_empty() {
            return pairs;
        }
        let (key, after) = rest.split_at(ident(rest));
        assert!(!key.is_empty(), "no key at {rest:?} of {line:?}");
        let after = after.strip_prefix('=').unwrap_or_else(|| panic!("{key:?} is bare in {line:?}"));
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, after) = after.split_at(ident(after));
                (value.to_owned(), after)
            }
        };
        assert!(after.is_empty() || after.starts_with(' '), "{after:?} behind a value of {line:?}");
        pairs.push((key.to_owned(), value));
        rest = after;
    }
}

fn ident(text: &str) -> usize {
    text.find(|char| char <= ' ' || char == '=' || char == '"').unwrap_or(text.len())
}

/// Up to the closing quotes: the text, and what is behind them.
fn unquote(quoted: &str) -> (String, &str) {
    let mut units = Vec::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (String::from_utf16(&units).unwrap(), &quoted[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'u' => {
                    let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                }
                'n' => units.push(b'\n'.into()),
                'r' => units.push(b'\r'.into()),
                't' => units.push(b'\t'.into()),
                char @ ('"' | '\\') => units.push(char as u16),
                other => panic!("\\{other} in {quoted:?}"),
            },
            _ => units.extend_from_slice(char.encode_utf16(&mut [0; 2])),
        }
    }
    panic!("no end of {quoted:?}");
}

#[test]
fn a_field_with_a_key_of_its_own_is_not_among_the_others() {
    let record = RecordBuf::new(Severity::INFO, "shop", "")
        .with_field("a", 1_u64)
        .with_field("b", 2_u64)
        .with_span("request", [("a", 3_u64.into()), ("id", 7_u64.into())])
        .with_span("query", [("id", 8_u64.into()), ("table", "x y".into())]);
    let own = [Part::field("a"), Part::span_field("id"), Part::field_of("request", "a")];
    let logfmt = Logfmt::new().keys(own.clone().into_iter().chain([Part::Fields, Part::SpanFields]));
    assert_eq!(line(&logfmt, &record), "a=1 id=8 a_2=3 b=2 request.id=7 query.table=\"x y\"");
    let flat = logfmt.spans(SpanKeys::Flat).rename(own[1].clone(), "query id");
    assert_eq!(line(&flat, &record), "a=1 query_id=8 a_2=3 b=2 table=\"x y\" id=7");
}

#[test]
fn every_part_of_a_record_can_be_a_key() {
    let record = RecordBuf::new(Severity::WARN, "shop", "")
        .with_error("cause", &["no stock", "refused"])
        .with_span("request", [("user", "ada b".into())])
        .with_span("query", []);
    let keys = [Part::Error, Part::SpanName, Part::Span, Part::Spans, Part::any_field("user")];
    assert_eq!(
        line(&Logfmt::new().keys(keys), &record),
        r#"error="no stock: refused" span_name=query span=query spans="request{user=\"ada b\"}:query" user="ada b""#
    );
    let pid = format!("process_id={}", std::process::id());
    assert_eq!(line(&Logfmt::new().keys([Part::ProcessId, Part::Span, Part::Spans]), &self::record()), pid);
}
