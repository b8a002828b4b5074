//! Encrypted logs read back, with the keys and without.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::TempDir;
use tracing_handlers::encryption::{Encryptor, Key, Keys, MAGIC};
use tracing_handlers::read::{Event, Gap, Reader};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink;

use crate::read::shown;

#[test]
fn numbered_files_come_in_order() {
    let log = Log::new();
    let options = sink::File::options().encrypt(keys(7)).rotation(Rotation::size(300).keep(100));
    let mut file = options.open(log.path("app.log")).unwrap();
    let lines: Vec<_> = (0..100).map(|n| format!("line {n}")).collect();
    lines.iter().for_each(|line| file.write_all(format!("{line}\n").as_bytes()).unwrap());
    drop(file);
    assert!(log.path("app.log.9").exists());
    log.expect(keys(7), &lines);
    let named = Reader::files([log.path("app.log.1"), log.path("app.log")]).keys(keys(7));
    assert!(lines.join("\n").ends_with(&shown(log.dir.path(), named).join("\n")));
}

#[test]
fn plain_and_encrypted_files_may_lie_side_by_side() {
    let log = Log::new();
    fs::write(log.path("app.log.4"), "one\n").unwrap();
    log.write("app.log.3", 7, &["two\n", "three\n"]);
    fs::write(log.path("app.log.2"), "").unwrap();
    fs::write(log.path("app.log.1"), "four\n").unwrap();
    log.write("app.log", 7, &["five\n"]);
    log.expect(keys(7), &["one", "two", "three", "four", "five"]);
}

#[test]
fn without_keys_each_encrypted_file_is_a_gap() {
    let log = Log::new();
    log.write("app.log.2", 7, &["one\n"]);
    fs::write(log.path("app.log.1"), "two\n").unwrap();
    fs::write(log.path("app.log"), &MAGIC[..3]).unwrap();
    let gap = |name| format!("{name}: cannot read {name}: it is encrypted, but no keys were given");
    let reader = Reader::open(log.path("app.log")).unwrap();
    assert_eq!(shown(log.dir.path(), reader), [gap("app.log.2"), "two".into(), gap("app.log")]);
}

#[test]
fn a_file_that_no_key_fits_is_a_gap_that_names_the_keys() {
    let log = Log::new();
    log.write("app.log.2", 7, &["one\n"]);
    log.write("app.log.1", 8, &["two\n"]);
    log.write("app.log", 7, &["three\n"]);
    let id = |key| keys(key).ids().next().unwrap();
    let gap = |name, key| {
        format!("{name}: cannot read {name}: encrypted with the key {}, not with {}", id(key), id(15 - key))
    };
    log.expect(keys(7), &["one".into(), gap("app.log.1", 8), "three".into()]);
    log.expect(keys(8), &[gap("app.log.2", 7), "two".into(), gap("app.log", 7)]);
    log.expect(keys(8).and(Key::from_bytes([7; 32])), &["one", "two", "three"]);
}

#[test]
fn a_key_changed_within_a_file_ends_it_for_readers_with_only_the_old_key() {
    let log = Log::new();
    log.append("app.log.1", keys(7), &["one\n"]);
    log.append("app.log.1", keys(8).and(Key::from_bytes([7; 32])), &["two\n"]);
    log.write("app.log", 7, &["three\n"]);
    let events = log.shown(keys(7));
    assert_eq!((&*events[0], &*events[2], events.len()), ("one", "three", 3));
    assert!(events[1].contains("encrypted with the key") && events[1].ends_with(", after 1 lines"), "{}", events[1]);
}

#[test]
fn behind_a_block_that_does_not_authenticate_the_next_file_is_next() {
    let log = Log::new();
    log.write("app.log.1", 7, &["one\n", "two\n", "six\n"]);
    log.write("app.log", 7, &["next\n"]);
    let genuine = fs::read(log.path("app.log.1")).unwrap();
    for (at, why) in [(64 + 10, "it does not authenticate"), (64, "there is no valid block")] {
        let mut changed = genuine.clone();
        changed[at] ^= 0x40;
        fs::write(log.path("app.log.1"), changed).unwrap();
        let gap = format!("app.log.1: cannot read app.log.1: block at byte 64: {why}, after 1 lines");
        log.expect(keys(7), &["one", &gap, "next"]);
    }
}

#[test]
fn a_file_cut_at_any_length_is_a_gap_only_where_bytes_are_missing() {
    let log = Log::new();
    log.write("app.log.1", 7, &["one\n", "two\n"]);
    log.write("app.log", 7, &["next\n"]);
    let genuine = fs::read(log.path("app.log.1")).unwrap();
    // Where the blocks end: of the two lines, and the one that ends the stream.
    let ends = [36 + 28, 36 + 56, 36 + 80];
    assert_eq!(genuine.len(), ends[2]);
    for len in 0..=genuine.len() {
        fs::write(log.path("app.log.1"), &genuine[..len]).unwrap();
        let whole = ends.iter().filter(|end| **end <= len).count();
        let lines = whole.min(2);
        let mut expected: Vec<_> = ["one", "two"][..lines].iter().map(|line| line.to_string()).collect();
        let rest = len - whole.checked_sub(1).map_or(0, |last| ends[last]);
        if rest > 0 {
            let after = if lines == 0 { String::new() } else { format!(", after {lines} lines") };
            let why = format!("it ends within a block, after {rest} bytes of that block");
            expected.push(format!("app.log.1: cannot read app.log.1: {why}{after}"));
        }
        expected.push("next".into());
        log.expect(keys(7), &expected);
    }
}

#[test]
fn a_line_of_several_blocks_may_end_between_them() {
    let log = Log::new();
    let long = "x".repeat(100_000) + "\n";
    log.write("app.log", 7, &["one\n", &long]);
    log.expect(keys(7), &["one", long.trim_end()]);
    let genuine = fs::read(log.path("app.log")).unwrap();
    let cut = 36 + 28 + 24 + 65_536;
    fs::write(log.path("app.log"), &genuine[..cut]).unwrap();
    log.expect(keys(7), &["one", "app.log: ends within line 2, after 65536 bytes"]);
    fs::write(log.path("app.log"), &genuine[..cut + 9]).unwrap();
    let gap = "app.log: cannot read app.log: it ends within a block, after 9 bytes of that block, after 1 lines";
    log.expect(keys(7), &["one", gap]);
}

#[test]
fn a_file_that_is_being_written_to_is_read_as_far_as_it_goes() {
    let log = Log::new();
    let mut file = sink::File::options().encrypt(keys(7)).open(log.path("app.log")).unwrap();
    log.expect::<&str>(keys(7), &[]);
    file.write_all(b"one\n").unwrap();
    log.expect(keys(7), &["one"]);
    let mut reader = Reader::open(log.path("app.log")).unwrap().keys(keys(7));
    file.write_all(b"two\n").unwrap();
    assert_eq!(reader.next().and_then(Event::line).unwrap().text(), "one");
    assert_eq!(reader.next().and_then(Event::line).unwrap().text(), "two");
    assert!(reader.next().is_none());
}

#[cfg(feature = "gzip")]
#[test]
fn what_others_have_compressed_after_it_was_encrypted_is_read() {
    let log = Log::new();
    log.write("app.log", 7, &["one\n"]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&fs::read(log.path("app.log")).unwrap()).unwrap();
    fs::write(log.path("app.log.1.gz"), encoder.finish().unwrap()).unwrap();
    log.expect(keys(7), &["one", "one"]);
}

#[test]
fn the_kind_of_the_error_states_the_reason() {
    let log = Log::new();
    log.write("app.log", 7, &["one\n"]);
    let kind = |reader: Reader| match reader.last() {
        Some(Event::Gap(Gap::Unreadable { error, .. })) => error.io_error().map(std::io::Error::kind).unwrap(),
        other => panic!("{other:?}"),
    };
    let reader = || Reader::open(log.path("app.log")).unwrap();
    assert_eq!(kind(reader()), std::io::ErrorKind::InvalidInput);
    assert_eq!(kind(reader().keys(keys(8))), std::io::ErrorKind::InvalidData);
    let bytes = fs::read(log.path("app.log")).unwrap();
    fs::write(log.path("app.log"), &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(kind(reader().keys(keys(7))), std::io::ErrorKind::UnexpectedEof);
}

fn keys(byte: u8) -> Keys {
    Keys::new(Key::from_bytes([byte; 32]))
}

struct Log {
    dir: TempDir,
}

impl Log {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file of its own, a block for each line.
    fn write(&self, name: &str, key: u8, lines: &[&str]) {
        let mut encryptor = Encryptor::new(Vec::new(), keys(key));
        lines.iter().for_each(|line| encryptor.write_all(line.as_bytes()).unwrap());
        fs::write(self.path(name), encryptor.finish().unwrap()).unwrap();
    }

    fn append(&self, name: &str, keys: Keys, lines: &[&str]) {
        let mut file = sink::File::options().encrypt(keys).open(self.path(name)).unwrap();
        lines.iter().for_each(|line| file.write_all(line.as_bytes()).unwrap());
    }

    fn shown(&self, keys: Keys) -> Vec<String> {
        shown(self.dir.path(), Reader::open(self.path("app.log")).unwrap().keys(keys))
    }

    #[track_caller]
    fn expect<T: AsRef<str>>(&self, keys: Keys, expected: &[T]) {
        let expected: Vec<_> = expected.iter().map(AsRef::as_ref).collect();
        assert_eq!(self.shown(keys), expected);
    }
}
