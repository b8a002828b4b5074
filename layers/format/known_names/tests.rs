use proptest::prelude::*;

use super::*;
use crate::format::{Caps, Csv, Format, Json, Logfmt, Out, Preset, csv, json, logfmt};
use crate::record::{Part, RecordBuf, Severity, Value};

struct List(Vec<Vec<u8>>);

impl NameList for List {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> &[u8] {
        &self.0[index]
    }
}

impl List {
    fn free(&self, name: &[u8]) -> usize {
        (2..).find(|number| !self.has(&numbered(name, *number))).expect("numbers are endless")
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|other| other == name)
    }

    fn clashes(&self, name: &[u8]) -> bool {
        self.0.iter().any(|other| are_nested(name, other))
    }
}

fn numbered(name: &[u8], number: usize) -> Vec<u8> {
    [name, format!("_{number}").as_bytes()].concat()
}

proptest! {
    /// Names of few letters, so that many are equal, numbered or paths of each other.
    #[test]
    fn many_names_are_known_as_few_are(names in prop::collection::vec("(a|b|_2|_3|\\.){0,4}", 0..120)) {
        let (mut list, mut known) = (List(Vec::new()), KnownNames::default());
        for name in names {
            let name = name.as_bytes();
            prop_assert_eq!(known.last_of(&list, name), list.0.iter().rposition(|other| other == name));
            prop_assert_eq!(known.free_number(&list, name), list.free(name));
            prop_assert_eq!(known.clashes(&list, name), list.clashes(name));
            let mut dotless = name.to_vec();
            without_dots(&mut dotless);
            let is_taken = |name: &[u8]| list.has(name) || list.clashes(name);
            let free = (2..).find(|number| !is_taken(&numbered(&dotless, *number)));
            prop_assert_eq!(known.free_path(&list, &dotless), free.filter(|_| is_taken(&dotless)));
            list.0.push(match list.has(name) {
                true => numbered(name, list.free(name)),
                false => name.to_vec(),
            });
        }
    }
}

#[test]
fn names_with_one_hash_are_told_apart() {
    let mut list = List((0..=FEW).map(|number| format!("f{number}.x").into_bytes()).collect());
    let mut known = KnownNames::default();
    assert_eq!(known.last_of(&list, b"f7.x"), Some(7));
    let index = known.0.as_mut().expect("many names");
    // As if all names had the hashes of the last one.
    index.names.values_mut().for_each(|at| *at = FEW);
    index.paths.values_mut().for_each(|at| *at = FEW);
    assert_eq!(known.last_of(&list, b"f7.x"), Some(7));
    assert!(known.clashes(&list, b"f7") && !known.clashes(&list, b"f"));
    list.0.push(b"f7.x_2".to_vec());
    assert_eq!(known.free_number(&list, b"f7.x"), 3);
}

/// Returns the number of names that were looked at, and the line.
fn work(format: &dyn Format, record: &RecordBuf) -> (usize, String) {
    let mut line = Vec::new();
    WORK.set(0);
    format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).expect("a line");
    (WORK.get(), String::from_utf8(line).expect("UTF-8"))
}

/// Fields and spans with names that a stranger may have chosen, `n` of them.
fn hostile(n: usize) -> Vec<(&'static str, RecordBuf)> {
    let plain = || RecordBuf::new(Severity::INFO, "shop", "sold");
    let fields = |name: fn(usize) -> String| (0..n).fold(plain(), |record, at| record.with_field(&name(at), at));
    let members: Vec<_> = (0..n).map(|at| format!("\"{}\":{at}", char::from(b'a' + (at % 26) as u8))).collect();
    let body = format!("{{{}}}", members.join(","));
    vec![
        ("one field in each span", (0..n).fold(plain(), |record, at| record.with_span("call", [("n", at.into())]))),
        ("one name", fields(|_| "a".to_owned())),
        ("distinct names", fields(|at| format!("name {at}"))),
        ("names that are numbered already", fields(|at| format!("a_{}", at % 100))),
        ("names that become equal", fields(|at| format!("a{}", ["=", "\"", " ", "\n"][at % 4]))),
        ("paths into one name", fields(|at| if at == 0 { "a".to_owned() } else { format!("a.{}", at % 7) })),
        ("long paths", fields(|at| format!("a{}.b.c.d.e", at % 50))),
        ("a nested value", plain().with_field("body", Value::Json(&body))),
        ("names of the line's own parts", fields(|at| ["level", "message", "time", "log.level"][at % 4].to_owned())),
    ]
}

fn formats() -> Vec<(&'static str, Box<dyn Format>)> {
    use json::{Duplicates, SpanLayout};
    let flat = || Json::new().spans(SpanLayout::Flat);
    let flat_logfmt = || Logfmt::new().spans(logfmt::SpanKeys::Flat);
    vec![
        ("json", Box::new(flat())),
        ("json, first", Box::new(flat().duplicates(Duplicates::First))),
        ("json, last", Box::new(flat().duplicates(Duplicates::Last))),
        ("json, spans by name", Box::new(Json::new().spans(SpanLayout::Nested))),
        ("json, fields in objects", Box::new(flat().fields(json::FieldLayout::Nested))),
        ("logfmt", Box::new(Logfmt::new())),
        ("logfmt, flat", Box::new(flat_logfmt())),
        ("logfmt, first", Box::new(flat_logfmt().duplicates(Duplicates::First))),
        ("logfmt, last", Box::new(flat_logfmt().duplicates(Duplicates::Last))),
        ("csv", Box::new(Csv::new().columns([Part::Fields, Part::SpanFields]))),
        ("csv, json", Box::new(Csv::new().columns([Part::Fields, Part::SpanFields]).fields_as(csv::FieldsAs::Json))),
        ("ecs", Box::new(Preset::ecs())),
        ("ecs, nested", Box::new(Preset::ecs().nested_objects(true))),
        ("gelf", Box::new(Preset::gelf("host"))),
        ("google cloud", Box::new(Preset::google_cloud("project"))),
        ("logstash", Box::new(Preset::logstash())),
        ("bunyan", Box::new(Preset::bunyan("shop"))),
        ("otlp", Box::new(Preset::otlp())),
        ("datadog", Box::new(Preset::datadog("shop"))),
        ("tracing", Box::new(Preset::tracing())),
        ("tracing, flat", Box::new(Preset::tracing().fields(json::FieldLayout::Flat))),
    ]
}

#[test]
fn the_work_is_linear_in_the_number_of_names() {
    for (format_name, format) in formats() {
        for (((name, few), (_, many)), (_, tiny)) in hostile(500).into_iter().zip(hostile(2_000)).zip(hostile(30)) {
            let (few, many, tiny) = (work(&*format, &few).0, work(&*format, &many).0, work(&*format, &tiny).0);
            // A few questions about each name, and the first names compared one by one.
            assert!(many <= 5 * few + 100, "{format_name}, {name}: {few} names looked at for 500, {many} for 2,000");
            assert!(many <= (FEW + 8) * 2_000, "{format_name}, {name}: {many} names looked at for 2,000");
            assert!(tiny <= 4 * 30 * 40, "{format_name}, {name}: {tiny} names looked at for 30");
        }
    }
}

#[test]
fn a_replaced_member_disappears_wherever_it_stands() {
    let record = (0..100_u64).fold(RecordBuf::new(Severity::INFO, "", ""), |record, at| {
        record.with_field(&format!("f{}", at % 40), at).with_field("between", Value::Json("{\"a\":1}"))
    });
    let last: Vec<_> = (0..100_u64).filter(|at| at + 40 >= 100).collect();
    let (_, line) = work(&Json::new().keys([Part::Fields]).duplicates(json::Duplicates::Last), &record);
    let members: Vec<_> = last.iter().map(|at| format!("\"f{}\":{at}", at % 40)).collect();
    assert_eq!(line, format!("{{{},\"between\":{{\"a\":1}}}}", members.join(",")));
    let (_, line) = work(&Logfmt::new().keys([Part::Fields]).duplicates(json::Duplicates::Last), &record);
    let pairs: Vec<_> = last.iter().map(|at| format!("f{}={at}", at % 40)).collect();
    assert_eq!(line, format!("{} between=\"{{\\\"a\\\":1}}\"", pairs.join(" ")));
}
