//! The borders between modules, read off what each file names of the crate.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a module may name. `sink`, `format`, `filter`, `rewrite` and `framing` know nothing of one another but the types
/// in their traits; `record` knows nothing above it; `process` knows nothing that holds records.
const BORDERS: &[(&str, &[&str])] = &[
    ("error", &["bytes"]),
    ("sync", &[]),
    ("bytes", &[]),
    ("changes", &["sync"]),
    ("clock", &["bytes", "error", "selflog", "sync"]),
    ("record", &["bytes", "clock", "error", "sync"]),
    ("stats", &[]),
    ("threads", &["sync"]),
    ("severities", &[]),
    ("framing", &["error"]),
    ("stream", &["sync", "threads"]),
    ("selflog", &["bytes", "error", "stream", "sync"]),
    // Forks freeze the list of callsites.
    (
        "process",
        &["error", "record::freeze_callsites", "selflog", "stats", "stream::after_fork_in_child", "sync", "threads"],
    ),
    ("filter", &["changes", "clock", "error", "record", "selflog", "stats", "sync", "threads"]),
    ("rewrite", &["bytes::hidden", "clock", "error", "filter::Filter", "record"]),
    ("format", &["bytes", "clock", "error", "record"]),
    ("sink", &["clock", "error", "format::Caps", "process", "record::Severity", "selflog", "stream", "sync"]),
    // It implements the trait of sinks.
    (
        "file",
        &[
            "clock",
            "error",
            "format::Caps",
            "process",
            "record::Severity",
            "selflog",
            "sink",
            "stream",
            "sync",
            "threads",
        ],
    ),
    (
        "handler",
        &[
            "bytes", "changes", "clock", "error", "filter", "format", "framing", "process", "record", "rewrite",
            "selflog", "sink", "stats", "sync", "threads",
        ],
    ),
    ("layer", &["changes", "clock", "error", "handler", "process", "record", "selflog", "sync", "threads"]),
    (
        "testing",
        &[
            "clock", "error", "filter", "format", "handler", "layer", "record", "selflog", "sink", "stats", "sync",
            "threads",
        ],
    ),
    ("start", &["error", "filter", "format", "handler", "layer", "selflog", "sink"]),
    ("receive", &["clock", "error", "handler", "process", "record", "selflog", "sync", "threads"]),
];

/// The provided method `Handler::layer` calls the function of that name, and returns its type.
const PROVIDED: &[(&str, &str)] = &[("handler/mod.rs", "HandlerLayer"), ("handler/mod.rs", "layer")];

/// What a file names of the crate, without its tests.
fn names_in(file: &Path) -> BTreeSet<String> {
    let names = names_of_the_crate(&without_tests(&fs::read_to_string(file).unwrap()));
    let is_provided = |name: &str| PROVIDED.iter().any(|(of, provided)| file.ends_with(of) && name == *provided);
    names.into_iter().filter(|name| !is_provided(name)).collect()
}

/// What the crate's root re-exports, and where from.
const ROOT: &[(&str, &str)] = &[
    ("Error", "error"),
    ("ErrorClass", "error"),
    ("ErrorKind", "error"),
    ("Partial", "error"),
    ("Severity", "record::Severity"),
    ("Part", "record"),
    ("Record", "record"),
    ("RecordBuf", "record"),
    ("Value", "record"),
];

#[test]
fn no_module_names_what_lies_beyond_its_border() {
    let mut crossings = Vec::new();
    for (module, allowed) in BORDERS {
        for file in files_of(module) {
            for name in names_in(&file) {
                let fine = name == *module
                    || name.starts_with(&format!("{module}::"))
                    || allowed.iter().any(|allowed| name == *allowed || name.starts_with(&format!("{allowed}::")));
                if !fine {
                    crossings.push(format!("{}: crate::{name}", file.display()));
                }
            }
        }
    }
    assert!(crossings.is_empty(), "{crossings:#?}");
}

#[test]
fn no_modules_name_each_other_in_a_circle() {
    let names: Vec<(&str, BTreeSet<String>)> = BORDERS.iter().map(|(module, _)| (*module, named_by(module))).collect();
    assert_eq!(circle(&names), None);
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let graph = |edges: &[(&'static str, &[&str])]| -> Vec<(&str, BTreeSet<String>)> {
        edges.iter().map(|(from, to)| (*from, to.iter().map(ToString::to_string).collect())).collect()
    };
    let line = graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
    assert_eq!(circle(&line), None);
    let two = graph(&[("a", &["b"]), ("b", &["a"])]);
    assert_eq!(circle(&two), Some(vec!["a", "b"]));
    let three = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["d", "b"]), ("d", &[])]);
    assert_eq!(circle(&three), Some(vec!["b", "c"]));
}

#[test]
fn every_module_has_its_borders() {
    let known: BTreeSet<_> = BORDERS.iter().map(|(module, _)| module.to_string()).collect();
    let found: BTreeSet<_> = fs::read_dir(layers())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| !["lib", "guide"].contains(&name.as_str()))
        .collect();
    assert_eq!(known, found);
}

#[test]
fn names_are_read_from_plain_and_grouped_paths() {
    let text = "use crate::format::{Caps, time::Time};\nuse crate::{Error, record::{Kind, Value}};\nlet x = crate::sink::File;";
    let names: Vec<_> = names_of_the_crate(text).into_iter().collect();
    assert_eq!(names, ["error", "format::Caps", "format::time::Time", "record::Kind", "record::Value", "sink::File"]);
}

/// The modules that lie on a circle: what is left after those that name no other one are removed again and again, and those
/// that no other one names.
pub(crate) fn circle<'a>(names: &[(&'a str, BTreeSet<String>)]) -> Option<Vec<&'a str>> {
    let mut left: Vec<_> = names.iter().collect();
    loop {
        let is_left = |module: &str| left.iter().any(|(other, _)| *other == module);
        let is_named = |module: &str| left.iter().any(|(_, named)| named.contains(module));
        let inner: Vec<_> = left
            .iter()
            .filter(|(module, named)| is_named(module) && named.iter().any(|named| is_left(named)))
            .copied()
            .collect();
        if inner.len() == left.len() {
            return (!left.is_empty()).then(|| left.iter().map(|(module, _)| *module).collect());
        }
        left = inner;
    }
}

/// The other modules that a module names.
fn named_by(module: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for file in files_of(module) {
        for name in names_in(&file) {
            modules.extend(name.split("::").next().filter(|first| *first != module).map(str::to_owned));
        }
    }
    modules
}

pub(crate) fn layers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("layers")
}

fn files_of(module: &str) -> Vec<PathBuf> {
    let mut files = vec![layers().join(format!("{module}.rs"))];
    files.retain(|file| file.exists());
    collect(&layers().join(module), &mut files);
    assert!(!files.is_empty(), "no module {module}");
    files
}

pub(crate) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            _ if path.file_stem().unwrap() == "tests" => {}
            true => collect(&path, files),
            false if path.extension().is_some_and(|ending| ending == "rs") => files.push(path),
            false => {}
        }
    }
}

/// Comments and unit tests may name anything.
pub(crate) fn without_tests(text: &str) -> String {
    let code = text.split("\nmod tests {").next().unwrap();
    code.lines().filter(|line| !is_comment(line) && !is_public_path(line)).collect::<Vec<_>>().join("\n")
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// `pub use crate::…;`: a second public path for an item, which the module itself does not use.
fn is_public_path(line: &str) -> bool {
    line.starts_with("pub use crate::") && line.ends_with(';')
}

/// Each path that starts with `crate::`, without that, groups taken apart, re-exports of the root resolved.
fn names_of_the_crate(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, start) in text.match_indices("crate::") {
        if text[..at].ends_with('$') || text[..at].ends_with("(in ") {
            continue;
        }
        take_apart("", &text[at + start.len()..], &mut names);
    }
    names.into_iter().map(resolve).collect()
}

pub(crate) fn take_apart(prefix: &str, rest: &str, names: &mut BTreeSet<String>) {
    let word = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(word);
    if let Some(group) = rest.strip_prefix('{') {
        return members(group).iter().for_each(|member| take_apart(prefix, member.trim(), names));
    }
    match after.strip_prefix("::") {
        Some(deeper) if deeper.starts_with(|letter: char| letter.is_alphabetic() || letter == '{' || letter == '_') => {
            take_apart(&format!("{prefix}{name}::"), deeper, names);
        }
        _ if !name.is_empty() => drop(names.insert(format!("{prefix}{name}"))),
        _ => {}
    }
}

/// The parts of a group up to its closing brace.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

fn resolve(name: String) -> String {
    let first = name.split("::").next().unwrap_or("");
    ROOT.iter().find(|(root, _)| *root == first).map_or(name.clone(), |(_, place)| place.to_string())
}
