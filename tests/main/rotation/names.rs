//! Names that are too long, and names that look like those of compressed files.

use std::fs;
#[cfg(unix)]
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::mpsc;

use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink::File;
#[cfg(unix)]
use tracing_handlers::{ErrorKind, selflog};

use super::{expect, files, write};

#[cfg(unix)]
fn named(dir: &Path, len: usize) -> PathBuf {
    dir.join("x".repeat(len))
}

#[track_caller]
#[cfg(unix)]
fn refused(path: &Path, rotation: &Rotation, why: &str) {
    let error = File::options().rotation(rotation.clone()).open(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = error.to_string();
    assert!(error.starts_with(&format!("file {}: ", path.display())) && error.contains(why), "{error}");
    assert!(!path.exists(), "nothing is left behind");
}

/// Linux and macOS allow 255 bytes.
#[cfg(unix)]
#[test]
fn names_that_rotation_cannot_use_are_a_configuration_error() {
    let dir = tempfile::tempdir().unwrap();
    let dated = Rotation::size(4).naming(Naming::dated("%Y-%m-%d").unwrap());
    let live = Rotation::size(4).naming(Naming::numbered().live(true));
    for (len, rotation, needed) in [
        (254, Rotation::size(4), 256),
        (253, Rotation::size(4).keep(10), 256),
        (245, dated, 258),
        (249, Rotation::size(4).naming(Naming::numbered_oldest_first()), 256),
        (247, live, 257),
        (246, Rotation::size(4).copy_truncate(true), 256),
    ] {
        refused(&named(dir.path(), len), &rotation, &format!("names of up to {needed} bytes"));
        refused(&named(dir.path(), len), &rotation, "and the limit is 255");
    }
    #[cfg(feature = "gzip")]
    {
        let gzip = Rotation::size(4).compression(tracing_handlers::rotation::Compression::gzip());
        refused(&named(dir.path(), 246), &gzip, "names of up to 256 bytes");
        File::options().rotation(gzip).open(named(dir.path(), 245)).unwrap();
    }
    let shared = File::options().shared(true).open(named(dir.path(), 250)).unwrap_err();
    assert!(shared.to_string().contains("names of up to 256 bytes"), "{shared}");
    File::options().open(named(dir.path(), 255)).unwrap();
}

#[cfg(unix)]
#[test]
fn the_longest_names_that_are_allowed_can_be_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let path = named(dir.path(), 253);
    let mut file = File::options().rotation(Rotation::size(4).keep(9)).open(&path).unwrap();
    (0..12).for_each(|_| write(&mut file, &["one\n"]));
    assert_eq!(files(dir.path()).len(), 10);
    // Without archives, none is too long.
    let path = named(dir.path(), 255);
    let mut file = File::options().rotation(Rotation::size(4).keep(0)).open(&path).unwrap();
    (0..3).for_each(|_| write(&mut file, &["one\n"]));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_that_only_archives_make_too_long_is_a_configuration_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut deep = dir.path().to_owned();
    while deep.as_os_str().len() < 3_800 {
        deep.push("d".repeat(200));
    }
    let path = deep.join("x".repeat(4_094 - deep.as_os_str().len() - 1));
    let path = match path.file_name().unwrap().len() {
        0..=200 => path,
        // Divided between two directories.
        long => deep.join("d".repeat(100)).join("x".repeat(long - 101)),
    };
    assert_eq!(path.as_os_str().len(), 4_094);
    refused(&path, &Rotation::size(4), "paths of up to 4096 bytes");
    File::options().open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_open_already_goes_on_without_such_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let path = named(dir.path(), 254);
    let (sender, told) = mpsc::channel();
    // selflog belongs to the process: only what names our directory is ours.
    let ours = dir.path().display().to_string();
    selflog::set(move |message| drop(message.contains(&ours).then(|| sender.send(message.to_owned()))));
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(4));
    (0..3).for_each(|_| write(&mut file, &["one\n"]));
    selflog::reset();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\none\none\n");
    let told: Vec<_> = told.try_iter().collect();
    assert!(told.len() == 1 && told[0].ends_with("and the limit is 255; the rotation is not set"), "{told:?}");
}

#[test]
fn a_log_that_is_called_like_a_compressed_file_is_none() {
    for (base, before_extension, archives) in [
        ("app.gz", false, ["app.gz.1", "app.gz.2"]),
        ("app.gz", true, ["app.1.gz", "app.2.gz"]),
        ("app.log.zst", true, ["app.log.1.zst", "app.log.2.zst"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let naming = Naming::numbered().before_extension(before_extension);
        let mut file = File::open(dir.path().join(base)).unwrap().rotation(Rotation::size(4).keep(2).naming(naming));
        for line in ["one\n", "two\n", "six\n", "ten\n"] {
            write(&mut file, &[line]);
        }
        expect(dir.path(), &[(base, "ten\n"), (archives[0], "six\n"), (archives[1], "two\n")]);
    }
}

#[cfg(feature = "gzip")]
#[test]
fn the_archives_of_such_a_log_are_compressed_and_read() {
    use tracing_handlers::read::{Event, Reader};
    use tracing_handlers::rotation::{Compression, settle};

    for (base, before_extension, archive) in [
        ("app.gz", false, "app.gz.1.gz"),
        ("app.gz", true, "app.1.gz.gz"),
        ("app.log.gz", true, "app.log.1.gz.gz"),
        ("app.zst", true, "app.1.zst.gz"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(base);
        let naming = Naming::numbered().before_extension(before_extension);
        let rotation = Rotation::size(4).naming(naming);
        let mut file = File::open(&path).unwrap().rotation(rotation.clone().compression(Compression::gzip()));
        write(&mut file, &["one\n", "two\n", "six\n"]);
        assert!(settle(std::time::Duration::from_secs(60)));
        assert!(dir.path().join(archive).exists(), "{:?}", files(dir.path()).keys());
        // Archives that are not compressed are read too, and so is a new file without a line.
        let mut file = File::open(&path).unwrap().rotation(rotation);
        write(&mut file, &["ten\n"]);
        file.control().rotate();
        std::io::Write::flush(&mut file).unwrap();
        let lines: Vec<_> = Reader::open(&path)
            .unwrap()
            .map(|event| match event {
                Event::Line(line) => line.text().into_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lines, ["one", "two", "six", "ten"], "{base}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
