//! Encrypted files: what only the key opens, and what is found when they were changed.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;
use tracing_handlers::ErrorKind;
use tracing_handlers::encryption::{Decryptor, Encryptor, End, Key, Keys, MAGIC};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{File, FileOptions};

#[test]
fn a_file_goes_on_after_a_restart() {
    let log = Log::new();
    for text in ["one\n", "two\n", "three\n"] {
        log.write(log.options(), [text]);
    }
    assert_eq!(log.read().unwrap(), ("one\ntwo\nthree\n".to_owned(), End::Closed));
    let bytes = log.bytes();
    assert_eq!(bytes.len(), 3 * (36 + 24 + 24) + 14);
    assert_eq!(bytes.windows(8).filter(|window| *window == MAGIC).count(), 3);
}

#[test]
fn a_buffer_makes_one_block_of_many_lines() {
    let log = Log::new();
    log.write(log.options().buffer(64 * 1024), (0..100).map(|n| format!("line {n:03}\n")));
    assert_eq!(log.bytes().len(), 36 + 24 + 900 + 24);
    assert_eq!(log.text().lines().count(), 100);
}

#[test]
fn a_line_longer_than_a_block_is_one_line() {
    let log = Log::new();
    let long = "x".repeat(200_000) + "\n";
    let lines = ["short\n", &long, "short\n"];
    log.write(log.options(), lines);
    log.write(log.options().buffer(1_000_000), lines);
    assert_eq!(log.text(), lines.concat().repeat(2));
}

#[test]
fn each_flipped_bit_is_detected() {
    let log = Log::new();
    log.write(log.options(), ["one\n", "two\n"]);
    log.write(log.options(), ["three\n"]);
    let genuine = log.bytes();
    let expected = log.read().unwrap();
    for bit in 0..genuine.len() * 8 {
        let mut changed = genuine.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let found = read(&changed, &log.keys);
        assert!(found.is_err(), "bit {bit}: {found:?}");
    }
    assert_eq!(read(&genuine, &log.keys).unwrap(), expected);
}

#[test]
fn each_truncated_end_is_detected() {
    // What was never a part of a stream is no cut end: see the test of what nothing is written to.
    let log = Log::new();
    log.write(log.options(), ["one\n", "two\n"]);
    log.write(log.options(), ["three\n"]);
    let genuine = log.bytes();
    // Where the blocks end: of the two lines, the end, the third line, the end.
    let ends = [36 + 28, 36 + 56, 36 + 80, 116 + 36 + 30];
    let whole = "one\ntwo\nthree\n";
    for len in 0..genuine.len() {
        let (text, end) = read(&genuine[..len], &log.keys).unwrap();
        assert!(whole.starts_with(&text));
        let complete = ends.iter().filter(|end| **end <= len).max().copied().unwrap_or(0);
        let expected = match len - complete {
            0 if len == ends[2] => End::Closed,
            0 => End::Open,
            bytes => End::Torn { bytes: bytes as u64 },
        };
        assert_eq!(end, expected, "after {len} bytes");
    }
}

#[test]
fn blocks_that_are_moved_doubled_or_taken_out_are_found() {
    let log = Log::new();
    log.write(log.options(), ["one\n", "two\n", "six\n"]);
    log.write(log.options(), ["ten\n"]);
    let genuine = log.bytes();
    let (header, rest) = genuine.split_at(36);
    let (blocks, rest) = rest.split_at(3 * 28);
    let (last, second) = rest.split_at(24);
    let block = |at: usize| &blocks[at * 28..(at + 1) * 28];
    let cases: [(&str, Vec<&[u8]>); 8] = [
        ("moved", vec![header, block(1), block(0), block(2), last, second]),
        ("doubled", vec![header, block(0), block(0), block(1), block(2), last, second]),
        ("taken out", vec![header, block(0), block(2), last, second]),
        ("the end of a stream that another follows", vec![header, block(0), second]),
        ("its last block only", vec![header, blocks, second]),
        ("the first stream", vec![second]),
        ("the streams the other way round", vec![second, header, blocks, last]),
        ("a stream twice", vec![header, blocks, last, second, second]),
    ];
    for (case, parts) in cases {
        let error = read(&parts.concat(), &log.keys).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{case}");
        assert!(format!("{error:#}").contains("at byte"), "{case}: {error}");
    }
}

#[test]
fn what_a_crash_has_torn_is_cut_off_at_the_next_opening() {
    let log = Log::new();
    log.write(log.options(), ["one\n", "two\n"]);
    let genuine = log.bytes();
    for (len, text) in (0..genuine.len()).map(|len| (len, &["", "one\n", "one\ntwo\n"][blocks_within(len)])) {
        fs::write(&log.path, &genuine[..len]).unwrap();
        log.write(log.options(), ["more\n"]);
        assert_eq!(log.read().unwrap(), (format!("{text}more\n"), End::Closed), "after {len} bytes");
    }
}

#[test]
fn a_file_is_read_once_to_go_on_with_it() {
    let log = Log::new();
    for n in 0..9 {
        log.write(log.options(), [format!("line {n}\n")]);
    }
    for rotation in [Rotation::size(1_000_000), Rotation::on_request()] {
        let mut file = log.options().rotation(rotation).open(&log.path).unwrap();
        let mut bytes = log.bytes();
        bytes[50] ^= 1;
        fs::write(&log.path, &bytes).unwrap();
        file.write_all(b"more\n").expect("only opening it reads it");
        drop(file);
        bytes = log.bytes();
        bytes[50] ^= 1;
        fs::write(&log.path, &bytes).unwrap();
    }
    assert!(log.text().ends_with("line 8\nmore\nmore\n"));
}

#[test]
fn a_file_that_cannot_be_rotated_continues_its_stream() {
    let log = Log::new();
    let rotation = Rotation::size(1000).keep(9).rotator(|_, _| Err(io::ErrorKind::PermissionDenied.into()));
    log.write(log.options().rotation(rotation), (0..100).map(|n| format!("line {n}\n")));
    assert_eq!(log.text().lines().count(), 100);
    let streams = log.bytes().windows(8).filter(|window| *window == MAGIC).count();
    assert!(streams < 10, "{streams}");
}

#[test]
fn nothing_is_written_to_a_file_that_the_keys_do_not_open_or_that_was_changed() {
    let log = Log::new();
    log.write(log.options(), ["one\n", "two\n"]);
    let genuine = log.bytes();
    let mut changed = genuine.clone();
    changed[50] ^= 1;
    let mut length = genuine.clone();
    length[38] ^= 1;
    let other = || File::options().encrypt(Keys::new(Key::from_bytes([9; 32])));
    let cases = [
        ("wrong key", genuine, other(), ErrorKind::Config, "encrypted with the key"),
        ("changed", changed, log.options(), ErrorKind::Io, "block at byte 36: it does not authenticate"),
        ("a length", length, log.options(), ErrorKind::Io, "block at byte 36"),
        ("no encrypted file", b"plain\n".to_vec(), log.options(), ErrorKind::Io, "at byte 0"),
        ("less than a header", b"\x89PNG".to_vec(), log.options(), ErrorKind::Io, "at byte 0"),
        ("a word", b"x".to_vec(), log.options(), ErrorKind::Io, "at byte 0"),
        (
            "nearly a header",
            [&MAGIC[..], &[9; 99]].concat(),
            log.options(),
            ErrorKind::Io,
            "its version is not supported",
        ),
    ];
    for (case, bytes, options, kind, message) in cases {
        fs::write(&log.path, &bytes).unwrap();
        let error = options.open(&log.path).unwrap_err();
        assert_eq!(error.kind(), kind, "{case}: {error}");
        let error = format!("{error:#}");
        assert!(error.contains(message) && error.contains("app.log"), "{case}: {error}");
        assert_eq!(log.bytes(), bytes, "{case}");
        let beside = fs::read_dir(log.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(beside.filter(|path| !is_lock(path)).count(), 1, "nothing beside it");
    }
    let ids: Vec<_> = log.keys.ids().map(|id| id.to_string()).collect();
    log.write_again();
    let error = format!("{:#}", other().open(&log.path).unwrap_err());
    assert!(error.contains(&ids[0]), "{error}");
}

#[test]
fn a_delayed_file_refuses_the_line() {
    let log = Log::new();
    fs::write(&log.path, "plain\n").unwrap();
    let mut file = log.options().delay(true).open(&log.path).unwrap();
    assert!(file.write_all(b"one\n").is_err());
    drop(file);
    assert_eq!(log.bytes(), b"plain\n");
}

#[test]
fn keys_can_be_changed() {
    let log = Log::new();
    let new = Key::from_bytes([8; 32]);
    log.write(log.options(), ["old\n"]);
    let both = Keys::new(new.clone()).and(Key::from_bytes([7; 32]));
    log.write(File::options().encrypt(both.clone()), ["new\n"]);
    log.write(File::options().encrypt(both.clone()), ["newer\n"]);
    assert_eq!(read(&log.bytes(), &both).unwrap().0, "old\nnew\nnewer\n");
    let only_old = log.read().unwrap_err();
    let error = only_old.get_ref().unwrap().downcast_ref::<tracing_handlers::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(File::options().encrypt(Keys::new(new)).open(&log.path).is_err());
}

#[test]
fn rotated_files_are_no_longer_than_they_may_be() {
    let log = Log::new();
    for buffer in [0, 300] {
        let options = log.options().rotation(Rotation::size(1000).keep(100)).buffer(buffer);
        log.write(options, (0..100).map(|n| format!("line {n}\n")));
    }
    let files = fs::read_dir(log.path.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| !is_lock(path)).collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.extension().unwrap().to_str().unwrap().parse().unwrap_or(0)));
    assert!(files.len() > 3);
    let mut text = String::new();
    for file in files {
        assert!(fs::metadata(&file).unwrap().len() <= 1000);
        let mut decryptor = Decryptor::open(&file, log.keys.clone()).unwrap();
        decryptor.read_to_string(&mut text).unwrap();
        assert_eq!(decryptor.end(), End::Closed);
    }
    let expected: String = (0..100).map(|n| format!("line {n}\n")).collect();
    assert_eq!(text, expected.repeat(2));
}

#[test]
fn a_file_that_grows_is_read_on() {
    let log = Log::new();
    let mut file = log.options().open(&log.path).unwrap();
    let mut decryptor = Decryptor::open(&log.path, log.keys.clone()).unwrap();
    let mut text = String::new();
    for n in 0..3 {
        file.write_all(format!("line {n}\n").as_bytes()).unwrap();
        decryptor.read_to_string(&mut text).unwrap();
        assert!(text.ends_with(&format!("line {n}\n")));
        assert_eq!(decryptor.end(), End::Open);
    }
    drop(file);
    assert_eq!((decryptor.read_to_string(&mut text).unwrap(), decryptor.end()), (0, End::Closed));
}

#[test]
fn every_read_of_an_invalid_file_returns_the_same_error() {
    let key = || Keys::new(Key::from_bytes([7; 32]));
    for file in [
        &b"\n"[..],
        b"\x89THENC\r\n\x02a version that is not known",
        b"\x89THENC\r\n\x01another key's file, whatever it is",
    ] {
        let mut decryptor = Decryptor::new(file, key());
        let mut error = || decryptor.read(&mut [0; 9]).map(drop).unwrap_err();
        let (one, other) = (error(), error());
        assert_eq!((one.kind(), one.to_string()), (other.kind(), other.to_string()));
        assert_eq!(format!("{one:#}"), format!("{other:#}"));
    }
}

#[test]
fn an_encrypted_file_can_be_opened_again_while_it_is_open_and_afterward() {
    let log = Log::new();
    let file = log.options().open(&log.path).unwrap();
    assert!(log.options().open(&log.path).is_ok());
    drop(file);
    assert!(log.options().open(&log.path).is_ok());
    assert_eq!(log.bytes().len(), 0, "nothing is written before there is a line");
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_refused() {
    let log = Log::new();
    let error = log.options().open("/dev/null").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn several_processes_do_not_share_an_encrypted_file() {
    let log = Log::new();
    let error = log.options().shared(true).open(&log.path).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && !log.path.exists(), "{error}");
}

#[test]
#[cfg(feature = "gzip")]
fn what_is_encrypted_is_not_compressed() {
    use tracing_handlers::rotation::Compression;

    let log = Log::new();
    let rotation = Rotation::size(1000).compression(Compression::gzip());
    let error = log.options().rotation(rotation).open(&log.path).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && !log.path.exists(), "{error}");
}

#[test]
fn a_writer_that_failed_takes_nothing_more() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut encryptor = Encryptor::new(Full, Log::new().keys);
    assert_eq!(encryptor.write(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(encryptor.write(b"x").unwrap_err().kind(), io::ErrorKind::Other);
}

#[test]
#[cfg(unix)]
fn a_forked_child_does_not_write_with_the_nonces_of_its_parent() {
    let log = Log::new();
    let mut file = log.options().open(&log.path).unwrap();
    file.write_all(b"one\n").unwrap();
    // SAFETY: the child writes to the file, which takes no lock that another thread may hold but the allocator's, which the
    // C library keeps whole, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let refused = file.write_all(b"child\n").is_err();
        drop(file);
        // SAFETY: as above.
        unsafe { libc::_exit(if refused { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is an integer to be written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's line was refused");
    file.write_all(b"two\n").unwrap();
    drop(file);
    assert_eq!(log.read().unwrap(), ("one\ntwo\n".to_owned(), End::Closed));
}

#[test]
#[cfg(unix)]
fn a_forked_child_does_not_continue_the_stream_of_an_encryptor() {
    let keys = Keys::new(Key::from_bytes([7; 32]));
    let mut begun = Encryptor::new(Vec::new(), keys.clone());
    begun.write_all(b"one").unwrap();
    let mut unused = Encryptor::new(Vec::new(), keys);
    // SAFETY: as above.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let refused = begun.write(b"child").is_err() && begun.finish().is_err();
        let used = unused.write(b"child").is_ok() && unused.write(b"child").is_ok();
        // SAFETY: as above.
        unsafe { libc::_exit(if refused && used { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is an integer to be written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child continued its parent's stream, or could not begin one of its own");
    begun.write_all(b"two").unwrap();
}

#[test]
#[cfg(unix)]
fn a_killed_process_leaves_whole_lines_and_the_next_one_goes_on() {
    let log = Log::new();
    for options in [log.options(), log.options().buffer(1_000)] {
        let _ = fs::remove_file(&log.path);
        crate::encoded_files::write_until_killed(options, &log.path, 20_000);
        let (text, end) = log.read().unwrap();
        assert_ne!(end, End::Closed);
        crate::encoded_files::assert_lines_in_order(&text);
        log.write(log.options(), ["more\n"]);
        assert_eq!(log.read().unwrap(), (text + "more\n", End::Closed));
    }
}

#[test]
#[cfg(unix)]
fn a_full_disk_tears_no_block_and_no_nonce_is_used_twice() {
    let disk = crate::skip::needs!(crate::encoded_files::Disk::mount());
    let log = Log { path: disk.path().join("app.log"), ..Log::new() };
    let (delivered, lines) = crate::encoded_files::fill_and_make_room(&disk, log.options(), &log.path);
    let (text, end) = log.read().unwrap();
    assert_eq!((text, end), (lines.concat(), End::Closed));
    assert!(delivered > 0 && delivered < lines.len());
    assert_eq!(
        log.bytes().windows(8).filter(|window| *window == MAGIC).count(),
        2,
        "a stream of its own behind the error"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_never_panic(
        parts in proptest::collection::vec(prop_oneof![
            Just(MAGIC.to_vec()),
            Just([&MAGIC[..], &[1; 28]].concat()),
            Just(vec![1, 0, 0, 16, 254, 255, 255, 239]),
            proptest::collection::vec(any::<u8>(), 0..60),
        ], 0..8)
    ) {
        let _ = read(&parts.concat(), &Keys::new(Key::from_bytes([7; 32])));
    }

    #[test]
    fn lines_of_any_length_are_read_back(
        lines in proptest::collection::vec((0..90_000_usize, any::<u8>()), 0..4),
        buffer in 0..200_000_usize,
    ) {
        let log = Log::new();
        let lines: Vec<_> = lines.iter().map(|(len, byte)| [vec![b'a' + byte % 26; *len], b"\n".to_vec()].concat()).collect();
        log.write(log.options().buffer(buffer), &lines);
        prop_assert_eq!(log.text().into_bytes(), lines.concat());
    }
}

struct Log {
    keys: Keys,
    path: PathBuf,
    _folder: TempDir,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { keys: Keys::new(Key::from_bytes([7; 32])), path: folder.path().join("app.log"), _folder: folder }
    }

    fn options(&self) -> FileOptions {
        File::options().encrypt(self.keys.clone())
    }

    fn write<T: AsRef<[u8]>>(&self, options: FileOptions, lines: impl IntoIterator<Item = T>) {
        let mut file = options.open(&self.path).unwrap();
        lines.into_iter().for_each(|line| file.write_all(line.as_ref()).unwrap());
    }

    fn write_again(&self) {
        fs::remove_file(&self.path).unwrap();
        self.write(self.options(), ["one\n"]);
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    fn read(&self) -> io::Result<(String, End)> {
        read(&self.bytes(), &self.keys)
    }

    fn text(&self) -> String {
        self.read().unwrap().0
    }
}

fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "lock")
}

fn read(bytes: &[u8], keys: &Keys) -> io::Result<(String, End)> {
    let (mut decryptor, mut text) = (Decryptor::new(bytes, keys.clone()), String::new());
    decryptor.read_to_string(&mut text)?;
    Ok((text, decryptor.end()))
}

/// Of two lines of four bytes, in a block each.
fn blocks_within(len: usize) -> usize {
    (len.saturating_sub(36) / 28).min(2)
}
