//! The table of settings in a builder's docs names all of its methods, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the source says about one type.
#[derive(Default)]
struct Builder {
    /// The methods that the first columns of its tables link to.
    rows: BTreeSet<String>,
    /// The names that they contain without a link, as those of methods that need a feature.
    names: BTreeSet<String>,
    /// All public functions.
    functions: BTreeSet<String>,
    /// Those that take the builder and return it.
    setters: BTreeSet<String>,
}

#[test]
fn the_table_of_a_builder_has_a_row_for_each_setter_and_no_other() {
    let mut builders = BTreeMap::<String, Builder>::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("layers")) {
        read(&fs::read_to_string(file).unwrap(), &mut builders);
    }
    builders.retain(|_, builder| builder.rows.iter().any(|row| builder.setters.contains(row)));
    assert!(builders.len() > 30, "tables are found: {}", builders.len());
    let wrong: Vec<_> = builders.iter().flat_map(|(name, builder)| faults(name, builder)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rows_and_setters_are_read_off_the_source() {
    let text = "\
/// | setting | default |
/// |---|---|
/// | [`one`](Self::one), [`two`](Self::two), `four` | `three` |
#[derive(Clone)]
pub struct Settings;

impl<H: Handler> Settings<H> {
    pub fn one(mut self, on: bool) -> Self {
    pub fn long(
        self,
        make: impl Fn(&str) -> Option<u8>,
    ) -> Self {
    pub fn four(self) -> Self {
    pub fn of(&self) -> u8 {
}

impl Clone for Settings {
";
    let mut builders = BTreeMap::new();
    read(text, &mut builders);
    let wrong = faults("Settings", &builders["Settings"]);
    assert_eq!(wrong, ["Settings::long has no row", "Settings has a row for `two`, which it does not have"]);
}

fn faults(name: &str, builder: &Builder) -> Vec<String> {
    let missing = builder.setters.difference(&builder.rows).filter(|setter| !builder.names.contains(*setter));
    let missing = missing.map(|setter| format!("{name}::{setter} has no row"));
    let extra = builder.rows.difference(&builder.functions);
    missing.chain(extra.map(|row| format!("{name} has a row for `{row}`, which it does not have"))).collect()
}

fn read(text: &str, builders: &mut BTreeMap<String, Builder>) {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let (mut docs, mut of, mut in_attribute) = (Vec::new(), None, false);
    for (start, line) in lines(text) {
        in_attribute |= line.starts_with("#[");
        if in_attribute || line.starts_with("///") {
            in_attribute &= !line.ends_with(']');
            docs.push(line);
            continue;
        }
        if let Some(name) = declared(line) {
            let builder = builders.entry(name.to_owned()).or_default();
            builder.rows.extend(docs.iter().flat_map(|line| links_of_row(line)));
            builder.names.extend(docs.iter().flat_map(|line| names_of_row(line)));
        }
        docs.clear();
        if line.starts_with("impl") {
            of = implemented(line);
        }
        if let (Some(of), Some(function)) = (of, line.strip_prefix("    pub fn ")) {
            let builder = builders.entry(of.to_owned()).or_default();
            let name = function.split(['(', '<']).next().unwrap().to_owned();
            if is_setter(&text[start..]) {
                builder.setters.insert(name.clone());
            }
            builder.functions.insert(name);
        }
    }
}

/// The lines, each with its offset.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |end, line| {
        let start = *end;
        *end += line.len();
        Some((start, line.trim_end()))
    })
}

fn declared(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?;
    Some(word(rest))
}

/// The type of an `impl` that is not of a trait.
fn implemented(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("impl")?;
    if rest.starts_with('<') {
        let depths = rest.char_indices().scan(0, |depth, (at, letter)| {
            *depth += i32::from(letter == '<') - i32::from(letter == '>' && !rest[..at].ends_with('-'));
            Some((at, *depth))
        });
        let end = depths.filter(|(_, depth)| *depth == 0).map(|(at, _)| at).next()?;
        rest = &rest[end + 1..];
    }
    (!rest.contains(" for ")).then(|| word(rest.trim_start()))
}

/// Whether the function at the start of `text` takes `self` and returns `Self`.
fn is_setter(text: &str) -> bool {
    let signature = text.split(['{', ';']).next().unwrap();
    let arguments = signature.split_once('(').map_or("", |(_, arguments)| arguments.trim_start());
    let takes = arguments.strip_prefix("mut ").unwrap_or(arguments).strip_prefix("self");
    takes.is_some_and(|rest| rest.starts_with([',', ')']))
        && signature.split(" where").next().unwrap().trim_end().ends_with("-> Self")
}

/// The methods of the same type that the first column of a table's row links to.
fn links_of_row(line: &str) -> impl Iterator<Item = String> {
    let links = first_column(line).split("](Self::").skip(1).filter_map(|link| link.split(')').next());
    links.map(str::to_owned)
}

/// What stands in backticks in the first column of a table's row.
fn names_of_row(line: &str) -> impl Iterator<Item = String> {
    first_column(line).split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The first column of a row, which may be in an attribute: a row that needs a feature.
fn first_column(line: &str) -> &str {
    let row = line.strip_prefix("/// | ").or_else(|| line.split_once("doc = \"| ").map(|(_, row)| row));
    row.and_then(|row| row.split(" | ").next()).unwrap_or("")
}

fn word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or("")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rs"));
    files.extend(folders.iter().flat_map(|folder| sources(folder)));
    files
}
