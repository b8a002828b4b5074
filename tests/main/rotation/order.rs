//! The order in which a reader finds archives, whose naming it is not told.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tracing_handlers::read::{Event, Reader};
#[cfg(target_os = "linux")]
use tracing_handlers::rotation::{Naming, Rotation};
#[cfg(target_os = "linux")]
use tracing_handlers::sink::File;

#[cfg(target_os = "linux")]
use super::write;
#[cfg(target_os = "linux")]
use crate::skip::needs;

fn lines(reader: Reader) -> Vec<String> {
    let line = |event| match event {
        Event::Line(line) => line.text().into_owned(),
        other => panic!("{other:?}"),
    };
    reader.map(line).collect()
}

/// Writes files that contain their names and were last written to so many seconds after an epoch.
fn fill(dir: &Path, files: &[(&str, u64)]) {
    for (name, seconds) in files {
        let path = dir.join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
}

#[cfg(target_os = "linux")]
fn has_attributes(dir: &Path) -> Result<(), &'static str> {
    use std::os::fd::AsRawFd as _;

    let file = fs::File::create(dir.join("attribute")).unwrap();
    // SAFETY: the name ends with a zero, and the value has one byte.
    let set = unsafe { libc::fsetxattr(file.as_raw_fd(), c"user.test".as_ptr(), c"x".as_ptr().cast(), 1, 0) };
    if set == 0 { Ok(()) } else { Err("the file system has no attributes") }
}

#[cfg(target_os = "linux")]
#[test]
fn archives_numbered_from_the_oldest_are_read_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    needs!(has_attributes(dir.path()));
    let path = dir.path().join("app.log");
    let naming = Naming::numbered_oldest_first();
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(0).naming(naming).keep(20));
    let numbers: Vec<_> = (0..12).map(|number| number.to_string()).collect();
    numbers.iter().for_each(|number| write(&mut file, &[&format!("{number}\n")]));
    assert_eq!(lines(Reader::open(&path).unwrap()), numbers);
    assert_eq!(lines(Reader::open_oldest_first(&path).unwrap()), numbers);
}

#[cfg(all(target_os = "linux", feature = "gzip"))]
#[test]
fn so_are_compressed_ones_and_copies_of_a_file_that_stays() {
    use tracing_handlers::rotation::{Compression, settle};

    for copies in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        needs!(has_attributes(dir.path()));
        let path = dir.path().join("app.log");
        // It is from before the naming was set.
        fs::write(&path, "0\n").unwrap();
        let rotation = Rotation::size(0).naming(Naming::numbered_oldest_first()).copy_truncate(copies);
        let mut file = File::open(&path).unwrap().rotation(rotation.compression(Compression::gzip()));
        write(&mut file, &["1\n", "2\n", "3\n"]);
        assert!(settle(Duration::from_secs(60)));
        assert!(dir.path().join("app.log.1.gz").exists());
        assert_eq!(lines(Reader::open(&path).unwrap()), ["0", "1", "2", "3"]);
    }
}

#[test]
fn times_prove_the_order_of_what_others_have_written() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &[("app.log.1", 100), ("app.log.2", 200), ("app.log.10", 900), ("app.log", 1_000)]);
    let path = dir.path().join("app.log");
    // The numbers between are reported as missing, which is no matter here.
    let found =
        |reader: Reader| reader.filter_map(Event::line).map(|line| line.text().into_owned()).collect::<Vec<_>>();
    let oldest_first = ["app.log.1", "app.log.2", "app.log.10", "app.log"];
    assert_eq!(found(Reader::open(&path).unwrap()), oldest_first);
    assert_eq!(found(Reader::open_oldest_first(&path).unwrap()), oldest_first);

    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &[("app.log.3", 100), ("app.log.2", 200), ("app.log.1", 900), ("app.log", 1_000)]);
    let path = dir.path().join("app.log");
    let newest_first = ["app.log.3", "app.log.2", "app.log.1", "app.log"];
    assert_eq!(lines(Reader::open(&path).unwrap()), newest_first);
    assert_eq!(lines(Reader::open_oldest_first(&path).unwrap()), newest_first);
}

#[test]
fn without_a_proof_number_1_is_what_the_caller_says() {
    for times in [
        // Copied, the file in use first.
        [("app.log", 100), ("app.log.1", 200), ("app.log.2", 300)],
        // Copied within a moment.
        [("app.log.1", 100), ("app.log.2", 100), ("app.log", 100)],
        // One was edited.
        [("app.log.1", 300), ("app.log.2", 100), ("app.log", 200)],
    ] {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &times);
        let path = dir.path().join("app.log");
        assert_eq!(lines(Reader::open(&path).unwrap()), ["app.log.2", "app.log.1", "app.log"], "{times:?}");
        let oldest_first = lines(Reader::open_oldest_first(&path).unwrap());
        assert_eq!(oldest_first, ["app.log.1", "app.log.2", "app.log"], "{times:?}");
    }
}
