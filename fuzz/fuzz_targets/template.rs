//! Templates of JSON.

#![no_main]

use fuzz::records::AnyRecord;
use fuzz::{errors, lines};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;
use tracing_handlers::RecordBuf;
use tracing_handlers::format::JsonTemplate;

// The template is the last part, so that the file is one behind a few bytes.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    max_string: u16,
    nulls: bool,
    record: AnyRecord,
    resolvers: Vec<(u8, [(u8, u8); 2])>,
    template: &'a str,
}

fuzz_target!(|input: &[u8]| {
    // A file that begins with a brace is the template itself.
    if input.starts_with(b"{") {
        let Ok(template) = str::from_utf8(input) else { return };
        check(template, &[RecordBuf::default()], None);
    } else if let Ok(input) = Input::arbitrary_take_rest(arbitrary::Unstructured::new(input)) {
        let records = [RecordBuf::default(), input.record.build()];
        for template in [input.template, &of_resolvers(&input.resolvers)] {
            check(template, &records, Some((input.max_string.into(), input.nulls)));
        }
    }
});

/// A template of resolvers with settings, known ones though perhaps not theirs.
fn of_resolvers(resolvers: &[(u8, [(u8, u8); 2])]) -> String {
    let members = resolvers.iter().take(8).enumerate().map(|(at, (name, settings))| {
        let settings = settings.map(|(key, value)| format!(",\"{}\":{}", pick(&SETTINGS, key), pick(&VALUES, value)));
        format!("\"{at}\":{{\"$resolver\":\"{}\"{}}}", pick(&RESOLVERS, *name), settings.concat())
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn pick(words: &[&'static str], at: u8) -> &'static str {
    words[usize::from(at) % words.len()]
}

const RESOLVERS: [&str; 12] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "thread",
    "source",
    "mdc",
    "field",
    "fields",
    "span",
    "spans",
    "exception",
];
const SETTINGS: [&str; 8] = ["precision", "epoch", "field", "severity", "key", "flatten", "stringified", "other"];
const VALUES: [&str; 16] = [
    "6",
    "10",
    "-1",
    "1.5",
    "true",
    "false",
    "null",
    "\"name\"",
    "\"severity\"",
    "\"id\"",
    "\"lineNumber\"",
    "\"chain\"",
    "[]",
    r#"{"unit":"millis"}"#,
    r#"{"unit":"secs","rounded":false}"#,
    r#"{"field":"code"}"#,
];

/// A template that is accepted is JSON, and writes lines of it: objects whose members are those of the template.
fn check(text: &str, records: &[RecordBuf], settings: Option<(usize, bool)>) {
    let Some(mut template) = errors::checked(JsonTemplate::new(text), text) else { return };
    let Ok(Json::Object(members)) = serde_json::from_str(text) else { panic!("it is not an object: {text:?}") };
    if let Some((max_string, nulls)) = settings {
        template = template.max_string(max_string).nulls(nulls);
    }
    for record in records {
        let Some(line) = lines::line(&template, &record.as_record()) else { continue };
        let written: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let written = written.as_object().unwrap_or_else(|| panic!("not an object: {line}"));
        for (key, member) in &members {
            let is_constant = member.is_string() || member.is_number() || member.is_boolean();
            assert!(!is_constant || written.contains_key(key), "{key:?} is missing: {line}");
        }
    }
}
