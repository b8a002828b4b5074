//! Logs read back, as a stranger finds them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tracing_handlers::read::{Event, Gap, Reader};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink;

#[cfg(all(feature = "gzip", feature = "zstd"))]
use crate::skip::{installed, needs};

/// The events of `reader`: lines as they are, gaps as they are displayed, without the directory.
pub(super) fn shown(dir: &Path, reader: Reader) -> Vec<String> {
    let dir = format!("{}/", dir.display());
    reader
        .map(|event| match event {
            Event::Line(line) => line.text().into_owned(),
            Event::Gap(gap) => gap.to_string().replace(&dir, ""),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[track_caller]
fn expect(dir: &Path, expected: &[&str]) {
    assert_eq!(shown(dir, Reader::open(dir.join("app.log")).unwrap()), expected);
}

fn write(dir: &Path, files: &[(&str, &[u8])]) {
    files.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
}

#[cfg(feature = "gzip")]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(feature = "zstd")]
fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn dated_files_come_in_the_order_of_their_dates_and_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 6] = [
        ("app.log", b"6\n"),
        ("app.log.2026-11-20", b"2\n"),
        ("app.log.2026-11-20.1", b"3\n"),
        ("app.log.2026-11-20.10", b"4\n"),
        ("app.log.2026-11-21", b"5\n"),
        ("app.log.2025-12-31.4", b"1\n"),
    ];
    write(dir.path(), &files);
    let expected = ["1", "2", "3", "app.log.2026-11-20.2: is missing, and 7 after it", "4", "5", "6"];
    expect(dir.path(), &expected);
}

#[test]
fn numbers_may_count_up() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log", b"4\n"), ("app.log.5", b"1\n"), ("app.log.6", b"2\n"), ("app.log.8", b"3\n")]);
    let reader = Reader::open_oldest_first(dir.path().join("app.log")).unwrap();
    assert_eq!(shown(dir.path(), reader), ["1", "2", "app.log.7: is missing", "3", "4"]);
}

#[test]
fn files_of_others_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["app.log.bak", "app.log.1.bz2", "app.logs", ".app.log.1.gz.tmp", "other.log.1", "app.log.1.2", "app"] {
        write(dir.path(), &[(name, b"not ours\n")]);
    }
    fs::create_dir(dir.path().join("app.log.1")).unwrap();
    let error = Reader::open(dir.path().join("app.log")).unwrap_err();
    assert_eq!(error.io_error().map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound), "{error}");
    write(dir.path(), &[("app.log", b"ours\n")]);
    expect(dir.path(), &["ours"]);
}

#[test]
fn a_family_without_the_file_in_use_is_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log.1", b"two\n"), ("app.log.2", b"one\n")]);
    expect(dir.path(), &["one", "two"]);
}

#[test]
fn every_file_may_end_within_a_line() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log", b"two\nthr"), ("app.log.1", b"one\nhal"), ("app.log.2", b"")]);
    let expected =
        ["one", "app.log.1: ends within line 2, after 3 bytes", "two", "app.log: ends within line 2, after 3 bytes"];
    expect(dir.path(), &expected);
    let torn = Reader::open(dir.path().join("app.log")).unwrap().find_map(|event| match event {
        Event::Gap(Gap::Torn { bytes, .. }) => Some(bytes),
        _ => None,
    });
    assert_eq!(torn.unwrap(), b"hal");
}

#[test]
fn a_line_that_is_too_long_is_reported_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log", b"one\nmuch too long\ntwo\n")]);
    let reader = Reader::open(dir.path().join("app.log")).unwrap().max_line(3);
    assert_eq!(shown(dir.path(), reader), ["one", "app.log: line 2 is too long: 13 bytes", "two"]);
}

#[cfg(all(feature = "gzip", feature = "zstd"))]
#[test]
fn what_is_compressed_is_seen_by_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two, three) = (zstd(b"one\n"), gzip(b"two\n"), gzip(b"three\n"));
    write(
        dir.path(),
        &[("app.log.3.gz", &one), ("app.log.2", &two), ("app.log.1.gz", b"plain\n"), ("app.log", &three)],
    );
    expect(dir.path(), &["one", "two", "plain", "three"]);
}

#[cfg(all(feature = "gzip", feature = "zstd"))]
#[test]
fn a_damaged_archive_gives_what_is_whole_and_the_next_one_follows() {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..50_000).map(|number| format!("line {number}\n")).collect();
    for (ending, packed) in [("gz", gzip(text.as_bytes())), ("zst", zstd(text.as_bytes()))] {
        let name = format!("app.log.2.{ending}");
        write(dir.path(), &[(&name, &packed[..packed.len() - 100]), ("app.log.1", b"next\n"), ("app.log", b"")]);
        let shown = shown(dir.path(), Reader::open(dir.path().join("app.log")).unwrap());
        let lines = shown.len() - 2;
        assert!(
            lines < 50_000 && shown[lines].starts_with(&format!("{name}: cannot read {name}: ")),
            "{}",
            shown[lines]
        );
        assert!(shown[..lines].iter().enumerate().all(|(number, line)| *line == format!("line {number}")));
        assert_eq!(shown[lines + 1], "next");
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    // A flipped bit is detected by the checksum at the latest.
    let mut packed = gzip(text.as_bytes());
    let middle = packed.len() / 2;
    packed[middle] ^= 4;
    write(dir.path(), &[("app.log.2.gz", &packed)]);
    let gaps = Reader::open(dir.path().join("app.log")).unwrap().filter(|event| matches!(event, Event::Gap(_))).count();
    assert_eq!(gaps, 1);
}

#[cfg(not(feature = "encryption"))]
#[test]
fn an_encrypted_file_names_the_feature_that_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log.1", b"\x89THENC\r\n\x01"), ("app.log", b"one\n")]);
    let gap = "app.log.1: cannot read app.log.1: it is encrypted, but the feature `encryption` is disabled";
    expect(dir.path(), &[gap, "one"]);
}

#[test]
fn an_archive_without_anything_in_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log.1.gz", b""), ("app.log", b"one\n")]);
    expect(dir.path(), &["app.log.1.gz: cannot read app.log.1.gz: unexpected end of file", "one"]);
}

#[cfg(feature = "gzip")]
#[test]
fn a_file_that_is_there_twice_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log", b"two\n"), ("app.log.1", b"one\n"), ("app.log.1.gz", &gzip(b"one\n"))]);
    expect(dir.path(), &["one", "two"]);
    write(dir.path(), &[("app.log.1.gz", &gzip(b"zero\n"))]);
    expect(dir.path(), &["zero", "one", "two"]);
}

#[test]
fn what_is_renamed_removed_or_appended_to_after_the_reader_was_made_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("app.log", b"three\n"), ("app.log.1", b"two\n"), ("app.log.2", b"one\n")]);
    let path = |name: &str| dir.path().join(name);
    let mut reader = Reader::open(path("app.log")).unwrap();
    let first = reader.next().and_then(Event::line).unwrap();
    assert_eq!(first.text(), "one");
    fs::remove_file(path("app.log.2")).unwrap();
    fs::rename(path("app.log.1"), path("app.log.2")).unwrap();
    fs::OpenOptions::new().append(true).open(path("app.log")).unwrap().write_all(b"four\n").unwrap();
    fs::rename(path("app.log"), path("app.log.1")).unwrap();
    write(dir.path(), &[("app.log", b"five\n")]);
    assert_eq!(shown(dir.path(), reader), ["two", "three", "four"]);
}

/// One thread writes and rotates the file, the other one reads it repeatedly.
#[test]
fn no_line_is_repeated_or_missing_while_the_log_is_written_and_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let written = AtomicU64::new(0);
    fs::write(&path, "").unwrap();
    let mut rounds = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut file = sink::File::open(&path).unwrap().rotation(Rotation::size(20_000).keep(1_000));
            for number in 0..200_000 {
                file.write_all(format!("{number}\n").as_bytes()).unwrap();
                written.store(number + 1, Ordering::Release);
            }
        });
        while !writer.is_finished() || rounds == 0 {
            let at_least = written.load(Ordering::Acquire);
            let mut next = 0;
            for event in Reader::open(&path).unwrap() {
                match event {
                    Event::Line(line) => assert_eq!(line.text(), next.to_string()),
                    // The line that is being written.
                    Event::Gap(Gap::Torn { .. }) => continue,
                    other => panic!("{other:?}"),
                }
                next += 1;
            }
            assert!(next >= at_least, "{next} of {at_least}");
            rounds += 1;
        }
    });
    assert_eq!(Reader::open(&path).unwrap().filter_map(Event::line).count(), 200_000);
}

/// How a file is stored.
#[derive(Clone, Copy, Debug)]
enum Packing {
    None,
    #[cfg(feature = "gzip")]
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

fn packing() -> impl Strategy<Value = Packing> {
    prop::sample::select(vec![
        Packing::None,
        #[cfg(feature = "gzip")]
        Packing::Gzip,
        #[cfg(feature = "zstd")]
        Packing::Zstd,
    ])
}

/// As a tool would do it, not this crate.
fn store(path: PathBuf, bytes: &[u8], packing: Packing) {
    let (ending, bytes) = match packing {
        Packing::None => ("", bytes.to_vec()),
        #[cfg(feature = "gzip")]
        Packing::Gzip => (".gz", gzip(bytes)),
        #[cfg(feature = "zstd")]
        Packing::Zstd => (".zst", zstd(bytes)),
    };
    let mut name = path.into_os_string();
    name.push(ending);
    fs::write(name, bytes).unwrap();
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>().prop_map(|byte| if byte == b'\n' { b' ' } else { byte }), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_lines_that_went_in_come_out(
        files in prop::collection::vec((prop::collection::vec(line(), 0..40), packing()), 0..12),
        current in prop::collection::vec(line(), 0..40),
        dated in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let text = |lines: &[Vec<u8>]| lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect::<Vec<_>>();
        for (at, (lines, packing)) in files.iter().enumerate() {
            let name = match dated {
                true => format!("app.log.2026-11-{:02}", at + 1),
                false => format!("app.log.{}", files.len() - at),
            };
            store(dir.path().join(name), &text(lines), *packing);
        }
        fs::write(&path, text(&current)).unwrap();
        let expected: Vec<_> = files.iter().flat_map(|(lines, _)| lines).chain(&current).cloned().collect();
        let mut numbers = BTreeMap::new();
        let mut read = Vec::new();
        for event in Reader::open(&path).unwrap() {
            let Event::Line(line) = event else { panic!("{event:?}") };
            let number = numbers.entry(line.file).or_insert(0);
            *number += 1;
            assert_eq!(line.number, *number);
            read.push(line.bytes);
        }
        prop_assert_eq!(read, expected);
    }
}

/// The reader reads the archives of `gzip` and `zstd`.
#[cfg(all(feature = "gzip", feature = "zstd"))]
#[test]
fn what_the_tools_have_compressed_is_read() {
    for (tool, ending) in [("gzip", "gz"), ("zstd", "zst")] {
        let dir = tempfile::tempdir().unwrap();
        let spawned = Command::new(tool).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = needs!(installed(tool, spawned));
        child.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
        let mut packed = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut packed).unwrap();
        assert!(child.wait().unwrap().success());
        // Two archives one after another are one.
        write(dir.path(), &[(&format!("app.log.1.{ending}"), &packed.repeat(2)), ("app.log", b"three\n")]);
        expect(dir.path(), &["one", "two", "one", "two", "three"]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_not_utf_8_has_old_files_too() {
    use std::os::unix::ffi::OsStringExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = |end: &[u8]| dir.path().join(std::ffi::OsString::from_vec([&b"\xff p"[..], end].concat()));
    for (end, text) in [(&b".3.log"[..], "one\n"), (b".log.1", "two\n"), (b".log", "three\n")] {
        fs::write(path(end), text).unwrap();
    }
    let shown = shown(dir.path(), Reader::open(path(b".log")).unwrap());
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert!(
        shown[0] == "one" && shown[1].ends_with("p.2.log: is missing") && shown[2..] == ["two", "three"],
        "{shown:?}"
    );
}
