//! One name for one thing: the names of types and files, read off the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Public types that share a name on purpose: one transport or protocol in both directions, a sink and a receiver.
const IN_BOTH_DIRECTIONS: &[&str] = &[];

/// Private types with these names say nothing about what they hold.
const VAGUE: &[&str] = &["Shared", "State", "Settings"];
const MOST_VAGUE: usize = 6;

#[test]
fn no_two_public_types_share_a_name() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for file in sources("layers") {
        for name in fs::read_to_string(&file).unwrap().lines().filter_map(public_type) {
            places.entry(name.to_owned()).or_default().push(file.display().to_string());
        }
    }
    assert!(places.len() > 150, "types are found: {}", places.len());
    places.retain(|name, places| places.len() > 1 && !IN_BOTH_DIRECTIONS.contains(&name.as_str()));
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn few_types_have_a_name_that_says_nothing() {
    let mut found = Vec::new();
    for file in sources("layers") {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if any_type(line).is_some_and(|name| VAGUE.contains(&name)) {
                found.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(found.len() <= MOST_VAGUE, "{found:#?}");
}

#[test]
fn the_root_of_a_folder_is_its_mod_rs() {
    let mut beside: Vec<PathBuf> =
        ["layers", "tests", "examples", "benches", "fuzz"].into_iter().flat_map(sources).collect();
    beside.retain(|file| file.with_extension("").is_dir() && !is_root_of_a_binary(file));
    assert!(beside.is_empty(), "{beside:#?}");
}

#[test]
fn test_files_lie_in_the_folders_of_their_binaries_and_say_what_they_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = sources("tests");
    files.retain(|file| {
        file.parent() == Some(&tests) || file.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("_more"))
    });
    assert!(files.is_empty(), "{files:#?}");
}

#[test]
fn names_of_types_are_read_off_their_lines() {
    assert_eq!(public_type("pub struct Line<'a> {"), Some("Line"));
    assert_eq!(public_type("pub enum Part {"), Some("Part"));
    assert_eq!(public_type("pub trait Sink: Send + 'static {"), Some("Sink"));
    assert_eq!(public_type("pub(crate) struct Line;"), None);
    assert_eq!(public_type("/// pub struct Line;"), None);
    assert_eq!(any_type("pub(super) struct State<S> {"), Some("State"));
    assert_eq!(any_type("    struct Settings(Members);"), Some("Settings"));
    assert_eq!(any_type("    type State = Table;"), None);
}

/// The name of the public type that a line declares.
fn public_type(line: &str) -> Option<&str> {
    declared(line.strip_prefix("pub ")?, &["struct ", "enum ", "union ", "trait ", "type "])
}

/// The name of the struct or enum that a line declares, whoever may use it.
fn any_type(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(public) if public.starts_with(['(', ' ']) => public.split_once(' ')?.1,
        _ => line,
    };
    declared(line, &["struct ", "enum ", "union "])
}

fn declared<'l>(line: &'l str, keywords: &[&str]) -> Option<&'l str> {
    let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

fn is_root_of_a_binary(file: &Path) -> bool {
    fs::read_to_string(file).unwrap().contains("fn main()")
}

pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "target") => {}
            true => collect(&path, files),
            false if path.extension().is_some_and(|ending| ending == "rs") => files.push(path),
            false => {}
        }
    }
}
