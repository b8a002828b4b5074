use proptest::prelude::*;

use super::*;
use crate::format::Caps;

fn record() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop.stock", "running out")
        .with_time(Timestamp::new(1_700_000_000, 999_900_000))
        .with_location("shop::stock", "src/stock.rs", 41)
        .with_thread("main", 1)
        .with_span("request", [("user", "ada".into())])
        .with_field("left", 2_u64)
        .with_field("http.status", 404_u64)
}

fn line_of(format: Python, record: &RecordBuf) -> Result<String, Error> {
    let mut line = b"before\n".to_vec();
    format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default()))?;
    Ok(String::from_utf8(line.split_off("before\n".len())).unwrap())
}

fn line(style: char, format: &str) -> String {
    line_of(Python::new(style, format).unwrap(), &record()).unwrap()
}

#[test]
fn the_default_time_has_cut_off_milliseconds() {
    assert_eq!(line('%', "%(asctime)s"), "2023-11-14 22:13:20,999");
    let format = Python::percent("%(asctime)s").unwrap();
    assert_eq!(line_of(format.clone().datefmt("%H:%M:%S %Z"), &record()).unwrap(), "22:13:20 UTC");
    assert_eq!(line_of(format.datefmt("%H").datefmt(""), &record()).unwrap(), "2023-11-14 22:13:20,999");
}

#[test]
fn all_attributes_of_python_s_records_are_there() {
    let started = Timestamp::new(1_699_999_999, 0);
    let text = |name: &str| {
        let format = Python::percent(&format!("%({name})s")).unwrap().started(started);
        line_of(format, &record()).unwrap()
    };
    let pid = std::process::id().to_string();
    for (name, expected) in [
        ("name", "shop.stock"),
        ("msg", "running out"),
        ("args", "()"),
        ("levelname", "WARNING"),
        ("levelno", "30"),
        ("pathname", "src/stock.rs"),
        ("filename", "stock.rs"),
        ("module", "stock"),
        ("exc_info", "None"),
        ("exc_text", "None"),
        ("stack_info", "None"),
        ("lineno", "41"),
        ("funcName", "(unknown function)"),
        ("created", "1700000000.9998999"),
        ("msecs", "999.0"),
        ("relativeCreated", "1999.9"),
        ("thread", "1"),
        ("threadName", "main"),
        ("processName", "MainProcess"),
        ("process", &pid),
        ("taskName", "None"),
        ("message", "running out"),
        ("asctime", "2023-11-14 22:13:20,999"),
    ] {
        assert_eq!(text(name), expected, "{name}");
    }
}

#[test]
fn a_record_that_knows_little_still_has_all_attributes() {
    let bare = RecordBuf::new(Severity::INFO, "", "").with_thread("", 0);
    let format = "{pathname} {filename} {module} {lineno} {threadName} {thread}";
    let unnamed = line_of(Python::brace(format).unwrap(), &RecordBuf::new(Severity::INFO, "", "")).unwrap();
    assert_eq!(unnamed, "(unknown file) (unknown file) (unknown file) 0 None None");
    assert_eq!(line_of(Python::brace("{threadName}").unwrap(), &bare).unwrap(), "");
}

#[test]
fn fields_with_a_point_in_their_names_are_found() {
    assert_eq!(line('%', "%(http.status)05d"), "00404");
    assert_eq!(line('{', "{http.status:>5}"), "  404");
}

#[test]
fn an_error_follows_on_a_line_of_its_own() {
    let failed = record().with_error("error", &["outer\nINFO forged", "inner"]);
    let text = |format: &str, shown| line_of(Python::percent(format).unwrap().error(shown), &failed).unwrap();
    assert_eq!(text("%(message)s", true), "running out\n    outer\\nINFO forged: inner");
    assert_eq!(text("%(message)s\n", true), "running out\n    outer\\nINFO forged: inner");
    assert_eq!(text("%(exc_text)s|%(exc_text).5s", false), "outer\\nINFO forged: inner|outer");
    let stack = failed.with_field("stack_info", "Stack:\n  f()");
    let format = Python::percent("%(message)s").unwrap();
    assert_eq!(
        line_of(format.clone(), &stack).unwrap(),
        "running out\n    outer\\nINFO forged: inner\n    Stack:\\n  f()"
    );
    assert_eq!(
        line_of(format.indent(false), &stack).unwrap(),
        "running out\nouter\\nINFO forged: inner\nStack:\\n  f()"
    );
}

#[test]
fn what_is_missing_is_an_error_that_names_it() {
    let format = Python::dollar("$message $who").unwrap();
    let error = line_of(format.clone(), &record()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    assert_eq!(error.to_string(), "field `who`: the record does not have it, and it has no default");
    assert_eq!(line_of(format.defaults([("who", "ada".into())]), &record()).unwrap(), "running out ada");
    let number = Python::percent("%(user)d").unwrap();
    assert_eq!(line_of(number, &record()).unwrap_err().to_string(), "field `user`: `%d` requires a finite number");
}

#[test]
fn an_error_of_a_format_tells_the_place() {
    for (style, format, error) in [
        ('%', "é %(message)s 100%", "character 18: `%` must be followed by `(name)`; write `%%` for the character"),
        ('%', "%(message)*d", "character 1: unknown conversion `*`"),
        ('%', "%(message)5", "character 1: the conversion is missing"),
        ('%', "no field", "character 1: the format contains no field"),
        ('%', "%(message)2000s", "character 1: the width or precision exceeds 1000"),
        ('{', "{message", "character 1: unmatched `{`; write `{{` for the character"),
        ('{', "message}", "character 8: unmatched `}`; write `}}` for the character"),
        ('{', "{0}", "character 1: the field has no name: there are no positional values"),
        ('{', "{message!x}", "character 1: invalid conversion `x`"),
        ('{', "{message:<<<}", "character 1: bad specifier `<<<`"),
        ('{', "{message[0]}", "character 1: invalid field name `message[0]`"),
        ('$', "costs 5$", "character 8: `$` must be followed by a name; write `$$` for the character"),
        ('$', "${message", "character 1: `$` must be followed by a name; write `$$` for the character"),
        ('$', "$$", "character 1: the format contains no field"),
    ] {
        let told = Python::new(style, format).map(|_| ()).unwrap_err();
        assert_eq!(told.to_string(), format!("format {format:?}: at {error}"));
    }
    assert_eq!(Python::new('?', "").unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_width_from_a_field_has_its_limits() {
    let wide = |width: Value<'_>| {
        let format = Python::brace("{message:>{width}}").unwrap();
        line_of(format, &record().with_field("width", width))
    };
    assert_eq!(wide(13.into()).unwrap(), "  running out");
    assert_eq!(wide("13".into()).unwrap(), "  running out");
    for width in [Value::from(-1), 1_000_000_000_u64.into(), "x".into(), 1.5.into()] {
        assert_eq!(wide(width).unwrap_err().kind(), ErrorKind::Format);
    }
}

#[test]
fn what_the_program_says_cannot_forge_a_line() {
    let evil = "x\n\u{1b}[31m\u{202e}\r";
    let record = RecordBuf::new(Severity::INFO, evil, evil)
        .with_location(evil, evil, 1)
        .with_thread(evil, 1)
        .with_field("a", evil)
        .with_field("c", 10_u64)
        .with_field("funcName", evil)
        .with_span("s", [("b", evil.into())]);
    let names = ["name", "message", "msg", "pathname", "filename", "module", "threadName", "funcName", "a", "b"];
    for name in names {
        for conversion in ["s", "r", "a", "30s", ".40s"] {
            let line = line_of(Python::percent(&format!("%({name}){conversion}")).unwrap(), &record).unwrap();
            assert!(line.contains("x\\n\\x1b[31m"), "{name} {conversion} {line:?}");
            assert!(!line.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{name} {conversion} {line:?}");
        }
    }
    assert_eq!(line_of(Python::brace("{c:c}").unwrap(), &record).unwrap(), "\\n");
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_stumble(format in "[%({$})a-z:!.*<>=+#0-9 é_\\[\\]-]{0,40}", datefmt in "[%a-zA-Z0-9_#^é-]{0,20}") {
        for (style, field) in [('%', "%(message)s"), ('{', "{left}"), ('$', "$user")] {
            for format in [format.clone(), format!("{format}{field}"), field.replace('s', &format), field.replace('}', &format)] {
                if let Ok(format) = Python::new(style, &format) {
                    let _ = line_of(format, &record());
                }
            }
        }
        let time = Python::percent("%(asctime)s").unwrap().datefmt(&datefmt);
        prop_assert!(line_of(time, &record()).is_ok());
    }
}
