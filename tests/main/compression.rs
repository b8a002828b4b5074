//! Compressed old files, as the tools of others find them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tracing_handlers::read::{Event, Reader};
use tracing_handlers::rotation::{Compression, Naming, Rotation, settle};
use tracing_handlers::sink::File;

use crate::skip::{installed, skipped};

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn lines(path: &Path) -> Vec<String> {
    let line = |event: Event| match event {
        Event::Line(line) => line.text().into_owned(),
        other => panic!("{other:?}"),
    };
    Reader::open(path).unwrap().map(line).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("line {number}")).collect()
}

fn write(file: &mut File, range: std::ops::Range<u32>) {
    // Each call of `write` is a line.
    range.for_each(|number| file.write_all(format!("line {number}\n").as_bytes()).unwrap());
}

#[track_caller]
fn settled() {
    assert!(settle(Duration::from_secs(120)));
}

/// What the program prints. If it is not installed, this part of the test is skipped.
fn run(program: &str, args: &[&str], path: &Path) -> Option<Vec<u8>> {
    match installed(program, Command::new(program).args(args).arg(path).output()) {
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(reason) => {
            skipped(&reason);
            None
        }
    }
}

#[test]
fn every_old_file_is_compressed_and_no_line_is_lost() {
    for (compression, ending) in [(Compression::gzip(), "gz"), (Compression::zstd().level(19), "zst")] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let mut file = File::open(&path).unwrap().rotation(Rotation::size(2_000).keep(1_000).compression(compression));
        write(&mut file, 0..5_000);
        settled();
        assert_eq!(lines(&path), numbers(0..5_000));
        let archives = names(dir.path()).into_iter().filter(|name| name != "app.log").collect::<Vec<_>>();
        assert!(archives.len() > 20 && archives.iter().all(|name| name.ends_with(ending)), "{archives:?}");
    }
}

#[test]
fn the_tools_of_others_open_the_archives() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for (name, compression) in [("gz", Compression::gzip()), ("zst", Compression::zstd())] {
        let path = dir.path().join(name);
        let mut file = File::open(&path).unwrap().rotation(Rotation::size(60_000).keep(9).compression(compression));
        write(&mut file, 0..10_000);
        settled();
        let archive = dir.path().join(format!("{name}.1.{name}"));
        let text: String =
            Reader::files([&archive]).map(|event| event.line().unwrap().text().into_owned() + "\n").collect();
        assert!(text.len() > 50_000);
        expected.insert(name, (archive, text));
    }
    let (gz, text) = &expected["gz"];
    run("gzip", &["-t"], gz);
    let python = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
    for output in [run("zcat", &[], gz), run("python3", &["-c", python], gz)].into_iter().flatten() {
        assert!(output == text.as_bytes());
    }
    let (zst, text) = &expected["zst"];
    run("zstd", &["-tq"], zst);
    let output = run("zstd", &["-dcq"], zst);
    assert!(output.is_none_or(|output| output == text.as_bytes()));
}

#[test]
fn what_the_process_before_left_is_compressed_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    for (name, text) in
        [("app.log", "line 2\n"), ("app.log.1", "line 1\n"), ("app.log.2", "line 0\n"), (".app.log.1.gz.tmp", "half")]
    {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let _file = File::open(&path).unwrap().rotation(Rotation::size(1_000).compression(Compression::gzip()));
    settled();
    assert_eq!(names(dir.path()), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
    assert_eq!(lines(&path), numbers(0..3));
}

/// What a power failure leaves: a compressed file that is empty or cut, beside the whole old one.
#[test]
fn an_old_file_beside_a_cut_one_is_read_once_and_compressed_at_the_start() {
    for (compression, ending) in [(Compression::gzip(), "gz"), (Compression::zstd(), "zst")] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let mut file = File::open(&path).unwrap().rotation(Rotation::size(1_000).keep(9).compression(compression));
        write(&mut file, 0..200);
        settled();
        drop(file);
        let packed = dir.path().join(format!("app.log.1.{ending}"));
        let (whole, raw) = (fs::read(&packed).unwrap(), dir.path().join("app.log.1"));
        let text: String =
            Reader::files([&packed]).map(|event| event.line().unwrap().text().into_owned() + "\n").collect();
        for len in [0, 2, 3, 12, whole.len() / 2, whole.len() - 1] {
            fs::write(&raw, &text).unwrap();
            fs::write(&packed, &whole[..len]).unwrap();
            assert_eq!(lines(&path), numbers(0..200), "cut to {len} bytes of {ending}");
            let _file = File::open(&path).unwrap().rotation(Rotation::size(1_000).keep(9).compression(compression));
            settled();
            assert!(!raw.exists() && packed.exists(), "cut to {len} bytes of {ending}: {:?}", names(dir.path()));
            assert_eq!(lines(&path), numbers(0..200));
        }
    }
}

#[test]
fn a_file_that_is_opened_later_needs_no_directory_yet() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/app.log");
    let rotation = Rotation::size(0).compression(Compression::gzip());
    let mut file = File::options().delay(true).rotation(rotation).open(&path).unwrap();
    settled();
    assert!(names(dir.path()).is_empty());
    write(&mut file, 0..3);
    settled();
    assert_eq!(names(path.parent().unwrap()), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
    assert_eq!(lines(&path), numbers(0..3));
}

#[test]
fn compressed_files_are_counted_and_removed_like_others() {
    for naming in [Naming::numbered(), Naming::numbered_oldest_first()] {
        let dir = tempfile::tempdir().unwrap();
        let rotation = Rotation::size(0).keep(2).naming(naming).compression(Compression::zstd());
        let mut file = File::open(dir.path().join("app.log")).unwrap().rotation(rotation);
        for number in 0..8 {
            write(&mut file, number..number + 1);
            settled();
        }
        let names = names(dir.path());
        assert!(names.len() == 3 && names[1..].iter().all(|name| name.ends_with(".zst")), "{names:?}");
    }
}

#[test]
fn the_file_in_use_is_not_compressed_where_the_path_is_a_link_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let rotation = Rotation::size(30).keep(100).naming(Naming::numbered().live(true)).compression(Compression::gzip());
    let mut file = File::options().rotation(rotation).open(&path).unwrap();
    for number in 0..20 {
        write(&mut file, number..number + 1);
        settled();
    }
    assert!(!fs::canonicalize(&path).unwrap().to_string_lossy().ends_with(".gz"));
    assert_eq!(names(dir.path()).iter().filter(|name| !name.ends_with(".gz")).count(), 2, "the link and the file");
    assert_eq!(lines(&path), numbers(0..20));
}

#[test]
fn names_before_the_extension_are_found_by_the_reader_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let naming = Naming::numbered().before_extension(true);
    let rotation = Rotation::size(0).keep(100).naming(naming).compression(Compression::gzip());
    write(&mut File::open(&path).unwrap().rotation(rotation), 0..12);
    settled();
    assert!(names(dir.path()).contains(&"app.11.log.gz".to_owned()));
    assert_eq!(lines(&path), numbers(0..12));
}

/// Each of the two has a descriptor of its own and packs for itself, as two processes do.
#[test]
fn two_that_share_a_file_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let path = &path;
            scope.spawn(move || {
                let rotation = Rotation::size(5_000).keep(1_000).compression(Compression::gzip());
                let mut file = File::options().shared(true).rotation(rotation).open(path).unwrap();
                for number in 0..2_000 {
                    file.write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
                }
            });
        }
    });
    settled();
    for writer in ["0 ", "1 "] {
        let own: Vec<_> = lines(&path).into_iter().filter(|line| line.starts_with(writer)).collect();
        assert_eq!(own, (0..2_000).map(|number| format!("{writer}{number}")).collect::<Vec<_>>());
    }
}
