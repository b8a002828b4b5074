//! What the guide's tables promise is there, and its links lead somewhere, in the documentation and where the pages are read as files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_recipe_that_a_table_names_is_in_the_cookbook() {
    let known = recipes();
    for page in PAGES {
        let named = named_in(page);
        assert!(named.len() >= 10, "{page} names {} recipes", named.len());
        let missing: Vec<_> = named.difference(&known).collect();
        assert!(missing.is_empty(), "{page} names recipes that are not there: {missing:?}");
    }
}

#[test]
fn every_recipe_is_named_in_the_guide() {
    let texts: Vec<_> = pages().map(|(_, text)| text).collect();
    let is_named = |recipe: &String| texts.iter().any(|text| text.contains(&format!("`{recipe}`")));
    let missing: Vec<_> = recipes().into_iter().filter(|recipe| !is_named(recipe)).collect();
    assert!(missing.is_empty(), "on no page: {missing:?}");
}

#[test]
fn no_two_recipes_have_the_same_name() {
    let mut all = Vec::new();
    names(&root().join("examples/cookbook"), &mut all);
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn links_of_the_guide_lead_to_items_in_the_documentation_and_to_files_elsewhere() {
    let items = definitions(&fs::read_to_string(root().join("layers/guide/links.md")).unwrap());
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (page, text) in pages() {
        let files = definitions(&text);
        for label in references(&text) {
            match (items.get(&label), files.get(&label)) {
                (Some(item), Some(file)) => wrong.extend(fault(&label, item, file)),
                (None, _) => wrong.push(format!("{page}: links.md has no [{label}]: crate::…")),
                (_, None) => wrong.push(format!("{page} does not end with [{label}]: and a file")),
            }
            used.insert(label);
        }
        wrong.extend(inline_links(&text).filter_map(|target| dead(&root().join("layers/guide"), target, &page)));
        let unused = files.keys().filter(|label| !references(&text).contains(*label));
        wrong.extend(unused.map(|label| format!("{page}: [{label}] is defined, and not used")));
    }
    wrong.extend(items.keys().filter(|label| !used.contains(*label)).map(|label| format!("no page uses [{label}]")));
    assert!(used.len() > 100 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_of_the_readme_lead_to_files() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let dead: Vec<_> = inline_links(&text).filter_map(|target| dead(&root(), target, "README.md")).collect();
    assert!(inline_links(&text).count() > 10 && dead.is_empty(), "{dead:?}");
}

#[test]
fn every_feature_is_in_the_tables_of_the_readme_and_the_front_page() {
    let read = |name| fs::read_to_string(root().join(name)).unwrap();
    let manifest = read("Cargo.toml");
    let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names: Vec<_> = features.lines().filter_map(|line| line.split_once(" = [")).map(|(name, _)| name).collect();
    assert!(names.len() > 10, "{names:?}");
    for page in ["README.md", "layers/lib.rs"] {
        let text = read(page);
        let rows: Vec<_> = text.lines().filter(|line| line.trim_start_matches("//! ").starts_with('|')).collect();
        let is_missing = |name: &&&str| !rows.iter().any(|row| row.contains(&format!("`{name}`")));
        let missing: Vec<_> = names.iter().filter(|name| **name != "default").filter(is_missing).collect();
        assert!(missing.is_empty(), "{page} has no row for {missing:?}");
    }
}

#[test]
fn every_page_of_the_guide_is_in_its_index_and_in_the_documentation() {
    let read = |name| fs::read_to_string(root().join("layers/guide").join(name)).unwrap();
    let (index, module) = (read("README.md"), read("mod.rs"));
    for (page, _) in pages().filter(|(page, _)| page != "README.md") {
        assert!(index.contains(&format!("]({page})")), "{page} is not in layers/guide/README.md");
        let lines = format!("#[doc = include_str!(\"{page}\")]\npub mod {} {{}}", page.trim_end_matches(".md"));
        assert!(module.contains(&lines), "{page} is not in layers/guide/mod.rs");
    }
}

#[test]
fn references_and_their_definitions_are_found() {
    let page = "a [`b`]: and `[h]` [c d][e], [f](g.md)\n```\n[i]\n```\n\n[`b`]: x.rs\n[e]: y.rs\n";
    assert_eq!(references(page), BTreeSet::from(["`b`".to_owned(), "e".to_owned()]));
    assert_eq!(definitions(page).into_iter().collect::<Vec<_>>(), [("`b`", "x.rs"), ("e", "y.rs")].map(owned));
    assert_eq!(inline_links(page).collect::<Vec<_>>(), ["g.md"]);
}

fn owned((label, target): (&str, &str)) -> (String, String) {
    (label.to_owned(), target.to_owned())
}

/// Whether a link with this label leads astray: the item must be in the file.
fn fault(label: &str, item: &str, file: &str) -> Option<String> {
    let path = root().join("layers/guide").join(file);
    let name = item.split('#').next().unwrap_or_default().rsplit("::").next().unwrap_or_default();
    let text = fs::read_to_string(&path).unwrap_or_default();
    let is_module = ["mod", name].iter().any(|stem| path.file_stem().is_some_and(|file| file == *stem));
    let fine = item.starts_with("crate") && path.is_file() && (is_module || defines(&text, name));
    (!fine).then(|| format!("[{label}]: {item} is not in {file}"))
}

/// Whether a source defines an item, or a variant, of this name.
fn defines(text: &str, name: &str) -> bool {
    let keywords = ["fn", "struct", "enum", "trait", "type", "mod", "const"];
    let is_item = |line: &str| {
        let words: Vec<_> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        words.windows(2).any(|pair| keywords.contains(&pair[0]) && pair[1] == name)
    };
    let is_variant =
        |line: &str| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with([',', '(', ' ']));
    text.lines().any(|line| is_item(line) || is_variant(line))
}

/// A link that leads to no file. A page outside the documentation has no items.
fn dead(folder: &Path, target: &str, page: &str) -> Option<String> {
    let path = target.split('#').next().unwrap_or_default();
    let fine = target.starts_with("https://") || target.starts_with('#') || folder.join(path).exists();
    (!fine).then(|| format!("{page}: {target} leads nowhere; links to items are [`Name`] and two definitions"))
}

/// The pages of the guide with their names.
fn pages() -> impl Iterator<Item = (String, String)> {
    let mut paths: Vec<_> = fs::read_dir(root().join("layers/guide")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("links.md"));
    assert!(paths.len() >= 10, "{paths:?}");
    paths
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
}

/// `[label]: target`, a line each.
fn definitions(text: &str) -> BTreeMap<String, String> {
    let split = |line: &str| line.strip_prefix('[')?.split_once("]: ").map(owned);
    let split = |line: &str| split(line).filter(|(_, target)| !target.contains(' '));
    text.lines().filter_map(split).collect()
}

/// The labels in `[label]` and `[text][label]`.
fn references(text: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for line in prose(text).filter(|line| definitions(line).is_empty()) {
        for (start, _) in line.match_indices('[') {
            let is_code = line[..start].matches('`').count() % 2 == 1;
            let Some((label, after)) = line[start + 1..].split_once(']') else { continue };
            // `[text](target)`, and the text of `[text][label]`.
            if !is_code && !after.starts_with(['(', '[']) {
                labels.insert(label.to_owned());
            }
        }
    }
    labels
}

/// The targets in `[text](target)`.
fn inline_links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|target| !target.contains('\n'))
}

/// The lines outside code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(str::lines)
}

/// The recipes in the columns of a page's tables that are called `recipe`: `` `one`, `two` ``.
fn named_in(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("layers/guide").join(page)).unwrap();
    let (mut named, mut column) = (BTreeSet::new(), None);
    for line in text.lines() {
        let Some(cells) = cells(line) else {
            column = None;
            continue;
        };
        match column {
            // The first line of a table has the titles.
            None => column = Some(cells.iter().position(|cell| *cell == "recipe")),
            Some(column) => {
                named.extend(column.and_then(|column| recipes_of(cells.get(column)?)).into_iter().flatten())
            }
        }
    }
    named
}

fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect())
}

fn recipes_of(cell: &str) -> Option<Vec<String>> {
    let recipes = cell.strip_prefix('`')?.strip_suffix('`')?;
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

const PAGES: [&str; 3] = ["from_python.md", "from_log4j2.md", "from_tracing_subscriber.md"];
