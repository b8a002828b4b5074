use super::*;
use crate::clock::Timestamp;
use crate::format::Caps;
use crate::format::escape::tests::{dangerous, has_dangerous};
use crate::{RecordBuf, Value};

fn line(text: &Text, record: &RecordBuf, color: bool) -> String {
    let mut out = b"before".to_vec();
    text.format(&record.as_record(), &mut Out::new(&mut out, Caps::default().with_color(color))).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

fn record() -> RecordBuf {
    RecordBuf::new(Severity::WARN, "shop::stock", "running out")
        .with_time(Timestamp::new(1_795_223_943, 123_456_789))
        .with_location("shop::stock", "src/stock.rs", 41)
        .with_thread("till", 7)
        .with_field("left", 2_u64)
        .with_span("request", [("method", "GET".into()), ("path", "/".into())])
        .with_span("idle", [])
}

fn styles() -> [Text; 3] {
    [Text::full(), Text::compact(), Text::pretty()].map(|text| text.file(true).thread_names(true).thread_ids(true))
}

#[test]
fn each_style_has_its_shape() {
    let plain = |text: Text| line(&text, &record(), false);
    assert_eq!(
        plain(Text::full()),
        "2026-11-21T01:19:03.123456Z  WARN request{method=GET path=/}:idle: shop::stock: running out left=2"
    );
    assert_eq!(plain(Text::compact()), "01:19:03.123Z  WARN shop::stock: running out left=2 method=GET path=/");
    assert_eq!(
        plain(Text::pretty().thread_names(true)),
        concat!(
            "2026-11-21T01:19:03.123456Z  WARN shop::stock: running out\n    left=2\n    at src/stock.rs:41 on till\n",
            "    in idle\n    in request with method=GET path=/",
        )
    );
    assert_eq!(
        plain(Text::full().spans(false).thread_names(true).thread_ids(true).file(true)),
        "2026-11-21T01:19:03.123456Z  WARN [till#7] shop::stock: src/stock.rs:41: running out left=2"
    );
    assert_eq!(plain(Text::full().time(Time::none()).level(false).target(false).spans(false)), "running out left=2");
}

#[test]
fn a_record_of_nothing_leaves_no_stray_space() {
    let record = RecordBuf::new(Severity::INFO, "", "");
    for text in [Text::full(), Text::compact(), Text::pretty()] {
        assert_eq!(line(&text.clone().time(Time::none()), &record, false), " INFO");
        assert_eq!(line(&text.time(Time::none()).level(false), &record, false), "");
    }
}

#[test]
fn colors_are_written_only_where_they_are_wanted() {
    let full = Text::full().time(Time::unix_seconds());
    assert_eq!(
        line(&full, &record(), true),
        concat!(
            "\x1b[2m1795223943\x1b[0m \x1b[33m WARN\x1b[0m ",
            "\x1b[1mrequest\x1b[0m{\x1b[3mmethod\x1b[0m\x1b[2m=\x1b[0mGET \x1b[3mpath\x1b[0m\x1b[2m=\x1b[0m/}:",
            "\x1b[1midle\x1b[0m: \x1b[2mshop::stock:\x1b[0m running out \x1b[3mleft\x1b[0m\x1b[2m=\x1b[0m2",
        )
    );
    for text in styles() {
        assert!(!line(&text, &record(), false).contains('\x1b'));
        assert_eq!(without_color(&line(&text, &record(), true)), line(&text, &record(), false));
    }
}

#[test]
fn a_value_cannot_pass_for_another_pair() {
    let shown = |value: Value<'_>| {
        let record = RecordBuf::new(Severity::INFO, "", "").with_field("a", value);
        line(&Text::full().time(Time::none()).level(false), &record, false)
    };
    assert_eq!(shown("x".into()), "a=x");
    assert_eq!(shown("".into()), r#"a="""#);
    assert_eq!(shown("x y=1".into()), r#"a="x y=1""#);
    assert_eq!(shown("say \"hi\" \\ \n".into()), r#"a="say \"hi\" \\ \n""#);
    assert_eq!(shown("}: forged".into()), r#"a="}: forged""#);
    assert_eq!(shown(Value::Text("Some(\"x\\y\")\n")), r#"a=Some("x\y")\n"#);
    assert_eq!(shown(1.0.into()), "a=1.0");
    assert_eq!(shown(f64::NAN.into()), "a=NaN");
    assert_eq!(shown(f64::NEG_INFINITY.into()), "a=-inf");
    assert_eq!(shown((&b"\x01\xfe"[..]).into()), "a=01fe");
    assert_eq!(shown(u128::MAX.into()), "a=340282366920938463463374607431768211455");
}

#[test]
fn an_error_is_shown_with_its_causes() {
    let record =
        RecordBuf::new(Severity::ERROR, "", "").with_error("a", &["lost"]).with_error("b", &["no order", "x=1"]);
    assert_eq!(line(&Text::full().time(Time::none()), &record, false), r#"ERROR a=lost b="no order: x=1""#);
}

#[test]
fn errors_and_backtraces_stand_below_all_else_where_that_is_asked_for() {
    let record = RecordBuf::new(Severity::ERROR, "shop", "not sold")
        .with_error("error", &["no order", "down"])
        .with_field("pieces", 3_u64)
        .with_field("backtrace", Value::Text("   0: shop::sell\n             at ./src/shop.rs:7\n   1: main\n"))
        .with_error("other one", &["lost\nx"])
        .with_span("request", [("id", 7_u64.into())]);
    let plain = |text: Text| line(&text.time(Time::none()), &record, false);
    let errors = concat!(
        "\n    error: no order\n    caused by: down\n    backtrace:\n           0: shop::sell\n",
        "                     at ./src/shop.rs:7\n           1: main\n    \"other one\": lost\\nx",
    );
    let below = |text: Text| plain(text.errors_below(true).backtrace_below(true));
    assert_eq!(below(Text::full()), format!("ERROR request{{id=7}}: shop: not sold pieces=3{errors}"));
    assert_eq!(below(Text::compact()), format!("ERROR shop: not sold pieces=3 id=7{errors}"));
    assert_eq!(below(Text::pretty()), format!("ERROR shop: not sold\n    pieces=3\n    in request with id=7{errors}"));
    let (error, other) = (r#"error="no order: down""#, r#""other one"="lost\nx""#);
    let backtrace = r"backtrace=   0: shop::sell\n             at ./src/shop.rs:7\n   1: main\n";
    let full = Text::full().spans(false);
    assert_eq!(plain(full.clone()), format!("ERROR shop: not sold {error} pieces=3 {backtrace} {other}"));
    assert_eq!(
        plain(full.clone().errors_below(true)),
        format!(
            "ERROR shop: not sold pieces=3 {backtrace}\n    error: no order\n    caused by: down\n    {}",
            "\"other one\": lost\\nx"
        )
    );
    assert!(plain(full.backtrace_below(true)).starts_with(&format!("ERROR shop: not sold {error} pieces=3 {other}\n")));
}

#[test]
fn with_nothing_to_stand_there_the_lines_are_the_usual_ones() {
    for text in styles() {
        let below = text.clone().errors_below(true).backtrace_below(true);
        for color in [false, true] {
            assert_eq!(line(&below, &record(), color), line(&text, &record(), color));
        }
    }
    let only = RecordBuf::new(Severity::ERROR, "", "").with_error("error", &["lost"]).with_field("backtrace", 7_u64);
    let pretty = Text::pretty().time(Time::none()).errors_below(true).backtrace_below(true);
    assert_eq!(line(&pretty, &only, false), "ERROR\n    backtrace=7\n    error: lost");
    let pretty = line(&Text::pretty().time(Time::none()).errors_below(true), &only, true);
    assert_eq!(without_color(&pretty), "ERROR\n    backtrace=7\n    error: lost");
}

#[test]
fn a_field_name_cannot_either() {
    let record = RecordBuf::new(Severity::INFO, "", "").with_field("a=1 b", 2_u64);
    assert_eq!(line(&Text::full().time(Time::none()), &record, false), r#" INFO "a=1 b"=2"#);
}

#[test]
fn nothing_dangerous_is_ever_raw() {
    for char in dangerous() {
        let evil = format!("a{char}b");
        let record = RecordBuf::new(Severity::INFO, &evil, &evil)
            .with_location(&evil, &evil, 1)
            .with_thread(&evil, 1)
            .with_field(&evil, evil.as_str())
            .with_field("text", Value::Text(&evil))
            .with_error("error", &[&evil, &evil])
            .with_field("bytes", evil.as_bytes())
            .with_span(&evil, [(evil.as_str(), Value::Str(&evil)), ("text", Value::Text(&evil))]);
        for text in styles() {
            for color in [false, true] {
                let written = line(&text, &record, color);
                let ours = without_color(&written).replace("\n    ", "");
                assert!(!has_dangerous(&ours), "{written:?}");
                assert_eq!(written.matches('\n').count(), line(&text, &harmless(), false).matches('\n').count());
            }
        }
    }
}

/// With as many lines in pretty as the record above.
fn harmless() -> RecordBuf {
    RecordBuf::new(Severity::INFO, "", "").with_location("m", "f", 1).with_field("a", 1_u64).with_span("s", [])
}

fn without_color(line: &str) -> String {
    let mut plain = line.to_owned();
    for code in ["0", "1", "2", "3", "31", "32", "33", "34", "35", "1;31"] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    plain
}

#[test]
fn what_a_display_wrote_cannot_pass_for_other_fields_or_spans() {
    for (value, shown) in [
        ("Some(\"x y\")", "Some(\"x y\")"),
        ("Point { x: 1, y: 2 }", "Point { x: 1, y: 2 }"),
        ("a=b", "a=b"),
        ("o'neill status=200", "\"o'neill status=200\""),
        ("x} admin{id", "\"x} admin{id\""),
        ("x }", "\"x }\""),
        ("tab\tx=1", "\"tab\\tx=1\""),
    ] {
        let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("user", Value::Text(value));
        let mut line = Vec::new();
        let format = Text::new().time(Time::none());
        format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), format!(" INFO shop: sold user={shown}"));
    }
}
