//! What the guide's tables promise is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_recipe_that_a_table_names_is_in_the_cookbook() {
    let known = recipes();
    for table in ["from_python.md", "from_log4j2.md"] {
        let text = fs::read_to_string(root().join("layers/guide").join(table)).unwrap();
        let named: BTreeSet<_> = text.lines().filter_map(recipe_of).flatten().collect();
        assert!(named.len() > 10, "{table} names {} recipes", named.len());
        let missing: Vec<_> = named.difference(&known).collect();
        assert!(missing.is_empty(), "{table} names recipes that are not there: {missing:?}");
    }
}

#[test]
fn every_recipe_is_in_a_table() {
    let tables = ["from_python.md", "from_log4j2.md"]
        .map(|table| fs::read_to_string(root().join("layers/guide").join(table)).unwrap());
    let named: BTreeSet<_> = tables.iter().flat_map(|text| text.lines().filter_map(recipe_of).flatten()).collect();
    let missing: Vec<_> = recipes().difference(&named).cloned().collect();
    assert!(missing.is_empty(), "in no table: {missing:?}");
}

#[test]
fn no_two_recipes_have_the_same_name() {
    let mut all = Vec::new();
    names(&root().join("examples/cookbook"), &mut all);
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

/// The recipes in the last cell of a table's line: `` `one`, `two` ``.
fn recipe_of(line: &str) -> Option<Vec<String>> {
    let cells: Vec<_> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let recipes = cells.get(2)?.strip_prefix('`')?.strip_suffix('`')?;
    Some(recipes.split("`, `").map(str::to_owned).collect())
}

fn recipes() -> BTreeSet<String> {
    let mut all = Vec::new();
    names(&root().join("examples/cookbook"), &mut all);
    all.into_iter().collect()
}

fn names(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            names(&entry, all);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            let recipe = text.split("Recipe {").filter_map(|rest| rest.split_once("name: \"")?.1.split('"').next());
            all.extend(recipe.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
