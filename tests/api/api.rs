//! Lists the public API of a crate, one item per line: `api ALL.json NONE.json`, where the files are what rustdoc writes
//! with all features and with none.

use std::collections::HashSet;
use std::error::Error;
use std::process::exit;

use public_api::{Builder, PublicItem};
use rustdoc_types::{Attribute, Crate, FORMAT_VERSION, Impl, Item, ItemEnum};

const HEADER: &str = "\
// The public API with all features, one item per line. `.ci/api` checks it, `.ci/api --renew` writes it.
// Not listed: methods in implementations of traits, and `Send`, `Sync` and `Unpin` where a type always is.
";

/// The exit code for JSON in a format that this program does not read.
const OTHER_FORMAT: i32 = 3;

/// The auto traits that are listed. The others are unstable or of little use to callers.
const AUTO_TRAITS: [&str; 3] = ["Send", "Sync", "Unpin"];

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [all, none] = files.as_slice() else { return Err("usage: api ALL.json NONE.json".into()) };
    let (all, none) = (lines(all)?, lines(none)?);
    println!("{HEADER}");
    for line in &all {
        let mark = if none.contains(line) { "" } else { " // needs a feature" };
        println!("{line}{mark}");
    }
    // Features should only add. Where one takes away or changes something, the list says so.
    for line in none.iter().filter(|line| !all.contains(line)) {
        println!("{line} // only without features");
    }
    Ok(())
}

fn lines(file: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let json = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    check_format(&json)?;
    let crate_: Crate = serde_json::from_str(&json)?;
    let api = Builder::from_rustdoc_json(file).omit_blanket_impls(true).build()?;
    // An implementation is an item of its type and of its trait.
    let mut seen = HashSet::new();
    Ok(api.items().filter_map(|item| line(&crate_, item)).filter(|line| seen.insert(line.clone())).collect())
}

fn check_format(json: &str) -> Result<(), Box<dyn Error>> {
    let header: serde_json::Value = serde_json::from_str(json)?;
    let version = &header["format_version"];
    if *version != FORMAT_VERSION {
        println!("this rustdoc writes JSON of format {version}, but tests/api reads format {FORMAT_VERSION}");
        exit(OTHER_FORMAT);
    }
    Ok(())
}

fn line(crate_: &Crate, public: &PublicItem) -> Option<String> {
    let item = &crate_.index[&public.id()];
    let parent = public.parent_id().and_then(|id| crate_.index.get(&id)).map(|parent| &parent.inner);
    if !is_listed(&item.inner, parent) {
        return None;
    }
    let attributes = attributes(item);
    let body = if is_provided(&item.inner, parent) { " { ... }" } else { "" };
    Some(format!("{attributes}{public}{body}"))
}

/// The attributes that `public-api` leaves out.
fn attributes(item: &Item) -> String {
    let deprecated = if item.deprecation.is_some() { "#[deprecated] " } else { "" };
    let is_must_use = item.attrs.iter().any(|attribute| matches!(attribute, Attribute::MustUse { .. }));
    let must_use = if is_must_use { "#[must_use] " } else { "" };
    format!("{deprecated}{must_use}")
}

fn is_listed(item: &ItemEnum, parent: Option<&ItemEnum>) -> bool {
    match item {
        ItemEnum::Impl(it) => is_listed_impl(it),
        // The trait lists its methods. Types and constants are what an implementation chooses.
        ItemEnum::Function(_) => !matches!(parent, Some(ItemEnum::Impl(Impl { trait_: Some(_), .. }))),
        _ => true,
    }
}

fn is_listed_impl(it: &Impl) -> bool {
    let name = it.trait_.as_ref().and_then(|path| path.path.rsplit("::").next());
    if it.is_synthetic {
        let is_certain = !it.is_negative && it.generics.where_predicates.is_empty();
        return !is_certain && name.is_some_and(|name| AUTO_TRAITS.contains(&name));
    }
    // `derive(PartialEq)` implements it for the compiler.
    name != Some("StructuralPartialEq")
}

/// Whether it is a method of a trait that implementations may leave out.
fn is_provided(item: &ItemEnum, parent: Option<&ItemEnum>) -> bool {
    matches!((item, parent), (ItemEnum::Function(function), Some(ItemEnum::Trait(_))) if function.has_body)
}
