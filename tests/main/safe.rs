//! What a line shows cannot lie: no control character, no invisible one and none that changes the direction of text is ever in
//! it, wherever a record has it and whatever writes the line.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, info, info_span};
use tracing_handlers::format::csv;
use tracing_handlers::format::json::{self, FieldLayout};
use tracing_handlers::format::{Caps, Csv, Format, Json, Logfmt, Out, Pattern, Preset, Python, Text, from_fn, logfmt};
use tracing_handlers::sink::Null;
use tracing_handlers::{Error, Output, Part, Record, RecordBuf, Severity, Value};

use crate::collect::dispatch;

/// Everything that writes lines, each with all that it can show.
fn formats() -> Vec<(&'static str, Box<dyn Format>)> {
    let mut formats = lines();
    formats.extend(presets());
    #[cfg(feature = "serde")]
    formats.push(("json template", Box::new(json_template())));
    formats
}

fn lines() -> Vec<(&'static str, Box<dyn Format>)> {
    vec![
        ("text", Box::new(shown(Text::full()))),
        ("compact text", Box::new(shown(Text::compact()))),
        ("pretty text", Box::new(shown(Text::pretty()))),
        ("text, errors below", Box::new(below(Text::full()))),
        ("compact text, errors below", Box::new(below(Text::compact()))),
        ("pretty text, errors below", Box::new(below(Text::pretty()))),
        ("json", Box::new(json())),
        ("json, nested", Box::new(json().fields(FieldLayout::Nested).spans(json::SpanLayout::Nested))),
        ("json, flat", Box::new(json().spans(json::SpanLayout::Flat).duplicates(json::Duplicates::Last))),
        ("logfmt", Box::new(logfmt())),
        ("logfmt, flat", Box::new(logfmt().spans(logfmt::SpanKeys::Flat).duplicates(logfmt::Duplicates::First))),
        ("csv", Box::new(csv())),
        ("csv, semicolons", Box::new(csv().separator(csv::Separator::Semicolon).guard_formulas(false))),
        ("csv, all quoted", Box::new(csv().quoting(csv::Quoting::All).fields_as(csv::FieldsAs::Json))),
        ("pattern", Box::new(pattern())),
        ("python, percent", Box::new(python('%'))),
        ("python, brace", Box::new(python('{'))),
        ("python, dollar", Box::new(python('$'))),
    ]
}

fn presets() -> Vec<(&'static str, Box<dyn Format>)> {
    let shown = |preset: Preset| -> Box<dyn Format> { Box::new(preset.source(true).field("column", "own.column")) };
    vec![
        ("ecs", shown(Preset::ecs())),
        ("ecs, nested", shown(Preset::ecs().nested_objects(true))),
        ("gelf", shown(Preset::gelf("web-1"))),
        ("google cloud", shown(Preset::google_cloud("shop"))),
        ("logstash", shown(Preset::logstash())),
        ("bunyan", shown(Preset::bunyan("shop"))),
        ("otlp", shown(Preset::otlp())),
        ("datadog", shown(Preset::datadog("shop"))),
        ("tracing", shown(Preset::tracing().thread_names(true))),
        ("tracing, flat, cut", shown(Preset::tracing().fields(FieldLayout::Flat).max_string(100))),
        ("datadog, cut", shown(Preset::datadog("shop").max_string(100))),
    ]
}

fn pattern() -> Pattern {
    let all = concat!(
        "{time} {level:<5 color} {target:>8.-12} {name} {message:^9 bold} {fields} {field.column|none} {span} ",
        "{span.column} {spans} {error} {module} {file}:{line} {thread} {thread_id} {?field.a:[{style red:{field.a}}]}"
    );
    Pattern::new(all).unwrap()
}

/// Each field in each conversion: as `str`, `repr` and `ascii`. Errors stand in the line.
fn python(style: char) -> Python {
    let names =
        ["name", "message", "pathname", "filename", "module", "lineno", "threadName", "exc_text", "column", "a"];
    let all = names.map(|name| match style {
        '%' => format!("%({name})-9s %({name})r %({name})a"),
        '{' => format!("{{{name}!s:>9}} {{{name}!r:.7}} {{{name}!a}}"),
        _ => format!("${{{name}}}"),
    });
    Python::new(style, &all.join(" ")).unwrap().defaults(["column", "a"].map(|name| (name, "none".into()))).error(false)
}

#[cfg(feature = "serde")]
fn json_template() -> tracing_handlers::format::JsonTemplate {
    let template = r#"{
        "texts": [{"$resolver": "message"}, {"$resolver": "logger"}, {"$resolver": "name"}, {"$resolver": "span"}],
        "thread": {"$resolver": "thread"},
        "source": [{"$resolver": "source"}, {"$resolver": "source", "field": "className"}],
        "column": {"$resolver": "field", "key": "column", "stringified": true},
        "error": {"$resolver": "exception", "field": "chain"},
        "root": {"$resolver": "exceptionRootCause"},
        "spans": {"$resolver": "spans"},
        "mdc": {"$resolver": "mdc"},
        "fields": {"$resolver": "fields", "flatten": {"prefix": "f."}, "stringified": true}
    }"#;
    tracing_handlers::format::JsonTemplate::new(template).unwrap()
}

fn shown(text: Text) -> Text {
    text.file(true).thread_names(true).thread_ids(true)
}

fn below(text: Text) -> Text {
    shown(text).errors_below(true).backtrace_below(true)
}

fn json() -> Json {
    use Part::*;
    Json::new().keys([
        Time, Level, Severity, Target, Name, ModulePath, File, Line, ThreadName, ThreadId, Message, Fields, Span, Spans,
    ])
}

fn logfmt() -> Logfmt {
    use Part::*;
    Logfmt::new().keys([
        Time, Level, Severity, Target, Name, ModulePath, File, Line, ThreadName, ThreadId, Message, SpanNames, Fields,
        SpanFields,
    ])
}

fn csv() -> Csv {
    use Part::*;
    Csv::new().columns([
        Time,
        Level,
        Severity,
        Target,
        Name,
        ModulePath,
        File,
        Line,
        ThreadName,
        ThreadId,
        Message,
        SpanNames,
        Part::field("column"),
        Part::span_field("column"),
        Fields,
        SpanFields,
    ])
}

/// Where a record can have a text from elsewhere. The names of levels are made of letters alone.
type Place = (&'static str, fn(RecordBuf, &str) -> RecordBuf);

const PLACES: &[Place] = &[
    ("message", |mut record, text| {
        record.set_message(text);
        record
    }),
    ("target", |_, text| RecordBuf::new(Severity::INFO, text, "sold")),
    ("module path", |record, text| record.with_location(text, "src/till.rs", 7)),
    ("file", |record, text| record.with_location("shop", text, 7)),
    ("thread name", |record, text| record.with_thread(text, 7)),
    ("field name", |record, text| record.with_field(text, 7_u64)),
    ("field value", |record, text| record.with_field("column", text)),
    ("written field value", |record, text| record.with_field("a", Value::Text(text))),
    ("bytes", |record, text| record.with_field("a", text.as_bytes())),
    ("backtrace", |record, text| {
        record.with_field("backtrace", Value::Text(&format!("0: {text}").replace('\n', "\r")))
    }),
    ("name of an error", |record, text| record.with_error(text, &["lost", "cut"])),
    ("error", |record, text| record.with_error("error", &[text])),
    ("cause of an error", |record, text| record.with_error("error", &["lost", text])),
    ("span name", |record, text| record.with_span(text, [("a", 7_u64.into())])),
    ("bare span name", |record, text| record.with_span(text, [])),
    ("name of a span's field", |record, text| record.with_span("request", [(text, 7_u64.into())])),
    ("value of a span's field", |record, text| record.with_span("request", [("column", text.into())])),
    ("written value of a span's field", |record, text| {
        record.with_span("request", [("a", Value::Text(text)), ("backtrace", Value::Text(text))])
    }),
];

/// The control characters of ASCII and of C1, the line ends of Unicode, the characters that change the direction of text, and invisible ones.
fn evil_chars() -> impl Iterator<Item = char> {
    let ascii = ('\0'..'\u{a0}').filter(|char| char.is_control());
    let directions = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{202a}'..='\u{202e}');
    let isolates = '\u{2066}'..='\u{2069}';
    let ends = ['\u{2028}', '\u{2029}', '\u{85}'];
    let unseen = "\u{200b}\u{200c}\u{200d}\u{2060}\u{180e}\u{feff}\u{fffa}\u{e0041}";
    let ignorable = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{2065}\u{3164}\u{fe00}\u{fe0d}\u{ffa0}\u{1bca0}\u{1d173}\u{e0100}";
    ascii.chain(directions).chain(isolates).chain(ends).chain(unseen.chars()).chain(ignorable.chars())
}

fn is_evil(char: char) -> bool {
    static EVIL: LazyLock<HashSet<char>> = LazyLock::new(|| evil_chars().collect());
    !(' '..='~').contains(&char) && EVIL.contains(&char)
}

fn line(format: &dyn Format, record: &Record<'_>, color: bool) -> String {
    let mut out = Vec::new();
    format.format(record, &mut Out::new(&mut out, Caps::default().with_color(color))).unwrap();
    String::from_utf8(out).unwrap()
}

/// How many lines there are, and how many sequences of ours, in a line from which these have been taken.
struct Looks {
    lines: usize,
    sequences: usize,
    rest: String,
}

/// Lines of ours begin with four spaces; sequences of ours are `ESC [ digits m`.
fn looks(line: &str) -> Looks {
    let (mut sequences, mut rest) = (0, String::with_capacity(line.len()));
    let mut parts = line.split('\x1b');
    rest.extend(parts.next());
    for part in parts {
        let ours = part.strip_prefix('[').and_then(|part| part.split_once('m'));
        match ours.filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')) {
            Some((_, after)) => {
                sequences += 1;
                rest.push_str(after);
            }
            None => rest.extend(["\x1b", part]),
        }
    }
    Looks { lines: rest.matches("\n    ").count(), sequences, rest: rest.replace("\n    ", "") }
}

/// `evil` shows nothing that must not be seen, and has as many lines and sequences of ours as the same with plain text.
fn check(what: fmt::Arguments<'_>, evil: &str, plain: &Looks) {
    let looks = looks(evil);
    assert_eq!(looks.rest.find(is_evil), None, "{what}: {evil:?}");
    assert_eq!(looks.sequences, plain.sequences, "{what}: {evil:?}");
    assert_eq!(looks.lines, plain.lines, "{what}: {evil:?}");
}

fn looks_of(plain: &[(&'static str, String)]) -> Vec<Looks> {
    let looks: Vec<_> = plain.iter().map(|(_, line)| looks(line)).collect();
    assert!(looks.iter().all(|looks| looks.rest.find(is_evil).is_none()), "{plain:?}");
    looks
}

#[test]
fn nothing_evil_is_shown_of_any_place_by_any_format() {
    let record = || {
        RecordBuf::new(Severity::INFO, "shop", "sold")
            .with_location("shop", "src/till.rs", 7)
            .with_thread("till", 7)
            .with_span("outer", [("b", "x".into())])
    };
    let formats = formats();
    for (place, put) in PLACES {
        let plain = put(record(), "axb");
        let plain = looks_of(&both(&formats, &plain.as_record()));
        // Printable characters are evil where they mean something to the format.
        for char in evil_chars().chain(' '..='~') {
            let evil = put(record(), &format!("a{char}b"));
            for ((name, line), plain) in both(&formats, &evil.as_record()).iter().zip(&plain) {
                check(format_args!("{char:?} in the {place} of {name}"), line, plain);
            }
        }
    }
}

/// Without colors and in color.
fn both(formats: &[(&'static str, Box<dyn Format>)], record: &Record<'_>) -> Vec<(&'static str, String)> {
    let each = formats.iter().map(|(name, format)| [false, true].map(|color| (*name, line(format, record, color))));
    each.flatten().collect()
}

#[test]
fn a_text_cannot_take_the_colors_of_the_line() {
    let attack = "\x1b[0m\x1b[31mERROR\x1b[0m \x1b[2Jgone\r\x1b]0;title\x07\u{9b}31m";
    for (place, put) in PLACES {
        let record = put(RecordBuf::new(Severity::INFO, "shop", "sold"), attack);
        let plain = put(RecordBuf::new(Severity::INFO, "shop", "sold"), "axb");
        let lines = both(&formats(), &record.as_record());
        for ((name, line), plain) in lines.iter().zip(looks_of(&both(&formats(), &plain.as_record()))) {
            check(format_args!("an attack in the {place} of {name}"), line, &plain);
        }
    }
}

/// What is written below a record is indented, whatever is in it.
#[test]
fn no_line_below_a_record_passes_for_a_record() {
    let forged = "0: x\n2026-11-21T01:19:03.123456Z  INFO shop: paid\r\n    caused by: y\u{2028}z\n\n";
    let record = RecordBuf::new(Severity::ERROR, "shop", "lost")
        .with_error("error", &[forged, forged])
        .with_field("backtrace", Value::Text(forged));
    for text in [Text::full(), Text::compact(), Text::pretty()] {
        for color in [false, true] {
            let text = line(&below(text.clone()), &record.as_record(), color);
            let mut lines = text.lines();
            assert!(lines.next().is_some_and(|first| first.contains("lost")));
            assert!(lines.clone().all(|line| line.starts_with("    ")), "{text}");
            let forged = |line: &&str| line.contains("INFO") && !line.contains("\\n");
            assert!(lines.filter(forged).all(|line| line.starts_with("        2026")), "{text}");
            assert_eq!(looks(&text).rest.find(is_evil), None, "{text:?}");
        }
    }
    let python = Python::percent("%(asctime)s %(levelname)s %(message)s").unwrap();
    let text = line(&python, &record.as_record(), false);
    assert!(text.lines().skip(1).all(|line| line.starts_with("    ")) && text.lines().count() == 2, "{text}");
}

/// What is written by `format` of each record, kept beside the format's name.
type Lines = Arc<Mutex<Vec<(&'static str, String)>>>;

fn written(log: impl FnOnce()) -> Vec<(&'static str, String)> {
    let lines = Lines::default();
    let (formats, to) = (formats(), lines.clone());
    let format = from_fn(move |record: &Record<'_>, _: &mut Out<'_>| -> Result<(), Error> {
        // Of the second and third time the spans may have been kept.
        (0..3).for_each(|_| to.lock().unwrap().extend(both(&formats, record)));
        Ok(())
    });
    tracing::dispatcher::with_default(&dispatch(Output::new(format, Null)), log);
    std::mem::take(&mut *lines.lock().unwrap())
}

/// An error with a cause.
#[derive(Debug)]
struct Lost(String, Option<Box<Lost>>);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

/// Writes its text as it is, also as `Debug`.
struct Raw(String);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn log(text: &str) {
    let raw = Raw(text.to_owned());
    let error = Lost(text.to_owned(), Some(Box::new(Lost(text.to_owned(), None))));
    let _request = info_span!("request", text, column = %text, raw = ?raw).entered();
    info!(text, column = %text, raw = ?raw, error = &error as &dyn std::error::Error, "{text}");
    info!(message = text);
    info!(backtrace = %text.replace('\n', "\r"), debug = ?text, "{raw:?}");
}

#[test]
fn nothing_evil_is_shown_of_what_tracing_captures() {
    let plain = looks_of(&written(|| log("axb")));
    assert_eq!(plain.len(), 3 * 3 * 2 * formats().len());
    for char in evil_chars() {
        for ((name, line), plain) in written(|| log(&format!("a{char}b"))).iter().zip(&plain) {
            check(format_args!("{char:?} in an event, by {name}"), line, plain);
        }
    }
}

/// A callsite all of whose texts are made when the test runs.
struct Made(OnceLock<Metadata<'static>>);

impl Callsite for Made {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().unwrap()
    }
}

/// With `text` for its name, target, module path, file and first field; leaked, as callsites live for ever.
fn callsite(text: &str, kind: fn() -> tracing::metadata::Kind) -> &'static Metadata<'static> {
    let text: &'static str = text.to_owned().leak();
    let made: &'static Made = Box::leak(Box::new(Made(OnceLock::new())));
    let names: &'static [&'static str] = vec![text, "message"].leak();
    let fields = FieldSet::new(names, Identifier(made));
    made.0.get_or_init(|| Metadata::new(text, text, Level::INFO, Some(text), Some(7), Some(text), fields, kind()))
}

fn log_at_a_callsite_of(text: &str) {
    let span = callsite(text, || tracing::metadata::Kind::SPAN);
    let [first, second] = [0, 1].map(|index| span.fields().iter().nth(index).unwrap());
    let values = [(&first, Some(&7 as &dyn tracing::Value)), (&second, Some(&text as &dyn tracing::Value))];
    let _entered = tracing::Span::new(span, &span.fields().value_set(&values)).entered();

    let event = callsite(text, || tracing::metadata::Kind::EVENT);
    let [first, second] = [0, 1].map(|index| event.fields().iter().nth(index).unwrap());
    let values = [(&first, Some(&7 as &dyn tracing::Value)), (&second, Some(&"sold" as &dyn tracing::Value))];
    for _ in 0..2 {
        Event::dispatch(event, &event.fields().value_set(&values));
    }
}

#[test]
fn nothing_evil_is_shown_of_callsites() {
    let plain = looks_of(&written(|| log_at_a_callsite_of("axb")));
    assert_eq!(plain.len(), 2 * 3 * 2 * formats().len());
    for char in evil_chars() {
        for ((name, line), plain) in written(|| log_at_a_callsite_of(&format!("a{char}b"))).iter().zip(&plain) {
            check(format_args!("{char:?} at a callsite, by {name}"), line, plain);
        }
    }
}
