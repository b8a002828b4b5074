//! No test passes by not running: what a test may not do instead of calling `skipped` or `needs!`, read off the source.

mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use self::source::{count, offenses};
use crate::skip;

/// The functions that skip, and this check with its samples.
const EXEMPT: [&str; 3] = ["tests/support/skip.rs", "tests/main/skips/mod.rs", "tests/main/skips/source.rs"];

#[test]
fn only_the_support_functions_skip_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    ["layers", "tests", "benches", "examples"].iter().for_each(|folder| collect(&root.join(folder), &mut files));
    let (mut found, mut tests) = (Vec::new(), 0);
    for file in files {
        let path = file.strip_prefix(root).unwrap().display().to_string();
        if !EXEMPT.contains(&&*path) {
            let text = fs::read_to_string(file).unwrap();
            found.extend(offenses(&text).into_iter().map(|(line, what)| format!("{path}:{line}: {what}")));
            tests += count(&text);
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(tests > 1_000, "tests are found: {tests}");
}

#[test]
fn an_attribute_or_a_flag_that_ignores_a_test_is_found() {
    for line in [
        "#[ignore]",
        "    #[ignore = \"slow\"]",
        "#[cfg_attr(not(unix), ignore)]",
        "#[cfg_attr(not(feature = \"gzip\"), doc = \"```ignore\")]",
        "    Trial::test(name, run).with_ignored_flag(true)",
    ] {
        assert_eq!(offenses(line), [(1, "a test or sample that is ignored")], "{line}");
    }
    assert_eq!(offenses("#[doc(alias = \"ignored\")]\n// #[ignore] is refused"), []);
}

#[test]
fn a_sample_that_is_ignored_is_found() {
    for line in ["/// ```ignore", "    //! ```rust,ignore", "```ignore", "``` rust, ignore-wasm32", "/// ~~~ignore"] {
        assert_eq!(offenses(line), [(1, "a test or sample that is ignored")], "{line}");
    }
    for line in ["/// ```", "/// ```text", "//! ```no_run", "```sh", "/// ```compile_fail", "// ```ignore"] {
        assert_eq!(offenses(line), [], "{line}");
    }
}

#[test]
fn a_skip_of_ones_own_is_found() {
    for line in [
        "    println!(\"skipped: no disk\");",
        "eprintln!(\"{name}: skipped: no disk\");",
        "    return Ok(\"skipped: no disk\".to_owned());",
        "    assert!(std::env::var(\"CI\").is_err());",
        "    let is_ci = env::var_os(\"CI\").is_some();",
    ] {
        assert_eq!(offenses(line), [(1, "a skip without `skipped` or `needs!`")], "{line}");
    }
    assert_eq!(
        offenses("    skipped(\"no disk\");\n// println!(\"skipped: no disk\")\nfn directories_are_skipped() {"),
        []
    );
}

#[test]
fn a_test_that_returns_early_is_found() {
    let test = |body: &str| format!("#[test]\n#[cfg(unix)]\nfn it_works() {{\n{body}\n}}\n");
    let found = [(4, "a test that returns early without `skipped` or `needs!`")];
    for body in [
        "    let Some(disk) = mount() else { return };",
        "    if !is_root() { return; }",
        "    return write(&file);",
        "    alone(\"it_works\", || { return });",
        "    return skipped_otherwise();",
    ] {
        assert_eq!(offenses(&test(body)), found, "{body}");
        assert_eq!(offenses(&test(body).replace("#[test]\n#[cfg(unix)]", "#[tokio::test]\n")), found, "{body}");
        assert_eq!(offenses(&format!("alone! {{\n    /// Says.\n    fn it_works() {{\n{body}\n    }}\n}}\n")), found);
        let case =
            format!("cases! {{\n    it_works => |ended| ended.succeeds();\n}}\nfn it_works(_: &Path) {{\n{body}\n}}\n");
        assert_eq!(offenses(&case), [(5, found[0].1)], "{body}");
        let scenario = format!("\n\npub fn it_works(plan: Plan) -> Result<String, String> {{\n{body}\n}}\n");
        assert_eq!(offenses(&scenario), found, "{body}");
    }
    let proptest = "proptest! {\n    #[test]\n    fn it_works(any in 0..9) {\n        return Ok(());\n    }\n}\n";
    assert_eq!(offenses(proptest), found);
    assert_eq!(offenses("#[test]\nfn it_works() { return }"), [(2, found[0].1)]);
}

#[test]
fn a_test_that_does_not_return_or_is_skipped_is_fine() {
    for body in [
        "    return skipped(\"no disk\");",
        "    return skip::skipped(\"no disk\");",
        "    let disk = needs!(mount());",
        "    // Others return here.",
        "    says(\"return\");",
        "    let returned = early_return();",
        "    struct Sink;\n    impl Sink {\n        fn write(&self) {\n            return;\n        }\n    }",
        "    fn one_line() { return }",
    ] {
        let text =
            format!("fn before() {{\n    return;\n}}\n#[test]\nfn it_works() {{\n{body}\n}}\nfn after() {{ return }}");
        assert_eq!(offenses(&text), [], "{body}");
    }
    let scenario = "pub fn run(plan: Plan) -> Result<String, String> {\n    return Err(text);\n    return plan.cannot_run(text);\n}";
    assert_eq!(offenses(scenario), []);
}

#[test]
fn the_lines_of_several_threads_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("skipped");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let list = &list;
            scope.spawn(move || (0..100).for_each(|_| skip::append(list, &thread.to_string().repeat(999), "one\ntwo")));
        }
    });
    let text = fs::read_to_string(list).unwrap();
    let is_whole = |line: &str| {
        let (test, reason) = line.split_once('\t').unwrap();
        test.len() == 999 && test.chars().all(|digit| test.starts_with(digit)) && reason == "one two"
    };
    assert!(text.lines().count() == 800 && text.lines().all(is_whole));
}

#[test]
fn a_skipped_test_is_listed_and_fails_in_ci() {
    const CHILD: &str = "TRACING_HANDLERS_TEST_SKIPPED";
    const NAME: &str = "skips::a_skipped_test_is_listed_and_fails_in_ci";
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("skipped");
    let run = |ci: &str| -> Output {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1").env("TRACING_HANDLERS_SKIPPED", &list);
        child.env("CI", ci).output().unwrap()
    };
    if std::env::var_os(CHILD).is_some() {
        skip::needs!(Err::<(), _>("no disk"));
        panic!("it runs");
    } else {
        let output = run("false");
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("skipped: no disk\n"));
        assert_eq!(fs::read_to_string(&list).unwrap(), format!("{NAME}\tno disk\n"));
        let output = run("true");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("in CI every test must run: no disk\n"));
        assert_eq!(fs::read_to_string(&list).unwrap().lines().count(), 1);
    }
}

/// Rust and Markdown.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "target") => {}
            true => collect(&path, files),
            false if path.extension().is_some_and(|ending| ending == "rs" || ending == "md") => files.push(path),
            false => {}
        }
    }
}
