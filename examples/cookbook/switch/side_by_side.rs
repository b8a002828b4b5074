//! One program, logged through two set-ups, and the comparison of what they wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tracing::Dispatch;
use tracing_handlers::sink::Memory;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Runs `program` with `subscriber`, which is then dropped.
pub fn under(subscriber: Dispatch, program: impl FnOnce()) {
    tracing::dispatcher::with_default(&subscriber, program);
}

/// Takes the place of `std::io::stdout` or `stderr` in a stock set-up. In ours, the `Memory` itself does.
pub fn stream(memory: &Memory) -> BoxMakeWriter {
    let memory = memory.clone();
    BoxMakeWriter::new(move || memory.clone())
}

/// A difference between two outputs that is known and listed.
pub struct Difference {
    pub about: &'static str,
    /// Removes it from a line; a line of which nothing is left does not count.
    pub without: fn(&str) -> String,
}

/// `fmt` quotes every string; `Text` only those that could be taken for something else.
pub const QUOTES: Difference =
    Difference { about: "quotation marks around single words", without: |line| line.replace('"', "") };

/// A filter of a stock layer hides spans as well; an output does so only with a `span_filter`.
pub const SPANS: Difference = Difference { about: "spans that the filter before hides", without: without_spans };

/// Returns the number of lines of code of the modules `before` and `after` in the source of a recipe, without blank lines and comments.
pub fn code(source: &str) -> String {
    format!("code: {} lines before, {} after\n", lines_of(source, "before"), lines_of(source, "after"))
}

/// Compares the lines of both texts, apart from the times at which they were written and the listed differences.
pub fn compare(name: &str, before: &str, after: &str, differences: &[Difference]) -> String {
    let equal_but_for = |differences: &[&Difference]| without(differences, before) == without(differences, after);
    let all: Vec<_> = differences.iter().collect();
    if !equal_but_for(&all) {
        return format!("{name} differs; before:\n{before}after:\n{after}");
    }
    for (index, difference) in differences.iter().enumerate() {
        let mut others = all.clone();
        others.remove(index);
        if equal_but_for(&others) {
            return format!("{name}: no difference in {}\n", difference.about);
        }
    }
    let count = match (before.lines().count(), after.lines().count()) {
        (1, 1) => "1 line".to_owned(),
        (same, other) if same == other => format!("{same} lines"),
        (before, after) => format!("{before} and {after} lines"),
    };
    match differences.iter().map(|difference| difference.about).collect::<Vec<_>>()[..] {
        [] => format!("{name}: {count}, equal\n"),
        ref listed => format!("{name}: {count}, equal but for {}\n", listed.join(", ")),
    }
}

/// Returns lines of JSON with the members in alphabetic order.
pub fn sorted_json(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", sorted(&serde_json::from_str(line).expect("a line of JSON")))).collect()
}

/// Returns the names of the files in `folder` and their texts, in alphabetic order. In the names, digits are written as `0`.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    paths.map(|path| (zeros(&path.file_name().unwrap_or_default().to_string_lossy()), read(&path))).collect()
}

/// Returns the text of a file.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Replaces each digit by `0`.
pub fn zeros(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect()
}

/// Returns the text without the sequences that color it.
pub fn plain(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or("", |(_, rest)| rest))
}

fn lines_of(source: &str, module: &str) -> usize {
    let start = format!("\nmod {module} {{\n");
    let (_, rest) = source.split_once(&start).expect("the module");
    let (body, _) = rest.split_once("\n}\n").expect("the module's end");
    body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

fn without(differences: &[&Difference], text: &str) -> Vec<String> {
    let line = |line: &str| differences.iter().fold(without_time(line), |line, difference| (difference.without)(&line));
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Removes `request{id=7}:`.
fn without_spans(line: &str) -> String {
    let is_span = |word: &&str| word.contains('{') || word.ends_with("}:");
    line.split(' ').filter(|word| !is_span(word)).collect::<Vec<_>>().join(" ")
}

/// Replaces a time of the form that both write, RFC 3339 in UTC to the microsecond.
fn without_time(line: &str) -> String {
    let is_time = |part: &&str| zeros(part) == "0000-00-00T00:00:00.000000Z";
    let length = "0000-00-00T00:00:00.000000Z".len();
    let time = (0..line.len()).filter_map(|start| line.get(start..start + length)).find(is_time);
    time.map_or(line.to_owned(), |time| line.replace(time, "TIME"))
}

fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
