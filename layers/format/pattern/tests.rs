use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::format::Caps;
use crate::record::{Part, RecordBuf, Severity, Value};

fn record() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop::stock", "running out")
        .with_time(Timestamp::new(1_795_223_943, 123_456_000))
        .with_location("shop::stock", "src/stock.rs", 41)
        .with_thread("main", 1)
        .with_span("request", [("id", "r-17".into()), ("path", "/".into())])
        .with_span("query", [("id", 4_u64.into())])
        .with_field("left", 2_u64)
        .with_field("name", "two words")
        .with_error("error", &["outer", "inner"])
}

fn written(pattern: &str, record: &RecordBuf, color: bool) -> String {
    let pattern = Pattern::new(pattern).unwrap_or_else(|error| panic!("{error}"));
    let mut line = b"before ".to_vec();
    pattern.format(&record.as_record(), &mut Out::new(&mut line, Caps::default().with_color(color))).unwrap();
    String::from_utf8(line.split_off("before ".len())).unwrap()
}

fn line(pattern: &str) -> String {
    written(pattern, &record(), false)
}

fn refusal(pattern: &str) -> String {
    let error = Pattern::new(pattern).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Config);
    error.to_string().split_once(": at ").map(|(_, what)| what.to_owned()).unwrap()
}

#[test]
fn every_part_writes_what_it_is_called() {
    let pid = std::process::id();
    for (pattern, expected) in [
        ("{time}", "2026-11-21T01:19:03.123456Z"),
        ("{time:rfc3339.3}", "2026-11-21T01:19:03.123Z"),
        ("{time:clock}", "01:19:03.123"),
        ("{time:unix_millis}", "1795223943123"),
        ("{time@utc:%d %b %Y %H|%M}", "21 Nov 2026 01|19"),
        ("{level}{level:lower}{level:python}{level:syslog}", "WARNwarnWARNINGwarning"),
        ("{level:number}", "13"),
        ("{target} {module} {file}:{line}", "shop::stock shop::stock src/stock.rs:41"),
        ("{thread}#{thread_id}", "main#1"),
        ("{fields}", r#"left=2 name="two words" error="outer: inner""#),
        ("{field.left} {field.name} {field.error}", "2 two words outer: inner"),
        ("{error}", "outer: inner"),
        ("{span} {spans}", "query request{id=r-17 path=/}:query{id=4}"),
        ("{span.id} {span.path}", "4 /"),
        ("{{{level}}}{{}}{n}", "{WARN}{}\n"),
    ] {
        assert_eq!(line(pattern), expected, "{pattern}");
    }
    assert_eq!(line("{pid}"), pid.to_string());
}

#[test]
fn names_may_contain_every_sign() {
    let record = RecordBuf::default()
        .with_span("GET /users/:id", [("user", "ada".into())])
        .with_span("a|{b}]", [("c", 1_u64.into())])
        .with_field("a:b", 2_u64)
        .with_field("{c|d}\\", 3_u64);
    for (pattern, expected) in [
        ("{span[GET /users/:id].user}", "ada"),
        ("{span[GET /users/:id].user:>5|none}", "  ada"),
        (r"{span[a|{b}\]].c}", "1"),
        (r"{field.a\:b}{any.a\:b:>2}", "2 2"),
        (r"{field.\{c\|d\}\\|none}", "3"),
        (r"{?span[a|{b}\]].c:yes}{!field.a\:b:no}{?field.a\:b:{field.a\:b}}", "yes2"),
        (r"{field.x\:y|a\b:c}", r"a\b:c"),
    ] {
        assert_eq!(written(pattern, &record, false), expected, "{pattern}");
    }
}

#[test]
fn case_matters_only_in_names() {
    let same = [
        ("{LEVEL:Lower} {Level:<6 BOLD}", "{level:lower} {level:<6 bold}"),
        ("{Time:RFC3339.3} {TIME@UTC:%H}", "{time:rfc3339.3} {time@utc:%H}"),
        (
            "{Span.id}{SPAN[request].id}{?Field.left:x}{Style Dim:{PID}}",
            "{span.id}{span[request].id}{?field.left:x}{style dim:{pid}}",
        ),
        ("{ level }{ span[request].id}", "{level}{span[request].id}"),
    ];
    for (one, other) in same {
        assert_eq!(written(one, &record(), true), written(other, &record(), true), "{one}");
    }
    assert_eq!(line("{field.Left}{span.ID}{span[Request].id}{message:L<13}"), "running outLL");
}

#[test]
fn columns_are_counted_in_characters() {
    let record = RecordBuf::new(Severity::INFO, "", "ñandú");
    for (option, expected) in [
        ("<7", "ñandú  "),
        (">7", "  ñandú"),
        ("^8", " ñandú  "),
        ("7", "ñandú  "),
        ("─^9", "──ñandú──"),
        (">3", "ñandú"),
        (".2", "ña"),
        (".-2", "dú"),
        (">4.-2", "  dú"),
        ("0>7.9", "00ñandú"),
        ("<<7", "ñandú<<"),
    ] {
        assert_eq!(written(&format!("{{message:{option}}}"), &record, false), expected, "{option}");
    }
}

#[test]
fn a_missing_value_has_a_default_and_no_section() {
    assert_eq!(line("{field.none|-}{field.none:>3|x}{span.none}"), "-  x");
    assert_eq!(line("{?span.id:[{span.id}]}{?span.none:[{span.none}]}{!span.none:none}{!span.id:no}"), "[4]none");
    assert_eq!(line("{?fields:f}{?spans:s}{?error:e}{?time:t}"), "fset");
    assert_eq!(written("{?fields:f}{?spans:s}{!error:e}{thread|?}{line|0}", &RecordBuf::default(), false), "e?0");
}

#[test]
fn sections_and_styles_hold_whole_patterns() {
    assert_eq!(line("{?span:{?span.id:{span}#{span.id}}!}"), "query#4!");
    assert_eq!(line("{style >12:{level} {field.left}}|"), "      WARN 2|");
    assert_eq!(line("{style >9.-7:{level} {target}}|"), "  ::stock|");
    assert_eq!(line("{style *^10:{time:%H:%M}}"), "**01:19***");
}

#[test]
fn colors_are_written_where_they_are_shown_and_take_no_room() {
    let colored = |pattern: &str| written(pattern, &record(), true).replace('\x1b', "^");
    assert_eq!(colored("{level:<5 color}|"), "^[33mWARN ^[0m|");
    assert_eq!(colored("{message:bold red .3}"), "^[1;31mrun^[0m");
    assert_eq!(colored("{style dim >10:{level:color} x}|"), "^[2m    ^[33mWARN^[0m^[2m x^[0m|");
    assert_eq!(colored("{style >6.3:{level:color}}|"), "   ^[33mWAR^[0m|");
    let nested = "{style bold:a{style dim:b{level:red}c}d}";
    assert_eq!(colored(nested), "^[1ma^[2mb^[31mWARN^[0m^[1m^[2mc^[0m^[1md^[0m");
    assert_eq!(line(nested), "abWARNcd");
}

#[test]
fn an_error_tells_the_place() {
    for (pattern, error) in [
        ("{massage}", "character 2: unknown part `massage`: did you mean `message`, or `field.massage` for the field?"),
        ("é {level:<x}", "character 10: unknown option `<x`"),
        ("{level} {", "character 9: unmatched `{`; write `{{` for the character"),
        ("a } b", "character 3: unmatched `}`; write `}}` for the character"),
        ("{}", "character 2: expected the name of a part"),
        ("{field.}", "character 2: expected a name after `field.`"),
        ("{any.:>3}", "character 2: expected a name after `any.`"),
        ("{?span[a].:x}", "character 3: expected a name after `span[a].`"),
        ("{span[a].}", "character 2: expected a name after `span[a].`"),
        ("{span[a}", "character 2: expected `]` after the span's name"),
        ("{field.a\\b}", "character 9: expected `\\:`, `\\|`, `\\{`, `\\}` or `\\\\` after a backslash"),
        ("{field.a\\}", "character 1: unmatched `{`; write `{{` for the character"),
        ("{time:%H:%Q}", "character 10: `%Q` is not a time directive"),
        ("{time:noon}", "character 7: `noon` is neither a time format nor the name of one"),
        ("{?span.id}", "character 10: expected `:` and a pattern"),
        ("{?spam:x}", "character 3: unknown part `spam`: did you mean `span`, or `field.spam` for the field?"),
        ("{?span:x", "character 1: unmatched `{`; write `{{` for the character"),
        ("{message:number}", "character 10: unknown option `number`"),
        ("{message:99999}", "character 10: unknown option `99999`"),
        ("{style bald:x}", "character 8: unknown option `bald`"),
    ] {
        assert_eq!(refusal(pattern), error.strip_prefix("at ").unwrap_or(error), "{pattern}");
    }
    let deep = "{style dim:".repeat(100_000);
    assert!(refusal(&deep).contains("too deeply"));
}

#[cfg(feature = "time-zone")]
#[test]
fn a_time_may_be_in_another_zone() {
    assert_eq!(line("{time@Asia/Kathmandu:%H:%M %z %Z}"), "07:04 +0545 +0545");
    assert_eq!(line("{time@Europe/Berlin} {time@Europe/Berlin:%Z}"), "2026-11-21T02:19:03.123456+01:00 CET");
    assert!(refusal("{time@Atlantis}").starts_with("character 7: unknown time zone \"Atlantis\""));
}

#[test]
fn what_the_program_says_cannot_forge_a_line() {
    let evil = "x\n\u{1b}[31m\u{202e}\r";
    let record = RecordBuf::new(Severity::INFO, evil, evil)
        .with_location(evil, evil, 1)
        .with_thread(evil, 1)
        .with_field(evil, evil)
        .with_field("a", Value::Text(evil))
        .with_error("error", &[evil, evil])
        .with_span(evil, [(evil, evil.into()), ("b", evil.into())]);
    let all = "{message}{target}{module}{file}{thread}{fields}{field.a}{error}{span}{spans}{span.b}{name}";
    for color in [false, true] {
        let line = written(all, &record, color);
        assert!(!line.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{line:?}");
        assert!(line.starts_with(r"x\n\x1b[31m\u{202e}\rx\n"), "{line:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_stumble(pattern in "[{}:|?!<>^.%a-z0-9 @é\\\\\\[\\]-]{0,40}") {
        if let Ok(pattern) = Pattern::new(&pattern) {
            let mut line = Vec::new();
            pattern.format(&record().as_record(), &mut Out::new(&mut line, Caps::default().with_color(true))).unwrap();
            prop_assert!(String::from_utf8(line).is_ok());
        }
    }

    #[test]
    fn every_name_can_be_written(kind in 0..4_usize, span in any::<String>(), field in "[a\\]:|{}\\\\ .]{1,8}|.{1,8}") {
        let (head, part) = match kind {
            0 => ("field.".to_owned(), Part::field(&field)),
            1 => ("any.".to_owned(), Part::any_field(&field)),
            2 => ("span.".to_owned(), Part::span_field(&field)),
            _ => (Part::field_of(&span, "").to_string(), Part::field_of(&span, &field)),
        };
        let mut name = String::new();
        for char in field.chars() {
            if ":|{}\\".contains(char) {
                name.push('\\');
            }
            name.push(char);
        }
        for (pattern, is_section) in [("{NAME}", false), ("{NAME:>3|none}", false), ("{?NAME:yes}", true)] {
            let pattern = Pattern::new(&pattern.replace("NAME", &format!("{head}{name}"))).unwrap();
            let [Piece::Value { source, .. } | Piece::Section { source, .. }] = &*pattern.0 else { panic!("{pattern:?}") };
            prop_assert!(matches!(source, Source::Part(read) if *read == part), "{:?}", source);
            prop_assert_eq!(matches!(pattern.0[0], Piece::Section { .. }), is_section);
        }
    }

    #[test]
    fn a_column_is_as_wide_as_it_says(message in "\\PC{0,20}", width in 0..30_usize, keep in 0..30_usize) {
        let record = RecordBuf::new(Severity::INFO, "", &message);
        for sign in ["<", ">", "^"] {
            let width = width.max(1);
            let shown = written(&format!("{{message:{sign}{width}.-{keep}}}"), &record, false);
            let whole = written("{message}", &record, false).chars().count();
            prop_assert_eq!(shown.chars().count(), whole.min(keep).max(width));
        }
    }
}

#[test]
fn every_part_of_a_record_has_its_own_name_too() {
    let record = RecordBuf::new(Severity::WARN, "shop", "")
        .with_thread("worker", 7)
        .with_span("request", [("id", 7_u64.into()), ("user", "ada b".into())])
        .with_span("query", [("id", 8_u64.into())]);
    let line = |pattern: &str| written(pattern, &record, false);
    assert_eq!(line("{severity} {thread_name} {span_name} {span_names}"), "13 worker query request:query");
    assert_eq!(line("{span[request].id} {any.user} {span_fields}"), "7 ada b id=8 id=7 user=\"ada b\"");
    assert_eq!(line("{process_id} {pid}"), format!("{0} {0}", std::process::id()));
}
