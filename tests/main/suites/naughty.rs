//! Naughty strings through all formats that can be read back, by readers that are not ours, and through those for people.

use serde_json::Value as Parsed;
use tracing_handlers::format::json::{FieldLayout, SpanLayout};
use tracing_handlers::format::{Format, Json, Logfmt, Pattern, Python, Text};
use tracing_handlers::{RecordBuf, Severity, Value};

use super::strings::naughty;
use super::{has_text, line, presets};

/// With the text in all places that can have one.
fn record(text: &str) -> RecordBuf {
    let nested = serde_json::to_string(&serde_json::json!({ "inner": text, text: [text] })).unwrap();
    RecordBuf::new(Severity::INFO, text, text)
        .with_location(text, text, 1)
        .with_thread(text, 1)
        .with_field("str", text)
        .with_field("text", Value::Text(text))
        .with_field("nested", Value::Json(&nested))
        .with_field(text, "named")
        .with_error("error", &[text, text])
        .with_span(text, [("id", text.into()), (text, "of the span".into())])
}

#[track_caller]
fn is_shown_in_one_line(line: &str) {
    let raw = |char: char| {
        char.is_control()
            || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!line.contains(raw), "{line:?}");
}

#[track_caller]
fn parsed(line: &str) -> Parsed {
    is_shown_in_one_line(line);
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn json_reads_back_in_every_layout() {
    for text in naughty() {
        let record = record(&text);
        for layout in [FieldLayout::Flat, FieldLayout::Nested] {
            for spans in [SpanLayout::List, SpanLayout::Nested, SpanLayout::Flat, SpanLayout::Off] {
                let object = parsed(&line(&Json::new().fields(layout).spans(spans), &record));
                let fields = if layout == FieldLayout::Flat { &object } else { &object["fields"] };
                let expected = Parsed::String(text.clone());
                // An empty message is omitted.
                let message = if text.is_empty() { &Parsed::Null } else { &expected };
                assert_eq!((&object["message"], &object["target"]), (message, &expected));
                assert_eq!((&fields["str"], &fields["text"]), (&expected, &expected));
                assert_eq!(fields["nested"]["inner"], expected);
                assert!(has_text(fields, "named"));
            }
        }
    }
}

#[test]
fn presets_read_back() {
    for text in naughty() {
        let record = record(&text);
        for (name, preset, message) in presets() {
            for nested in [false, true] {
                let object = parsed(&line(&preset.clone().nested_objects(nested), &record));
                // GELF's short one is the first line of several.
                let message = object.get("full_message").or(object.pointer(message)).and_then(Parsed::as_str);
                // An empty one is omitted, unless the receiver requires it. GELF's may not be blank either.
                let is_blank = text.is_empty() || name == "gelf" && text.trim().is_empty();
                assert!(message == Some(&*text) || is_blank, "{name}: {text:?} in {object}");
                assert!(has_text(&object, "named") && has_text(&object, "of the span"), "{name}: {object}");
            }
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn templates_read_back() {
    use tracing_handlers::format::JsonTemplate;

    let template = r#"{"text": {"$resolver": "message"}, "str": {"$resolver": "field", "key": "str"},
        "all": {"$resolver": "fields"}, "mdc": {"$resolver": "mdc"}, "thrown": {"$resolver": "exceptionRootCause"}}"#;
    let template = JsonTemplate::new(template).unwrap();
    for text in naughty() {
        let object = parsed(&line(&template, &record(&text)));
        let expected = Parsed::String(text.clone());
        let message = if text.is_empty() { &Parsed::Null } else { &expected };
        assert_eq!((&object["text"], &object["str"], &object["thrown"]), (message, &expected, &expected));
        assert!(has_text(&object["all"], "named") && has_text(&object["mdc"], "of the span"), "{object}");
    }
}

#[test]
fn logfmt_reads_back() {
    for text in naughty() {
        let line = line(&Logfmt::new(), &record(&text));
        is_shown_in_one_line(&line);
        let pairs = crate::logfmt::parse(&line);
        let values =
            |key: &str| pairs.iter().filter(|(known, _)| known == key).map(|(_, value)| value).collect::<Vec<_>>();
        for key in ["message", "str", "text"].into_iter().filter(|key| *key != "message" || !text.is_empty()) {
            assert!(values(key).contains(&&text), "{key} in {line}");
        }
        assert!(pairs.iter().any(|(_, value)| value == "named"), "{line}");
        let mut keys: Vec<_> = pairs.iter().map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), pairs.len(), "a key stands twice in {line}");
    }
}

#[test]
fn formats_for_people_are_one_line_without_invisible_characters() {
    let formats: Vec<Box<dyn Format>> = vec![
        Box::new(Text::full()),
        Box::new(Text::compact()),
        Box::new(
            Pattern::new("{time} {level:<5} {thread} {spans} {target:.-10}: {message:>8.20} {fields} {error} {file}")
                .unwrap(),
        ),
        Box::new(
            Python::percent("%(asctime)s %(levelname)-8s %(name)s %(message)s %(threadName)s").unwrap().error(false),
        ),
        Box::new(Python::brace("{levelname:<8}{name}:{message!r} {message}").unwrap().error(false)),
    ];
    for text in naughty() {
        for format in &formats {
            is_shown_in_one_line(&line(&**format, &record(&text)));
        }
    }
}

/// Without errors, of which each cause is escaped by itself, and without the texts of Debug and Display.
#[test]
fn a_quoted_value_of_text_reads_back() {
    for text in naughty() {
        let record = RecordBuf::new(Severity::INFO, "", "").with_field("value", &*text);
        let line = line(&Pattern::new("{fields}").unwrap(), &record);
        let value = line.strip_prefix("value=").unwrap();
        let back = value
            .strip_prefix('"')
            .map_or_else(|| value.to_owned(), |quoted| unquoted(quoted.strip_suffix('"').unwrap()));
        assert_eq!(back, text, "{line}");
    }
}

/// Rust's escapes, and no others.
fn unquoted(text: &str) -> String {
    let mut back = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        assert!(!before.contains('"'), "{text}");
        back.push_str(before);
        let (char, after) = match escape.split_at(1) {
            ("x", digits) => (u32::from_str_radix(&digits[..2], 16).ok(), &digits[2..]),
            ("u", digits) => {
                let (digits, after) = digits.strip_prefix('{').unwrap().split_once('}').unwrap();
                (u32::from_str_radix(digits, 16).ok(), after)
            }
            ("n", after) => (Some(10), after),
            ("r", after) => (Some(13), after),
            ("t", after) => (Some(9), after),
            (sign @ ("\"" | "\\"), after) => (sign.chars().next().map(u32::from), after),
            other => panic!("{other:?} in {text}"),
        };
        back.push(char::from_u32(char.unwrap()).unwrap());
        rest = after;
    }
    back + rest
}
