//! Rotation seen from outside: real files in a real directory.

#[cfg(unix)]
mod appender;
mod clocks;
mod copies;
mod core;
mod each_setup;
mod foreign;
mod joined;
mod listing;
mod names;
mod odd;
mod order;
mod python;
mod setups;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use tracing_handlers::rotation::{KIB, Rotation};
use tracing_handlers::sink::{File, Framed, RecordEnd, Sink};
use tracing_handlers::{Severity, selflog};

/// Every file of `dir` by its name.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_else(|_| "(a directory)".into());
        (entry.file_name().into_string().unwrap(), text)
    };
    fs::read_dir(dir).unwrap().map(|entry| read(entry.unwrap())).collect()
}

fn expect(dir: &Path, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    assert_eq!(files(dir), expected);
}

/// One batch of these lines.
fn write(sink: &mut impl Sink, lines: &[&str]) {
    write_below(sink, lines, "");
}

fn write_below(sink: &mut impl Sink, lines: &[&str], preamble: &str) {
    let bytes = lines.concat();
    let mut end = 0;
    let ends: Vec<_> = lines
        .iter()
        .map(|line| {
            end += line.len();
            RecordEnd::new(end, Severity::INFO)
        })
        .collect();
    sink.write(Framed::new(bytes.as_bytes(), &ends).with_preamble(preamble.as_bytes())).unwrap();
}

#[test]
fn the_line_that_would_pass_the_limit_begins_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(8).keep(2));
    for line in ["aaa\n", "bbb\n", "ccc\n", "ddd\n", "eee\n"] {
        write(&mut file, &[line]);
    }
    expect(dir.path(), &[("app.log", "eee\n"), ("app.log.1", "ccc\nddd\n"), ("app.log.2", "aaa\nbbb\n")]);
    write(&mut file, &["fff\n", "ggg\n"]);
    expect(dir.path(), &[("app.log", "ggg\n"), ("app.log.1", "eee\nfff\n"), ("app.log.2", "ccc\nddd\n")]);
}

#[test]
fn a_long_batch_is_divided_between_files_at_line_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(8));
    write(&mut file, &["aaa\n", "bb\n", "cccc\n", "d\n", "eeeeeee\n"]);
    expect(dir.path(), &[("app.log", "eeeeeee\n"), ("app.log.1", "cccc\nd\n"), ("app.log.2", "aaa\nbb\n")]);
}

#[test]
fn a_line_longer_than_the_limit_goes_alone_into_a_fresh_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(4));
    write(&mut file, &["long, at the very start\n", "a\n", "long, behind another\n", "b\n"]);
    let expected = [
        ("app.log", "b\n"),
        ("app.log.1", "long, behind another\n"),
        ("app.log.2", "a\n"),
        ("app.log.3", "long, at the very start\n"),
    ];
    expect(dir.path(), &expected);
}

#[test]
fn with_size_0_every_line_has_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(0));
    write(&mut file, &["a\n", "b\n", "c\n"]);
    expect(dir.path(), &[("app.log", "c\n"), ("app.log.1", "b\n"), ("app.log.2", "a\n")]);
}

#[test]
fn with_keep_0_the_file_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(4).keep(0));
    write(&mut file, &["aaa\n", "bbb\n", "c\n"]);
    expect(dir.path(), &[("app.log", "c\n")]);
}

#[test]
fn five_old_files_are_kept_when_nothing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(0));
    (0..20).for_each(|number| write(&mut file, &[&format!("{number}\n")]));
    assert_eq!(files(dir.path()).len(), 6);
    assert_eq!(files(dir.path())["app.log.5"], "14\n");
}

#[test]
fn what_is_in_the_file_already_counts() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("app.log"), "before\n").unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(8));
    write(&mut file, &["after\n"]);
    expect(dir.path(), &[("app.log", "after\n"), ("app.log.1", "before\n")]);
}

#[test]
fn every_new_file_begins_with_the_preamble_and_an_old_one_does_not_get_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.csv");
    let open = || File::open(&path).unwrap().rotation(Rotation::size(12));
    write_below(&mut open(), &["a\n"], "head\n");
    write_below(&mut open(), &["b\n", "c\n", "much too long\n"], "head\n");
    let expected = [("app.csv", "head\nmuch too long\n"), ("app.csv.1", "head\na\nb\nc\n")];
    expect(dir.path(), &expected);
}

#[test]
fn a_buffered_file_keeps_the_limit_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().buffer(10).rotation(Rotation::size(8)).open(path).unwrap();
    for line in ["aaa\n", "bbb\n", "ccc\n", "ddd\n"] {
        write(&mut file, &[line]);
    }
    drop(file);
    expect(dir.path(), &[("app.log", "ccc\nddd\n"), ("app.log.1", "aaa\nbbb\n")]);
}

#[test]
fn one_write_call_is_never_divided() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(8));
    file.write_all(b"a\n").unwrap();
    file.write_all(b"one\ntwo\nthree\n").unwrap();
    expect(dir.path(), &[("app.log", "one\ntwo\nthree\n"), ("app.log.1", "a\n")]);
}

#[test]
fn a_directory_in_the_way_is_reported_once_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::create_dir(dir.path().join("app.log.1")).unwrap();
    let (sender, reported) = std::sync::mpsc::channel();
    // selflog belongs to the process: only what names our directory is ours.
    let ours = path.display().to_string();
    selflog::set(move |message| drop(message.contains(&ours).then(|| sender.send(message.to_owned()))));

    let mut file = File::open(&path).unwrap().rotation(Rotation::size(4).keep(1));
    for line in ["aaa\n", "bbb\n", "ccc\n"] {
        write(&mut file, &[line]);
    }
    selflog::reset();
    expect(dir.path(), &[("app.log", "aaa\nbbb\nccc\n"), ("app.log.1", "(a directory)")]);
    let reported: Vec<_> = reported.try_iter().collect();
    assert!(reported.len() == 1 && reported[0].contains("is in the way"), "{reported:?}");
}

#[test]
fn a_relative_path_does_not_follow_the_process_into_another_directory() {
    // In a child, since the working directory belongs to the process.
    const IN_CHILD: &str = "TRACING_HANDLERS_TEST_DIR";
    if let Some(dir) = std::env::var_os(IN_CHILD) {
        std::env::set_current_dir(&dir).unwrap();
        let mut file = File::open("logs/app.log").unwrap().rotation(Rotation::size(0));
        assert_eq!(file.describe(), "file logs/app.log");
        std::env::set_current_dir("/").unwrap();
        write(&mut file, &["a\n", "b\n"]);
        std::process::exit(0);
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "rotation::a_relative_path_does_not_follow_the_process_into_another_directory";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name]).env(IN_CHILD, dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    expect(&dir.path().join("logs"), &[("app.log", "b\n"), ("app.log.1", "a\n")]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_not_regular_is_never_rotated() {
    let mut null = File::open("/dev/null").unwrap().rotation(Rotation::size(0));
    write(&mut null, &["a\n", "b\n"]);
    assert!(!Path::new("/dev/null.1").exists());
}

#[test]
fn ten_thousand_lines_through_small_files_are_all_there_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::options().buffer(1000).rotation(Rotation::size(4 * KIB).keep(1000)).open(&path).unwrap();
    let lines: Vec<_> = (0..10_000).map(|number| format!("line {number}\n")).collect();
    for some in lines.chunks(7) {
        write(&mut file, &some.iter().map(String::as_str).collect::<Vec<_>>());
    }
    drop(file);

    let files = files(dir.path());
    assert!(files.values().all(|text| text.len() as u64 <= 4 * KIB));
    let old = (1..files.len()).rev().map(|number| files[&format!("app.log.{number}")].as_str());
    assert_eq!(old.chain([files["app.log"].as_str()]).collect::<String>(), lines.concat());
}
