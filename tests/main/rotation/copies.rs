//! Files that are copied and emptied instead of being renamed.

use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
#[cfg(unix)]
use std::time::SystemTime;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::rotation::{Naming, Rotation, Schedule};
use tracing_handlers::sink::{Durability, File};
use tracing_handlers::{ErrorKind, selflog};

use super::{expect, files, write, write_below};

fn copying() -> Rotation {
    Rotation::size(4).copy_truncate(true)
}

#[test]
fn the_file_stays_and_its_lines_go_to_the_archive() {
    let names = |naming: Naming, names: [&'static str; 2]| (naming, names);
    for (naming, [newer, older]) in [
        names(Naming::numbered(), ["app.log.1", "app.log.2"]),
        names(Naming::numbered().before_extension(true), ["app.1.log", "app.2.log"]),
        names(Naming::numbered_oldest_first(), ["app.log.3", "app.log.2"]),
        names(Naming::dated("%Y-%m-%d").unwrap(), ["app.log.2026-11-20.2", "app.log.2026-11-20.1"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        fs::write(&path, "").unwrap();
        // Another name of the same file shows that it is still that file.
        fs::hard_link(&path, dir.path().join("same")).unwrap();
        let clock = Arc::new(Manual::default());
        clock.set(Timestamp::new(1_795_132_800, 0));
        let rotation = copying().keep(2).naming(naming).clock(clock);
        let mut file = File::open(&path).unwrap().rotation(rotation);
        ["one\n", "two\n", "six\n", "ten\n"].iter().for_each(|line| write_below(&mut file, &[line], ""));
        expect(dir.path(), &[("app.log", "ten\n"), (newer, "six\n"), (older, "two\n"), ("same", "ten\n")]);
    }
}

#[test]
fn a_schedule_a_preamble_and_a_request_do_what_they_do_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Manual::default());
    clock.set(Timestamp::new(1_795_132_800, 0));
    let rotation = Rotation::schedule(Schedule::daily()).copy_truncate(true).clock(clock.clone());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write_below(&mut file, &["one\n"], "# head\n");
    clock.set(Timestamp::new(1_795_132_800 + 86_400, 0));
    write_below(&mut file, &["two\n"], "# head\n");
    file.control().rotate();
    file.flush().unwrap();
    write_below(&mut file, &["six\n"], "# head\n");
    let expected = [
        ("app.log", "# head\nsix\n"),
        ("app.log.2026-11-20", "# head\none\n"),
        ("app.log.2026-11-21", "# head\ntwo\n"),
    ];
    expect(dir.path(), &expected);
}

#[cfg(unix)]
#[test]
fn an_archive_has_the_permissions_and_the_time_of_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "one\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let mut file = File::open(&path).unwrap().rotation(copying());
    write(&mut file, &["two\n"]);
    for name in ["app.log", "app.log.1"] {
        assert_eq!(dir.path().join(name).metadata().unwrap().permissions().mode() & 0o7777, 0o604, "{name}");
    }
    assert_eq!(dir.path().join("app.log.1").metadata().unwrap().modified().unwrap(), time);
}

#[test]
fn processes_that_share_the_file_rotate_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let open = || File::options().shared(true).rotation(copying().keep(9)).open(&path).unwrap();
    let mut both = [open(), open()];
    (0..6).for_each(|line| write(&mut both[line % 2], &[&format!("{line:03}\n")]));
    let found: Vec<_> = files(dir.path()).into_values().filter(|text| !text.is_empty()).collect();
    assert_eq!(found, ["005\n", "004\n", "003\n", "002\n", "001\n", "000\n"]);
}

#[test]
fn a_program_that_appends_to_the_file_too_goes_on_at_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut other = fs::File::options().create(true).append(true).open(&path).unwrap();
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(8).copy_truncate(true));
    write(&mut file, &["one\n"]);
    other.write_all(b"oth\n").unwrap();
    file.control().rotate();
    file.flush().unwrap();
    other.write_all(b"er\n").unwrap();
    expect(dir.path(), &[("app.log", "er\n"), ("app.log.1", "one\noth\n")]);
}

#[test]
fn each_durability_and_a_large_file_are_copied_whole() {
    for durability in [Durability::Buffered(64), Durability::default(), Durability::Synced] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let options = File::options().durability(durability);
        let mut file = options.rotation(Rotation::size(300_000).copy_truncate(true)).open(&path).unwrap();
        let lines: Vec<_> = (0..8_000).map(|number| format!("{number:0>99}\n")).collect();
        lines.chunks(100).for_each(|some| write(&mut file, &some.iter().map(String::as_str).collect::<Vec<_>>()));
        drop(file);
        let files = files(dir.path());
        let text: String = ["app.log.2", "app.log.1", "app.log"].iter().map(|name| files[*name].as_str()).collect();
        assert!(files.len() == 3 && text == lines.concat(), "{:?}", files.keys());
    }
}

#[cfg(feature = "gzip")]
#[test]
fn copies_are_compressed() {
    use tracing_handlers::rotation::{Compression, settle};

    let dir = tempfile::tempdir().unwrap();
    let rotation = copying().compression(Compression::gzip());
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
    write(&mut file, &["one\n", "two\n", "six\n"]);
    assert!(settle(Duration::from_secs(60)));
    assert_eq!(files(dir.path()).into_keys().collect::<Vec<_>>(), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
}

/// The directory is in the way of the copy.
#[test]
fn what_cannot_be_copied_stays_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".app.log.copy.tmp")).unwrap();
    let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(copying());
    write(&mut file, &["one\n", "two\n"]);
    expect(dir.path(), &[(".app.log.copy.tmp", "(a directory)"), ("app.log", "one\ntwo\n")]);
}

#[test]
fn settings_that_contradict_a_copy_are_a_configuration_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let live = copying().naming(Naming::numbered().live(true));
    let custom = copying().rotator(|_, _| Ok(()));
    for (rotation, why) in [(live.clone(), "`live` names"), (custom, "`rotator` and `copy_truncate`")] {
        let error = File::options().rotation(rotation).open(&path).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(why), "{error}");
    }
    let (sender, told) = mpsc::channel();
    let ours = dir.path().display().to_string();
    selflog::set(move |message| drop(message.contains(&ours).then(|| sender.send(message.to_owned()))));
    let mut file = File::open(&path).unwrap().rotation(live);
    write(&mut file, &["one\n", "two\n"]);
    selflog::reset();
    expect(dir.path(), &[("app.log", "one\ntwo\n")]);
    assert!(told.try_iter().any(|message| message.contains("`live` names")));
}

#[cfg(feature = "encryption")]
#[test]
fn an_encrypted_file_is_not_copied() {
    use tracing_handlers::encryption::{Key, Keys};

    let dir = tempfile::tempdir().unwrap();
    let options = File::options().encrypt(Keys::new(Key::from_bytes([7; 32]))).rotation(copying());
    let error = options.open(dir.path().join("app.log")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().ends_with("a sealed or encrypted file cannot be rotated by `copy_truncate`"), "{error}");
}
