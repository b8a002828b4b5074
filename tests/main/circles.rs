//! The modules within a folder, none of which name each other in a circle.
//!
//! A module may name the items of its parent. Where the parent only re-exports an item, that counts as naming the module that
//! the item comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::architecture::{circle, collect, layers, take_apart, without_tests};

/// Folders that still have circles.
const EXCEPTIONS: &[&str] = &["testing"];

#[test]
fn modules_within_a_folder_do_not_name_each_other_in_a_circle() {
    let tree = Tree::of_the_crate();
    let circles: Vec<_> = tree
        .folders()
        .into_iter()
        .filter(|folder| !EXCEPTIONS.contains(folder))
        .filter_map(|folder| Some((folder, circle(&tree.graph_of(folder))?.join(", "))))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_is_found_through_relative_paths_and_through_re_exports() {
    let circle_of = |a: &str, b: &str| {
        let root = "mod a;\nmod b;\npub use a::{\n    One,\n};\npub(crate) use b::Two;\nfn own() {}";
        let tree = Tree::of([("f", root), ("f::a", a), ("f::a::deep", ""), ("f::b", b)]);
        circle(&tree.graph_of("f")).map(|modules| modules.join(" "))
    };
    let found = Some("a b".to_owned());
    assert_eq!(circle_of("use super::b::Two;", "use super::a::One;"), found);
    assert_eq!(circle_of("use super::{Two, own};", "fn f() { crate::f::One; }"), found);
    assert_eq!(circle_of("use super::b;", "use crate::{f::a::deep::Thing, x};"), found);
    assert_eq!(circle_of("use super::b;", "use super::own; use self::own; use other::a::One;"), None);
    assert_eq!(circle_of("use super::b;", "// super::a\n#[cfg(test)]\nmod tests {\n    use super::super::a;\n}"), None);
}

/// What each module names, by its path without `crate`.
#[derive(Default)]
struct Tree {
    named: BTreeMap<String, BTreeSet<String>>,
    /// The items that a module re-exports, and where from.
    re_exported: BTreeMap<String, String>,
}

impl Tree {
    fn of_the_crate() -> Self {
        let mut files = Vec::new();
        collect(&layers(), &mut files);
        let sources = files.into_iter().map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let path = file.strip_prefix(layers()).unwrap().with_extension("");
            let names: Vec<_> = path.iter().map(|name| name.to_str().unwrap()).filter(|name| *name != "mod").collect();
            (names.join("::"), text)
        });
        Self::of(sources)
    }

    fn of(sources: impl IntoIterator<Item = (impl Into<String>, impl AsRef<str>)>) -> Self {
        let sources: BTreeMap<String, _> = sources.into_iter().map(|(module, text)| (module.into(), text)).collect();
        let mut tree = Self::default();
        tree.named.extend(sources.keys().map(|module| (module.clone(), BTreeSet::new())));
        for (module, text) in &sources {
            for path in re_exports(text.as_ref()) {
                let Some(path) = tree.absolute(module, &path) else { continue };
                let item = path.rsplit("::").next().unwrap().to_owned();
                tree.re_exported.insert(format!("{module}::{item}"), path);
            }
        }
        for (module, text) in &sources {
            let paths = paths_in(text.as_ref()).into_iter().filter_map(|path| tree.absolute(module, &path));
            let named = paths.filter_map(|path| tree.module_of(path)).collect();
            tree.named.insert(module.clone(), named);
        }
        tree
    }

    /// The modules that have others within.
    fn folders(&self) -> BTreeSet<&str> {
        self.named.keys().filter_map(|module| Some(module.rsplit_once("::")?.0)).collect()
    }

    /// What each module within `folder`, with those within that, names of the others there.
    fn graph_of(&self, folder: &str) -> Vec<(&str, BTreeSet<String>)> {
        let mut graph: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (module, named) in &self.named {
            let Some(child) = child_of(folder, module) else { continue };
            let others = named.iter().filter_map(|named| child_of(folder, named)).filter(|other| *other != child);
            graph.entry(child).or_default().extend(others.map(str::to_owned));
        }
        graph.into_iter().collect()
    }

    /// `path`, as it is written in `module`, from the crate's root on; `None` if it leads out of the crate.
    fn absolute(&self, module: &str, path: &str) -> Option<String> {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let below = |module: &str| if rest.is_empty() { module.to_owned() } else { format!("{module}::{rest}") };
        match first {
            "crate" => Some(rest.to_owned()),
            "self" => Some(below(module)),
            "super" if rest.starts_with("super") => self.absolute(module.rsplit_once("::")?.0, rest),
            "super" => Some(module.rsplit_once("::").map_or(rest.to_owned(), |(parent, _)| below(parent))),
            child => {
                let child = format!("{module}::{child}");
                self.named.contains_key(&child).then(|| below(&child))
            }
        }
    }

    /// The module that the item at `path` comes from.
    fn module_of(&self, mut path: String) -> Option<String> {
        let mut passed = BTreeSet::new();
        loop {
            if let Some(original) = self.re_exported.get(&path).filter(|_| passed.insert(path.clone())) {
                path.clone_from(original);
            } else if self.named.contains_key(&path) {
                return Some(path);
            } else {
                path.truncate(path.rfind("::")?);
            }
        }
    }
}

fn child_of<'m>(folder: &str, module: &'m str) -> Option<&'m str> {
    module.strip_prefix(folder)?.strip_prefix("::")?.split("::").next()
}

/// The paths in code that name something of this crate, groups taken apart.
fn paths_in(text: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let code = without_tests(text);
    let uses = code.match_indices("\nuse ").map(|(at, start)| at + start.len());
    let others = ["crate::", "super::", "self::"].into_iter().flat_map(|start| code.match_indices(start));
    let others = others.map(|(at, _)| at).filter(|at| {
        let before = &code[..*at];
        !before.ends_with([':', '$', '_']) && !before.ends_with("(in ")
    });
    for at in uses.chain(others) {
        take_apart("", &code[at..], &mut paths);
    }
    paths
}

/// The paths that `pub use` makes items of the module itself.
fn re_exports(text: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, start) in text.match_indices(" use ") {
        let line = text[..at].rsplit('\n').next().unwrap();
        if line.starts_with("pub") {
            take_apart("", &text[at + start.len()..], &mut paths);
        }
    }
    paths
}
