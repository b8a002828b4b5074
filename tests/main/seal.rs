//! Sealed logs: what was changed is found, wherever it was.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::seal::{Broken, Flaw, Head, Key, Seal, Unverified, Verified, Verifier, verify};
use tracing_handlers::sink::{Durability, File, FileOptions};
use tracing_handlers::{ErrorKind, Severity};

#[test]
fn a_sealed_log_is_a_log_with_seals() {
    let log = Log::new("app.jsonl");
    log.write(["{\"a\":1}\n", "{}\n", "plain\n", "{\"b\":2}\r\n", "two\nlines\n", "no end"]);
    let lines = log.lines();
    assert_eq!(lines.len(), 9);
    assert!(lines[0].starts_with("{\"seal.checkpoint\":\"begin\",\"key\":\""), "{}", lines[0]);
    assert!(lines[0].contains(",\"time\":\"2026-11-21T10:40:29Z\",\"cut\":0,\"seal\":\""));
    assert!(serde_json::from_str::<serde_json::Value>(&lines[0]).is_ok());
    assert!(lines[1].starts_with("{\"a\":1,\"seal\":\"") && lines[1].len() == 7 + 42);
    assert!(lines[2].starts_with("{\"seal\":\"") && lines[2].len() == 2 + 41);
    assert!(lines[3].starts_with("plain seal=") && lines[3].len() == 5 + 38);
    assert!(lines[4].ends_with("\"}\r"), "{:?}", lines[4]);
    assert!(lines[7].starts_with("no end seal="));
    assert!(lines[8].starts_with("seal-checkpoint close key="), "it looks like the line before it: {}", lines[8]);
    let verified = log.verify().unwrap();
    assert_eq!((verified.files, verified.lines, verified.first, verified.closed, verified.torn), (1, 7, 0, true, 0));
    assert_eq!(verified.head.unwrap().lines(), 7);
}

#[test]
fn each_flipped_bit_of_a_text_is_detected() {
    each_flipped_bit_is_detected("a J\n");
}

#[test]
fn each_flipped_bit_of_json_is_detected() {
    each_flipped_bit_is_detected("{\"a\":\"J\"}\n");
}

/// Of all lines, their ends, and every kind of checkpoint.
fn each_flipped_bit_is_detected(line: &str) {
    let log = Log::new("app.log");
    log.write_with(log.options_with(log.seal().every(1)), [line; 2]);
    let genuine = fs::read(&log.path).unwrap();
    let verified = log.verify().unwrap();
    for bit in 0..genuine.len() * 8 {
        let mut changed = genuine.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&log.path, changed).unwrap();
        assert!(log.verify().is_err(), "bit {bit} of {}", String::from_utf8_lossy(&genuine));
    }
    fs::write(&log.path, genuine).unwrap();
    assert_eq!(log.verify().unwrap(), verified);
}

#[test]
fn lines_that_are_removed_inserted_doubled_or_moved_are_found_and_named() {
    let log = Log::new("app.log");
    log.write((0..8).map(|n| format!("line {n}\n")));
    let genuine = log.lines();
    let foreign = Log::new("app.log");
    foreign.write(["line 3\n"]);
    type Change<'a> = &'a dyn Fn(&mut Vec<String>);
    let cases: [(&str, usize, Flaw, Change<'_>); 8] = [
        ("removed", 4, Flaw::Changed, &|lines| drop(lines.remove(3))),
        ("doubled", 5, Flaw::Changed, &|lines| lines.insert(4, lines[3].clone())),
        ("swapped", 4, Flaw::Changed, &|lines| lines.swap(3, 4)),
        ("inserted", 4, Flaw::NoSeal, &|lines| lines.insert(3, "line".into())),
        ("from another log", 4, Flaw::Changed, &|lines| lines.insert(3, foreign.lines()[1].clone())),
        ("changed", 4, Flaw::Changed, &|lines| lines[3] = lines[3].replace("line 2", "line 9")),
        ("its seal is gone", 4, Flaw::NoSeal, &|lines| lines[3] = "line 2".into()),
        ("the beginning is gone", 1, Flaw::NoBegin, &|lines| drop(lines.remove(0))),
    ];
    for (case, line, what, change) in cases {
        let mut lines = genuine.clone();
        change(&mut lines);
        log.replace(&lines);
        let broken = log.broken();
        assert_eq!((broken[0].line, broken[0].flaw), (line as u64, what), "{case}: {broken:?}");
        assert_eq!(broken[0].file, log.path);
    }
}

#[test]
fn every_bit_of_the_first_line_of_the_oldest_file_is_found_by_the_name_of_the_log() {
    let log = Log::new("app.log");
    log.write_with(log.options().rotation(Rotation::size(400).keep(9)), (0..3).map(|n| format!("line {n}\n")));
    let mut olds = (1..10).map(|n| log.path.with_extension(format!("log.{n}"))).filter(|old| old.exists());
    let oldest = olds.next_back().unwrap();
    assert!(Verifier::new(&log.key).family(&log.path).is_ok());
    let genuine = fs::read(&oldest).unwrap();
    let first = genuine.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for bit in 0..first * 8 {
        let mut flipped = genuine.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&oldest, flipped).unwrap();
        assert!(Verifier::new(&log.key).family(&log.path).is_err(), "bit {bit} of {}", oldest.display());
    }
    fs::write(&oldest, genuine).unwrap();
    assert!(Verifier::new(&log.key).family(&log.path).is_ok());
}

#[test]
fn whatever_a_reader_shows_under_the_name_of_the_log_is_genuine_or_named() {
    let (log, other) = (Log::new("app.log"), Log::new("app.log"));
    log.write_with(log.options().rotation(Rotation::size(400).keep(9)), (0..3).map(|n| format!("line {n}\n")));
    other.write(["line 3\n"]);
    let of_another_key = Log { key: Key::from_bytes([8; 32]), ..Log::new("app.log") };
    of_another_key.write(["line 3\n"]);
    let (of_chain, of_key) = (fs::read(&other.path).unwrap(), fs::read(&of_another_key.path).unwrap());
    let wrong_key = |flaw| matches!(flaw, Flaw::WrongKey { .. });
    let verified = log.verify().unwrap();
    for name in ["app.log.77", "app.77.log", "app.log.2026-11-21", "app.log.20261121.3", "app.log.1.zst"] {
        let added = log.path.with_file_name(name);
        for (bytes, flaw) in [
            (&b"plain\n"[..], Flaw::NoBegin),
            (b"no end", Flaw::NoBegin),
            (&of_chain[..40], Flaw::NoBegin),
            (b"{\"seal.checkpoint\":\"begin\"}\n", Flaw::NoBegin),
            (&of_chain, Flaw::OtherChain),
        ] {
            fs::write(&added, bytes).unwrap();
            let broken = log.broken();
            assert_eq!((&broken[0].file, broken[0].line, broken[0].flaw), (&added, 1, flaw), "{name}");
        }
        fs::write(&added, &of_key).unwrap();
        assert!(log.broken().iter().any(|broken| broken.file == added && wrong_key(broken.flaw)));
        fs::remove_file(&added).unwrap();
    }
    // These are files of other logs.
    for name in ["app.log.bak", "app.log.77.txt", "app.logs", "app", "application.log"] {
        fs::write(log.path.with_file_name(name), "plain\n").unwrap();
        fs::write(log.path.with_file_name(name.to_owned() + ".sealed"), &of_chain).unwrap();
    }
    // Nothing is shown of an empty one.
    fs::write(log.path.with_extension("log.77"), "").unwrap();
    assert_eq!(log.verify().unwrap(), verified);
}

#[test]
fn an_old_file_that_was_cut_within_its_first_line_is_named() {
    let log = Log::new("app.log");
    log.write_with(log.options().rotation(Rotation::size(400).keep(9)), (0..3).map(|n| format!("line {n}\n")));
    let oldest = log.files().pop().unwrap();
    let genuine = fs::read(&oldest).unwrap();
    let first = genuine.iter().position(|byte| *byte == b'\n').unwrap();
    for len in 1..=first {
        fs::write(&oldest, &genuine[..len]).unwrap();
        let broken = log.broken();
        assert_eq!((&broken[0].file, broken[0].flaw), (&oldest, Flaw::NoBegin), "{len} bytes");
    }
    // The current file may be torn there, but only if it is a checkpoint.
    fs::write(&oldest, genuine).unwrap();
    fs::write(&log.path, "all is well").unwrap();
    assert_eq!(log.broken()[0].flaw, Flaw::NoBegin);
}

#[test]
#[cfg(all(feature = "gzip", feature = "zstd"))]
fn a_compressed_file_that_a_reader_shows_is_genuine_or_named() {
    let log = Log::new("app.log");
    log.write_with(log.options().rotation(Rotation::size(400).keep(9)), (0..3).map(|n| format!("line {n}\n")));
    let one = log.path.with_extension("log.1");
    let packed = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    };
    let (gz, zst) = (log.path.with_extension("log.1.gz"), log.path.with_extension("log.1.zst"));
    // Compressed and not removed yet: a reader shows one of them.
    let text = fs::read(&one).unwrap();
    fs::write(&gz, packed(&text)).unwrap();
    let verified = log.verify().unwrap();
    // A reader shows two of the three.
    fs::write(&zst, zstd::encode_all(&*text, 1).unwrap()).unwrap();
    assert!(log.broken().iter().any(|broken| [&gz, &zst, &one].contains(&&broken.file)));
    fs::remove_file(zst).unwrap();
    fs::write(&gz, packed(b"all is well\n")).unwrap();
    assert_eq!((&log.broken()[0].file, log.broken()[0].flaw), (&gz, Flaw::NoBegin));
    // A reader shows the lines before the damage.
    let mut noise =
        (0..9_000_u32).map(|n| format!("all is well {}\n", n.wrapping_mul(2_654_435_761))).collect::<String>();
    fs::write(&gz, &packed(noise.as_bytes())[..9_000]).unwrap();
    assert_eq!((&log.broken()[0].file, log.broken()[0].flaw), (&gz, Flaw::NoBegin));
    noise.truncate(40);
    fs::write(&gz, &packed(noise.as_bytes())[..30]).unwrap();
    let Err(Unverified::Unreadable(error)) = log.verify() else { panic!("it is damaged") };
    assert!(error.to_string().contains("app.log.1.gz"), "{error}");
    fs::remove_file(gz).unwrap();
    assert_eq!(log.verify().unwrap(), verified);
}

#[test]
fn a_line_that_is_longer_than_what_is_held_in_memory_is_sealed_and_verified() {
    let log = Log::new("app.log");
    let (long, object) = ("x".repeat(300_000), format!("{{\"a\":\"{}\"}}", "y".repeat(300_000)));
    log.write_with(
        log.options_with(log.seal().every(2)),
        [format!("{long}\n"), format!("{object}\r\n"), "three\n".into()],
    );
    assert_eq!(log.verify().unwrap().lines, 3);
    log.write(["four\n"]);
    assert_eq!(log.verify().unwrap().lines, 4);
    let genuine = fs::read(&log.path).unwrap();
    for at in [150_000, 450_000, 300_100, 600_500] {
        let mut changed = genuine.clone();
        changed[at] ^= 1;
        fs::write(&log.path, changed).unwrap();
        assert!(log.verify().is_err(), "byte {at}");
    }
    // A crash within a long line.
    fs::write(&log.path, &genuine[..200_000]).unwrap();
    assert_eq!(log.verify().unwrap().torn, 200_000 - log.lines()[0].len() as u64 - 1);
    log.write(["two\n"]);
    assert_eq!((log.verify().unwrap().lines, log.verify().unwrap().torn), (1, 0));
    // A long line without seals behind the last checkpoint.
    fs::write(&log.path, [&genuine[..], long.as_bytes(), b"\n"].concat()).unwrap();
    log.options().open(&log.path).unwrap_err();
}

#[test]
fn behind_a_broken_line_checking_goes_on() {
    let log = Log::new("app.log");
    log.write_with(log.options_with(log.seal().every(10)), (0..60).map(|n| format!("line {n}\n")));
    let mut lines = log.lines();
    let changed = lines.iter().position(|line| line.starts_with("line 3 ")).unwrap();
    lines[changed] = lines[changed].replace("line 3", "line x");
    let removed = lines.iter().position(|line| line.starts_with("line 22 ")).unwrap();
    lines.drain(removed..removed + 3);
    let doubled = lines.iter().position(|line| line.starts_with("line 45 ")).unwrap();
    lines.insert(doubled, lines[doubled].clone());
    log.replace(&lines);
    let broken = log.broken();
    let places: Vec<_> = broken.iter().map(|broken| broken.line as usize - 1).collect();
    let checkpoint = lines.iter().position(|line| line.contains("lines=30 ")).unwrap();
    assert_eq!(places, [changed, removed, checkpoint, doubled + 1], "{broken:#?}");
    assert_eq!(broken[2].flaw, Flaw::Gap { before: 22, after: 30 });
}

#[test]
fn a_missing_end_is_only_found_by_an_expected_head() {
    let log = Log::new("app.log");
    log.write((0..5).map(|n| format!("line {n}\n")));
    let head = log.verify().unwrap().head.unwrap();
    let lines = log.lines();
    for kept in 1..lines.len() {
        log.replace(&lines[..kept]);
        let verified = log.verify().unwrap();
        assert!(!verified.closed && verified.lines == kept as u64 - 1);
        let Err(Unverified::Broken(broken)) = Verifier::new(&log.key).expect(head).family(&log.path) else {
            panic!("{kept} lines of {}", lines.len())
        };
        assert_eq!(broken.last().unwrap().flaw, Flaw::NoHead);
    }
    log.replace(&lines);
    log.write(["more\n"]);
    let head: Head = head.to_string().parse().unwrap();
    assert!(Verifier::new(&log.key).expect(head).family(&log.path).unwrap().closed);
    assert!("abc:1:de".parse::<Head>().is_err());
}

#[test]
fn rotated_files_are_one_chain() {
    let log = Log::new("app.log");
    let options = || log.options().rotation(Rotation::size(1000).keep(100));
    log.write_with(options(), (0..40).map(|n| format!("line {n}\n")));
    log.write_with(options(), (40..60).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    let files = log.files();
    assert!(files.len() > 5 && verified.files == files.len());
    assert_eq!((verified.lines, verified.first, verified.closed), (60, 0, true));
    for file in &files {
        assert!(fs::metadata(file).unwrap().len() <= 1000, "{}", file.display());
    }
    let all = Verifier::new(&log.key).files(files.iter().rev()).unwrap();
    assert_eq!(all, verified);

    // The oldest may be gone, by retention; none between two others, and none may take another's place.
    let (oldest, middle) = (&files[files.len() - 1], &files[3]);
    let without = |gone: &PathBuf| Verifier::new(&log.key).files(files.iter().filter(|file| *file != gone));
    assert!(without(oldest).unwrap().first > 0);
    assert!(matches!(without(middle), Err(Unverified::Broken(broken)) if matches!(broken[0].flaw, Flaw::Gap { .. })));
    let text = fs::read(middle).unwrap();
    fs::write(middle, fs::read(&files[2]).unwrap()).unwrap();
    assert!(log.verify().is_err(), "one is there twice, another is gone");
    fs::write(middle, &text[..text.len() - 20]).unwrap();
    assert!(log.broken().iter().any(|broken| broken.flaw == Flaw::Torn));
    fs::write(middle, b"").unwrap();
    assert!(log.verify().is_err());
    fs::write(middle, text).unwrap();
    assert_eq!(log.verify().unwrap(), verified);
}

#[test]
fn files_that_change_their_names_are_still_in_order() {
    let log = Log::new("app.log");
    log.write_with(log.options().rotation(Rotation::size(1000).keep(100)), (0..30).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    let (one, two) = (log.path.with_extension("log.1"), log.path.with_extension("log.2"));
    fs::rename(&one, log.path.with_extension("x")).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(log.path.with_extension("x"), &two).unwrap();
    assert_eq!(log.verify().unwrap(), verified, "their contents tell their order");
}

#[test]
fn the_chain_goes_on_after_a_restart() {
    let log = Log::new("app.log");
    for n in 0..3 {
        log.write([format!("line {n}\n")]);
    }
    let verified = log.verify().unwrap();
    assert_eq!((verified.lines, verified.closed), (3, true));
    let kinds: Vec<_> = log.lines().iter().filter_map(|line| line.strip_prefix("seal-checkpoint ").map(word)).collect();
    assert_eq!(kinds, ["begin", "close", "continue", "close", "continue", "close"]);
}

#[test]
fn an_empty_file_goes_on_from_the_newest_ended_one() {
    let log = Log::new("app.log");
    let options = || log.options().rotation(Rotation::size(1000).keep(100));
    log.write_with(options(), ["one\n"]);
    fs::rename(&log.path, log.path.with_extension("log.1")).unwrap();
    log.write_with(options(), ["two\n"]);
    let verified = log.verify().unwrap();
    assert_eq!((verified.files, verified.lines, verified.first), (2, 2, 0));
}

#[test]
#[cfg(all(feature = "gzip", feature = "zstd"))]
fn compressed_files_are_read_too() {
    let log = Log::new("app.log");
    let options = || log.options().rotation(Rotation::size(1000).keep(100));
    log.write_with(options(), (0..30).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    let one = log.path.with_extension("log.1");
    let packed = fs::File::create(log.path.with_extension("log.1.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    packed.write_all(&fs::read(&one).unwrap()).unwrap();
    packed.finish().unwrap();
    fs::remove_file(one).unwrap();
    assert_eq!(log.verify().unwrap(), verified);
}

#[test]
fn a_crash_within_a_line_is_repaired_and_written_down() {
    let log = Log::new("app.log");
    log.write(["one\n", "two\n"]);
    let closed = fs::read(&log.path).unwrap();
    let open = closed.len() - log.lines()[3].len() - 1;
    for cut in 1..log.lines()[2].len() {
        fs::write(&log.path, &closed[..open - cut]).unwrap();
        let verified = log.verify().unwrap();
        assert!(verified.torn > 0 && !verified.closed);
        log.write(["three\n"]);
        let verified = log.verify().unwrap();
        assert_eq!((verified.lines, verified.closed, verified.torn), (2, true, 0));
        let lines = log.lines();
        let checkpoint = lines.iter().find(|line| line.starts_with("seal-checkpoint continue")).unwrap();
        assert!(!checkpoint.contains("cut=0 "), "{checkpoint}");
        fs::write(&log.path, &closed).unwrap();
    }
    // A first line that was torn is as good as none.
    for len in 1..log.lines()[0].len() {
        fs::write(&log.path, &closed[..len]).unwrap();
        log.write(["three\n"]);
        assert_eq!(log.verify().unwrap().lines, 1);
    }
}

#[test]
fn a_first_line_that_was_torn_goes_on_from_the_newest_ended_file() {
    let log = Log::new("app.log");
    let options = || log.options().rotation(Rotation::size(1000).keep(100));
    log.write_with(options(), (0..40).map(|n| format!("line {n}\n")));
    let before = log.verify().unwrap();
    let (current, first) = (fs::read(&log.path).unwrap(), log.lines()[0].len());
    let ended = Verifier::new(&log.key).files(&log.files()[1..]).unwrap();
    for len in 0..=first {
        fs::write(&log.path, &current[..len]).unwrap();
        let verified = log.verify().unwrap();
        assert_eq!((verified.lines, verified.torn), (ended.lines, len as u64), "{len} bytes");
        log.write_with(options(), ["more\n"]);
        let verified = log.verify().unwrap();
        assert_eq!((verified.files, verified.lines, verified.first), (before.files, ended.lines + 1, 0), "{len} bytes");
        assert!(log.lines()[0].contains(&format!(" cut={len} ")), "{}", log.lines()[0]);
    }
}

#[test]
fn a_log_that_is_cut_anywhere_goes_on() {
    let line = |n: usize| match n % 4 {
        0 => format!("{{\"n\":{n}}}\n"),
        1 => format!("{n}\r\n"),
        2 => "\n".to_owned(),
        _ => format!("two {n}\nlines\n"),
    };
    for (every, buffer) in [(1, 0), (2, 0), (3, 300)] {
        let log = Log::new("app.log");
        let options =
            || log.options_with(log.seal().every(every)).rotation(Rotation::size(1300).keep(100)).buffer(buffer);
        log.write_with(options(), (0..16).map(line));
        let (genuine, before) = (fs::read(&log.path).unwrap(), log.verify().unwrap());
        assert!(before.files > 1 && before.lines == 20);
        let first = log.lines()[0].len();
        for len in 0..genuine.len() {
            fs::write(&log.path, &genuine[..len]).unwrap();
            let cut = log.verify().unwrap_or_else(|error| panic!("{len}: {error}"));
            // Only a rotation shows where an empty file continues, and it must not rotate this one otherwise.
            log.write_with(if len > first { log.options() } else { options() }, ["more\n"]);
            let after = log.verify().unwrap_or_else(|error| panic!("{len}: {error}"));
            assert_eq!(
                (after.lines, after.first, after.closed, after.torn),
                (cut.lines + 1, 0, true, 0),
                "{len} bytes"
            );
        }
    }
}

#[test]
fn a_line_that_is_torn_between_its_ends_was_not_changed() {
    let log = Log::new("app.log");
    log.write(["{\"a\":1}\r\n", "two\r\n"]);
    let genuine = without_close(&fs::read_to_string(&log.path).unwrap()).into_bytes();
    let torn = &genuine[..genuine.len() - 1];
    fs::write(&log.path, torn).unwrap();
    let verified = log.verify().unwrap();
    assert_eq!(verified.lines, 1);
    assert!(verified.torn > 0);
    for bit in 0..8 {
        let mut changed = genuine.clone();
        *changed.last_mut().unwrap() ^= 1 << bit;
        fs::write(&log.path, changed).unwrap();
        assert!(log.verify().is_err(), "bit {bit}");
    }
    fs::write(&log.path, [&torn[..torn.len() - 1], b"\n"].concat()).unwrap();
    assert!(log.verify().is_err(), "the end of a line is sealed too");
}

#[test]
fn a_file_that_cannot_be_rotated_is_not_ended_before_each_line() {
    let log = Log::new("app.log");
    let rotation = Rotation::size(1000).keep(9).rotator(|_, _| Err(io::ErrorKind::PermissionDenied.into()));
    log.write_with(log.options().rotation(rotation), (0..100).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    assert_eq!((verified.lines, verified.files), (100, 1));
    let checkpoints = log.lines().iter().filter(|line| line.starts_with("seal-checkpoint ")).count();
    assert!(checkpoints < 20, "{checkpoints}");
}

#[test]
#[cfg(unix)]
fn a_file_that_is_there_by_two_names_is_read_once() {
    use tracing_handlers::rotation::Naming;

    let log = Log::new("app.log");
    let rotation = || Rotation::size(1000).keep(100).naming(Naming::numbered().live(true));
    log.write_with(log.options().rotation(rotation()), (0..30).map(|n| format!("line {n}\n")));
    assert!(fs::symlink_metadata(&log.path).unwrap().is_symlink());
    let verified = log.verify().unwrap();
    assert_eq!((verified.lines, verified.first, verified.closed), (30, 0, true));
    assert_eq!(verified.files, log.files().len() - 1);
    log.write_with(log.options().rotation(rotation()), ["more\n"]);
    fs::hard_link(log.path.with_extension("log.1"), log.path.with_extension("log.one")).unwrap();
    assert_eq!(log.verify().unwrap().lines, 31);
}

#[test]
#[cfg(feature = "gzip")]
fn a_file_that_is_there_compressed_and_not_is_read_once() {
    let log = Log::new("app.log");
    log.write_with(log.options().rotation(Rotation::size(1000).keep(100)), (0..30).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    let pack = |bytes: &[u8]| {
        let packed = fs::File::create(log.path.with_extension("log.2.gz")).unwrap();
        let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap();
    };
    let two = fs::read(log.path.with_extension("log.2")).unwrap();
    pack(&two);
    assert_eq!(log.verify().unwrap(), verified);
    let changed = String::from_utf8(two).unwrap().replace("line 1", "line 2");
    pack(changed.as_bytes());
    assert!(log.verify().is_err(), "they do not hold the same");
}

#[test]
#[cfg(unix)]
fn a_pipe_beside_a_log_is_not_waited_for() {
    let log = Log::new("app.log");
    log.write(["one\n"]);
    let pipe = std::ffi::CString::new(log.path.with_extension("pipe").into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: the path is a string with an end.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    assert_eq!(log.verify().unwrap().lines, 1);
}

#[test]
fn lines_that_end_like_sealed_ones_are_lines() {
    let log = Log::new("app.log");
    let code = "0".repeat(32);
    let lines = [
        format!("a seal={code}\n"),
        format!(" seal={code}\n"),
        format!("{{\"seal\":\"{code}\"}}\n"),
        format!("{{\"a\":1,\"seal\":\"{code}\"}} \n"),
        format!("{{}} seal={code}\n"),
        "\n".to_owned(),
        "\r\n".to_owned(),
        "\0".to_owned(),
        "two\0lines\n\0".to_owned(),
    ];
    log.write_with(log.options_with(log.seal().every(2)), &lines);
    assert_eq!(log.verify().unwrap().lines, 10);
    let genuine = log.lines();
    for (at, line) in genuine.iter().enumerate().filter(|(_, line)| !line.contains("seal-checkpoint")) {
        let (cut, _) = line.rsplit_once(if line.ends_with('}') { ",\"seal\"" } else { " seal=" }).unwrap_or((line, ""));
        let mut lines = genuine.clone();
        lines[at] = cut.to_owned();
        log.replace(&lines);
        assert!(log.verify().is_err() || cut == line, "{line}");
    }
}

#[test]
fn a_long_file_is_taken_up_from_its_last_checkpoint() {
    let log = Log::new("app.log");
    let long = "x".repeat(300);
    log.write_with(log.options_with(log.seal().every(100_000)), (0..1_000).map(|n| format!("{n} {long}\n")));
    let open = fs::read_to_string(&log.path).unwrap();
    let (open, _) = open.trim_end().rsplit_once('\n').unwrap();
    fs::write(&log.path, format!("{open}\n")).unwrap();
    log.write(["more\n"]);
    assert_eq!(log.verify().unwrap().lines, 1_001);
}

#[test]
fn nothing_is_written_to_a_file_that_is_not_as_it_was_left() {
    let log = Log::new("app.log");
    log.write(["one\n"]);
    let genuine = fs::read_to_string(&log.path).unwrap();
    let other_key = File::options().seal(Seal::new(Key::from_bytes([9; 32])));
    let cases = [
        ("wrong key", genuine.clone(), other_key, ErrorKind::Config, "sealed with the key"),
        ("not sealed", "plain\n".into(), log.options(), ErrorKind::Config, "is not sealed"),
        ("no line feed", "plain".into(), log.options(), ErrorKind::Config, "is not sealed"),
        ("changed", genuine.replace("one", "two"), log.options(), ErrorKind::Io, "were changed"),
        ("inserted", genuine.clone() + "x\n", log.options(), ErrorKind::Io, "were changed"),
    ];
    for (case, text, options, kind, message) in cases {
        // The close hides what is before it: only the end is looked at.
        let text = if case == "changed" { without_close(&text) } else { text };
        fs::write(&log.path, &text).unwrap();
        let error = options.open(&log.path).unwrap_err();
        assert_eq!(error.kind(), kind, "{case}: {error}");
        let error = format!("{error:#}");
        assert!(error.contains(message) && error.contains("app.log"), "{case}: {error}");
        assert_eq!(fs::read_to_string(&log.path).unwrap(), text, "{case}");
        assert_eq!(log.files().len(), 1);
    }
}

#[test]
fn a_wrong_key_is_distinguished_from_a_changed_log() {
    let log = Log::new("app.log");
    log.write(["one\n"]);
    let Err(Unverified::Broken(broken)) = verify(&log.path, &Key::from_bytes([9; 32])) else { panic!() };
    assert!(matches!(broken[..], [Broken { line: 1, flaw: Flaw::WrongKey { .. }, .. }]), "{broken:?}");
    assert!(!broken[0].to_string().contains("0909"));
}

#[test]
fn a_sealed_file_that_is_opened_while_it_is_open_has_one_chain() {
    let log = Log::new("app.log");
    let mut file = log.options().open(&log.path).unwrap();
    file.write_all(b"one\n").unwrap();
    log.options().open(&log.path).unwrap().write_all(b"two\n").unwrap();
    file.write_all(b"three\n").unwrap();
    drop(file);
    log.write(["four\n"]);
    assert_eq!(log.verify().unwrap().lines, 4);
}

/// `flock(2)` only needs a descriptor.
#[test]
#[cfg(unix)]
fn a_reader_of_a_sealed_log_cannot_keep_it_from_being_opened() {
    let log = Log::new("app.log");
    log.write(["one\n"]);
    let reader = fs::File::open(&log.path).unwrap();
    reader.try_lock().unwrap();
    log.write(["two\n"]);
    assert_eq!(log.verify().unwrap().lines, 2);
}

#[test]
fn a_sealed_file_with_a_pending_sync_can_be_opened_again() {
    let log = Log::new("app.log");
    let grouped = || log.options().durability(Durability::Grouped(Duration::from_secs(3600)));
    for options in [grouped(), log.options().sync_after(Severity::ERROR)] {
        let mut file = options.open(&log.path).unwrap();
        for line in ["one\n", "two\n"] {
            file.write_all(line.as_bytes()).unwrap();
            file.control().reopen();
        }
    }
    assert_eq!(log.verify().unwrap().lines, 4);
}

#[test]
fn a_file_that_is_emptied_or_moved_away_goes_on_in_the_chain() {
    let log = Log::new("app.log");
    let mut file = log.options().open(&log.path).unwrap();
    file.write_all(b"one\n").unwrap();
    drop(file);
    fs::rename(&log.path, log.path.with_extension("old")).unwrap();
    let rotation = Rotation::size(600).keep(0);
    log.write_with(log.options().rotation(rotation), (0..9).map(|n| format!("line {n}\n")));
    let verified = log.verify().unwrap();
    assert!(verified.first > 0 && verified.files == 1, "emptied when full, and the old one is of another chain");
}

#[test]
fn a_preamble_is_sealed_too() {
    use tracing_handlers::Sink;
    use tracing_handlers::sink::{Framed, RecordEnd};

    let log = Log::new("app.csv");
    let mut file = log.options().open(&log.path).unwrap();
    let line = [RecordEnd::new(4, tracing_handlers::Severity::INFO)];
    for _ in 0..2 {
        Sink::write(&mut file, Framed::new(b"a,b\n", &line).with_preamble(b"x,y\n")).unwrap();
    }
    drop(file);
    assert!(log.lines()[1].starts_with("x,y seal=") && log.verify().unwrap().lines == 3);
}

#[test]
fn a_buffer_changes_nothing() {
    let log = Log::new("app.log");
    let options = log.options_with(log.seal().every(3)).buffer(100).rotation(Rotation::size(1500).keep(100));
    log.write_with(options, (0..50).map(|n| format!("line {n}\n")));
    assert_eq!(log.verify().unwrap().lines, 50);
}

#[test]
fn what_is_missing_cannot_be_verified() {
    let log = Log::new("app.log");
    let unverified = log.verify().unwrap_err();
    assert!(std::error::Error::source(&unverified).is_some(), "{unverified}");
    let Unverified::Unreadable(error) = unverified else { panic!("{unverified}") };
    assert!(format!("{error:#}").contains("app.log"), "{error}");
    fs::write(&log.path, "").unwrap();
    let verified = log.verify().unwrap();
    assert_eq!((verified.lines, verified.head, verified.closed), (0, None, false));
}

#[test]
fn lines_that_look_like_checkpoints_are_lines() {
    let log = Log::new("app.log");
    log.write(["one\n"]);
    let lines = log.lines();
    let (checkpoint, _) = lines[0].rsplit_once(" seal=").unwrap();
    log.write([format!("{checkpoint}\n"), format!("{}\n", lines[0]), "two\n".into()]);
    assert_eq!(log.verify().unwrap().lines, 4);
    // Nor can one of them begin a file.
    let forged = log.lines();
    let forged = forged.iter().rposition(|line| line.starts_with(checkpoint)).unwrap();
    log.replace(&log.lines()[forged..]);
    assert_eq!(log.broken()[0].flaw, Flaw::NoBegin);
}

#[test]
#[cfg(feature = "encryption")]
fn seal_and_encrypt_do_not_go_together() {
    use tracing_handlers::encryption::Keys;

    let log = Log::new("app.log");
    let error = log.options().encrypt(Keys::new(log.key.clone())).open(&log.path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!log.path.exists());
}

#[test]
#[cfg(unix)]
fn a_killed_process_leaves_a_chain_that_goes_on() {
    let log = Log::new("app.log");
    crate::encoded_files::write_until_killed(log.options_with(log.seal().every(7)), &log.path, 50_000);
    let verified = log.verify().unwrap();
    assert!(!verified.closed && verified.lines > 10);
    log.write(["more\n"]);
    let after = log.verify().unwrap();
    assert_eq!((after.lines, after.closed, after.torn), (verified.lines + 1, true, 0));
}

#[test]
#[cfg(unix)]
fn a_full_disk_breaks_no_chain() {
    let disk = crate::skip::needs!(crate::encoded_files::Disk::mount());
    let log = Log { path: disk.path().join("app.log"), ..Log::new("app.log") };
    let options = log.options_with(log.seal().every(7));
    let (delivered, lines) = crate::encoded_files::fill_and_make_room(&disk, options, &log.path);
    assert!(delivered > 0 && delivered < lines.len());
    let verified = log.verify().unwrap();
    assert_eq!((verified.lines, verified.closed), (lines.len() as u64, true));
}

#[test]
fn several_processes_do_not_share_a_sealed_file() {
    let log = Log::new("app.log");
    let error = log.options().shared(true).open(&log.path).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && !log.path.exists(), "{error}");
}

#[test]
fn a_file_that_others_moved_away_is_closed_and_gone_on_from() {
    let log = Log::new("app.log");
    let mut file = log.options().watch(std::time::Duration::ZERO).open(&log.path).unwrap();
    file.write_all(b"one\n").unwrap();
    fs::rename(&log.path, log.path.with_extension("log.1")).unwrap();
    file.write_all(b"two\n").unwrap();
    file.control().rotate();
    file.write_all(b"three\n").unwrap();
    drop(file);
    let verified = log.verify().unwrap();
    assert_eq!((verified.files, verified.lines, verified.first), (2, 3, 0));
    let moved = Verifier::new(&log.key).files([log.path.with_extension("log.1")]).unwrap();
    assert!(moved.closed);
}

#[test]
fn dated_files_are_one_chain_too() {
    use std::time::Duration;
    use tracing_handlers::rotation::Schedule;

    let log = Log::new("app.log");
    let clock = std::sync::Arc::new(Manual::new(Timestamp::new(1_795_257_629, 0)));
    let options = || log.options().rotation(Rotation::schedule(Schedule::daily()).keep(9).clock(clock.clone()));
    for _ in 0..3 {
        let mut file = options().open(&log.path).unwrap();
        for _ in 0..2 {
            file.write_all(b"line\n").unwrap();
            clock.advance(Duration::from_secs(86_400));
        }
    }
    let verified = log.verify().unwrap();
    assert_eq!((verified.files, verified.lines, verified.first, verified.closed), (log.files().len(), 6, 0, true));
    assert!(verified.files > 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_never_panic(
        text in proptest::collection::vec(prop_oneof![
            Just(b"{\"seal.checkpoint\":\"begin\",\"key\":\"".to_vec()),
            Just(b"seal-checkpoint begin key=00 chain= lines=1 from= time= cut= seal=".to_vec()),
            Just(b",\"seal\":\"00112233445566778899aabbccddeeff\"}".to_vec()),
            Just(b" seal=00112233445566778899aabbccddeeff".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"{".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
        ], 1..20)
    ) {
        let log = Log::new("app.log");
        fs::write(&log.path, text.concat()).unwrap();
        let _ = log.verify();
        let _ = log.options().open(&log.path);
    }

    #[test]
    fn lines_of_any_kind_are_verified_and_read_back(
        records in proptest::collection::vec(prop_oneof!["\\PC{0,20}\n", "\\{\"a\":\"[^\n]{0,20}\"\\}\n", "[{} ,\"\n]{1,9}\n"], 1..12),
        every in 1..5_u64,
    ) {
        let log = Log::new("app.log");
        log.write_with(log.options_with(log.seal().every(every)), &records);
        let count = records.concat().matches('\n').count() as u64;
        prop_assert_eq!(log.verify().unwrap().lines, count);
    }
}

#[test]
fn a_cut_log_that_goes_on_is_never_taken_for_another() {
    // Each prefix of a log, gone on with, verifies; and with a byte of the rest moved in between it does not.
    let log = Log::new("app.log");
    log.write(["one\n", "two\n", "three\n"]);
    let genuine = fs::read(&log.path).unwrap();
    let mut heads = BTreeSet::new();
    for len in 0..=genuine.len() {
        fs::write(&log.path, &genuine[..len]).unwrap();
        log.write(["more\n"]);
        heads.insert(log.verify().unwrap_or_else(|error| panic!("{len}: {error}")).head.unwrap().to_string());
    }
    assert!(heads.len() > 4);
}

struct Log {
    key: Key,
    path: PathBuf,
    _folder: TempDir,
}

impl Log {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { key: Key::from_bytes([7; 32]), path: folder.path().join(name), _folder: folder }
    }

    fn seal(&self) -> Seal {
        Seal::new(self.key.clone()).clock(Manual::new(Timestamp::new(1_795_257_629, 0)))
    }

    fn options(&self) -> FileOptions {
        self.options_with(self.seal())
    }

    fn options_with(&self, seal: Seal) -> FileOptions {
        File::options().seal(seal)
    }

    fn write<T: AsRef<[u8]>>(&self, records: impl IntoIterator<Item = T>) {
        self.write_with(self.options(), records);
    }

    fn write_with<T: AsRef<[u8]>>(&self, options: FileOptions, records: impl IntoIterator<Item = T>) {
        let mut file = options.open(&self.path).unwrap();
        records.into_iter().for_each(|record| file.write_all(record.as_ref()).unwrap());
        io::Write::flush(&mut file).unwrap();
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.path).unwrap().trim_end_matches('\n').split('\n').map(str::to_owned).collect()
    }

    fn replace(&self, lines: &[String]) {
        fs::write(&self.path, lines.join("\n") + "\n").unwrap();
    }

    fn verify(&self) -> Result<Verified, Unverified> {
        verify(&self.path, &self.key)
    }

    fn broken(&self) -> Vec<Broken> {
        match self.verify() {
            Err(Unverified::Broken(broken)) => broken,
            other => panic!("{other:?}"),
        }
    }

    /// The newest first.
    fn files(&self) -> Vec<PathBuf> {
        let folder: &Path = self.path.parent().unwrap();
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        // Not its lock file.
        let mut files: Vec<_> = files.filter(|path| path.extension().is_none_or(|end| end != "lock")).collect();
        files.sort_by_key(|path| path.extension().and_then(|end| end.to_str()?.parse::<u32>().ok()).unwrap_or(0));
        files
    }
}

fn word(text: &str) -> String {
    text.split(' ').next().unwrap().to_owned()
}

fn without_close(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.contains("-checkpoint close")).collect()
}
